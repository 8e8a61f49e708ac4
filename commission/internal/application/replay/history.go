package replay

import (
	"cmp"
	"iter"
	"slices"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// History is everything known of a user: the rules, the decisions, and what is posted for each.
type History struct {
	Rules  *rule.Set
	UserID string

	// of a history that is read at once; in any order
	Decisions []EffectiveDecision
	// what is posted for the event, including adjustments, without rejected rows, in minor units
	Posted map[Money]int64

	Parts  *Parts // of one that is read in parts
	Manual decision.Manual
	Usage  map[decision.UsageKey]decision.Usage
	// Commissions reads commissions with their followers, as they are under the user's lock.
	Commissions func(ids []string) ([]commission.Commission, error)
}

// Parts is a history that is read in the order in which the events occurred, as often as it is
// asked for, and that is never in memory as a whole.
type Parts struct {
	Entries iter.Seq2[Entry, error]
	Ties    *decision.Ties
	Keeps   []event.Event // of an order with a tie, in the order in which they occurred
}

// Entry is a decision with what is posted for its event, by the code of the currency.
type Entry struct {
	EffectiveDecision

	Posted []money.Amount
}

// EffectiveDecision is the decision that counts for an event: that of the last replay, or the first
// without a replay. Later reversals use it.
type EffectiveDecision struct {
	decision.Decision

	// the commission that clawbacks reverse: the earning, or the first adjustment without one; ""
	// without either
	CommissionID string
}

// Money is the money that belongs to an event.
type Money struct {
	EventID  string
	Currency string
}

// InParts returns the history in the order in which the events occurred, however it was read.
func (h History) InParts() Parts {
	if h.Parts != nil {
		return *h.Parts
	}

	order := make([]*EffectiveDecision, len(h.Decisions))
	for i := range h.Decisions {
		order[i] = &h.Decisions[i]
	}

	slices.SortFunc(order, func(a, b *EffectiveDecision) int {
		return decision.Chronological(a.Event, b.Event)
	})

	order = slices.CompactFunc(order, func(a, b *EffectiveDecision) bool {
		return a.Event.ID() == b.Event.ID()
	})

	var (
		events = make([]event.Event, len(order))
		keeps  []event.Event
	)

	for i, d := range order {
		events[i] = d.Event
		if h.Manual.Keeps[d.Event.ID()] {
			keeps = append(keeps, d.Event)
		}
	}

	return Parts{
		Entries: h.entries(order),
		Ties:    decision.TiesOf(events),
		Keeps:   keeps,
	}
}

func (h History) entries(order []*EffectiveDecision) iter.Seq2[Entry, error] {
	posted := map[string][]money.Amount{}

	for of, minor := range h.Posted {
		if currency, err := money.ParseCurrency(of.Currency); err == nil {
			posted[of.EventID] = append(posted[of.EventID], money.FromMinor(minor, currency))
		}
	}

	for _, amounts := range posted {
		slices.SortFunc(amounts, byCode)
	}

	return func(yield func(Entry, error) bool) {
		for _, d := range order {
			entry := Entry{EffectiveDecision: *d, Posted: posted[d.Event.ID()]}
			if !yield(entry, nil) {
				return
			}
		}
	}
}

func byCode(a, b money.Amount) int {
	return cmp.Compare(a.Currency().String(), b.Currency().String())
}
