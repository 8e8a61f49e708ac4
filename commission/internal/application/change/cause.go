package change

import "tributary/commission/internal/domain/effect"

// CauseKind is the kind of what caused a change.
type CauseKind string

const (
	ByEvent          CauseKind = "event"           // a tracking event; its id
	ByOperator       CauseKind = "operator"        // a request; its id
	ByClock          CauseKind = "clock"           // time has passed; what ended
	ByReplay         CauseKind = "replay"          // a replay; its id
	ByPaymentRequest CauseKind = "payment_request" // a command; its id
)

// Cause is what caused a change. Actor is the person, if there is one.
type Cause struct {
	Kind  CauseKind
	ID    string
	Actor string
}

// ByHoldPeriod returns the cause of what becomes due.
func ByHoldPeriod() Cause { return Cause{Kind: ByClock, ID: "hold_period"} }

// ByTracking returns the tracking event as the cause of a change.
func ByTracking(eventID string) Cause { return Cause{Kind: ByEvent, ID: eventID} }

// OfReplay returns the replay that the actor requested as the cause of a change.
func OfReplay(id, actor string) Cause { return Cause{Kind: ByReplay, ID: id, Actor: actor} }

// Cause returns the request as the cause of a change.
func (r Request) Cause() Cause {
	return Cause{Kind: ByOperator, ID: r.RequestID, Actor: r.Actor}
}

// CausedFact is a fact with what caused it.
type CausedFact struct {
	effect.Fact

	Cause Cause
}

// Of returns the facts as caused by the one cause.
func (c Cause) Of(facts []effect.Fact) []CausedFact {
	caused := make([]CausedFact, len(facts))
	for i, fact := range facts {
		caused[i] = CausedFact{Fact: fact, Cause: c}
	}

	return caused
}
