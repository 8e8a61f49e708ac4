package batch

import "slices"

// Status is the state of a batch.
type Status string

// Settled and Cancelled are terminal.
const (
	Draft     Status = "draft"     // its payouts are claimed; it can be checked
	Approved  Status = "approved"  // its payouts are fixed; its files can be made
	Sent      Status = "sent"      // the bank or provider has it; results are awaited
	Settled   Status = "settled"   // each of its payouts is completed or failed
	Cancelled Status = "cancelled" // called off; its payouts can be paid by another batch
)

// Statuses returns all statuses.
func Statuses() []Status { return []Status{Draft, Approved, Sent, Settled, Cancelled} }

// Transition is a change of status.
type Transition struct{ From, To Status }

// Transitions returns the state machine. A trigger of the database has the same table.
func Transitions() []Transition {
	return []Transition{
		{Draft, Approved},
		{Draft, Cancelled},
		{Approved, Sent},
		{Approved, Cancelled},
		{Sent, Settled},
		{Sent, Cancelled},
	}
}

func allowed(from, to Status) bool { return slices.Contains(Transitions(), Transition{from, to}) }
