// Package replay (domain) is a period that is decided again by the rules at a revision. It is work
// in steps: it knows how far it has come, and any process may go on with it.
package replay

import (
	"maps"
	"time"

	"tributary/commission/internal/domain/effect"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// Period is a half-open range of times of occurrence.
type Period struct{ From, To time.Time }

// Holds reports whether the time is in the period.
func (p Period) Holds(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

// Check returns a fault if the period is empty or reversed.
func (p Period) Check() error {
	var faults fault.Fields
	if p.From.IsZero() {
		faults.Add("from", fault.ErrRequired, "is required")
	}

	if !p.To.After(p.From) {
		faults.Add("to", fault.ErrNotAfter, "must be after from")
	}

	return faults.Err()
}

// Status is the state of a replay.
type Status string

// States of a replay. An interrupted one is running: another process goes on with it.
const (
	Running   Status = "running"
	Completed Status = "completed"
	Cancelled Status = "cancelled" // what was posted before stands
	Failed    Status = "failed"    // for a reason that stays; what was posted before stands
)

// Statuses returns all statuses.
func Statuses() []Status { return []Status{Running, Completed, Cancelled, Failed} }

// Transition is a change of status.
type Transition struct{ From, To Status }

// Transitions returns the state machine. A trigger of the database has the same table.
func Transitions() []Transition {
	return []Transition{{Running, Completed}, {Running, Cancelled}, {Running, Failed}}
}

// Size is the extent of a period.
type Size struct{ Users, Events int64 }

// Progress is how far a replay has come.
type Progress struct {
	Total       *Size // nil until it is counted
	Done        Size
	Differences int64
	Sums        map[money.Currency]money.Total // of the differences
	Position    string                         // the last user that is done
}

// Snapshot is the content of a replay.
type Snapshot struct {
	ID          string
	Period      Period
	DryRun      bool // nothing is posted
	Reason      string
	Actor       string
	RequestID   string
	Revision    int64 // of the rules
	RequestedAt time.Time
	Status      Status
	Failure     string // the code of the error
	Progress    Progress
	ChangedAt   time.Time
	EndedAt     time.Time
	AtOnce      bool // the request is answered with the result
	Version     int
}

// Replay is an aggregate.
type Replay struct{ snapshot Snapshot }

// Wanted is what a replay is requested with.
type Wanted struct {
	ID        string
	Period    Period
	DryRun    bool
	Reason    string
	Actor     string
	RequestID string
	Revision  int64
	AtOnce    bool
	Now       time.Time
}

// New returns a running replay of which nothing is done. An error means that the period is not one.
func New(wanted Wanted) (Replay, error) {
	if err := wanted.Period.Check(); err != nil {
		return Replay{}, err
	}

	return Replay{snapshot: Snapshot{
		ID:          wanted.ID,
		Period:      wanted.Period,
		DryRun:      wanted.DryRun,
		Reason:      wanted.Reason,
		Actor:       wanted.Actor,
		RequestID:   wanted.RequestID,
		Revision:    wanted.Revision,
		RequestedAt: wanted.Now,
		Status:      Running,
		Progress:    Progress{Sums: map[money.Currency]money.Total{}},
		ChangedAt:   wanted.Now,
		AtOnce:      wanted.AtOnce,
		Version:     1,
	}}, nil
}

// Restore returns the replay of a stored snapshot.
func Restore(snapshot Snapshot) Replay { return Replay{snapshot: snapshot} }

// Snapshot returns a copy of the content.
func (r *Replay) Snapshot() Snapshot {
	s := r.snapshot
	s.Progress.Sums = maps.Clone(s.Progress.Sums)

	return s
}

// Count notes the extent of the period.
func (r *Replay) Count(total Size, now time.Time) error {
	return r.change(now, func(s *Snapshot) { s.Progress.Total = &total })
}

// Step is what was done for some users.
type Step struct {
	Done        Size
	Last        string // of the users, in their order
	Differences Found
	Revision    int64 // of the rules that were used
}

// Found is how many differences of expected and posted a step has found, and their sums.
type Found struct {
	Number int64
	Sums   map[money.Currency]money.Total
}

// Add adds a difference.
func (f *Found) Add(d money.Amount) {
	if f.Sums == nil {
		f.Sums = map[money.Currency]money.Total{}
	}

	sum, known := f.Sums[d.Currency()]
	if !known {
		sum = money.TotalOf(0, d.Currency())
	}

	f.Number++
	f.Sums[d.Currency()] = sum.Add(d.Total())
}

// Advance notes a step. ErrRulesChanged is returned if it was made by other rules, and
// effect.ErrTransition if it is not the next step of a running replay.
func (r *Replay) Advance(step Step, now time.Time) error {
	if step.Revision != r.snapshot.Revision {
		return ErrRulesChanged
	}

	if step.Last <= r.snapshot.Progress.Position {
		return effect.ErrTransition.New("The users of the step are done.")
	}

	return r.change(now, func(s *Snapshot) {
		p := &s.Progress
		p.Done.Users += step.Done.Users
		p.Done.Events += step.Done.Events
		p.Differences += step.Differences.Number
		p.Position = step.Last

		for currency, found := range step.Differences.Sums {
			sum, known := p.Sums[currency]
			if !known {
				sum = money.TotalOf(0, currency)
			}

			p.Sums[currency] = sum.Add(found)
		}
	})
}

// Complete ends a replay whose users are all done.
func (r *Replay) Complete(now time.Time) error { return r.end(Completed, now) }

// Cancel ends a replay. What it has posted stands.
func (r *Replay) Cancel(now time.Time) error { return r.end(Cancelled, now) }

// Fail ends a replay that cannot go on, with the code of the error. What it has posted stands.
func (r *Replay) Fail(code string, now time.Time) error {
	err := r.end(Failed, now)
	if err == nil {
		r.snapshot.Failure = code
	}

	return err
}

func (r *Replay) end(as Status, now time.Time) error {
	return r.change(now, func(s *Snapshot) {
		s.Status = as
		s.EndedAt = now
	})
}

// change changes a running replay: all transitions begin there.
func (r *Replay) change(now time.Time, fn func(*Snapshot)) error {
	if r.snapshot.Status != Running {
		return effect.ErrTransition.New("The replay is " + string(r.snapshot.Status) + ".")
	}

	fn(&r.snapshot)
	r.snapshot.ChangedAt = now
	r.snapshot.Version++

	return nil
}
