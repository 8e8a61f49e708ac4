package query_test

import (
	"context"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// endless is a store in which a user's history takes too long to read.
type endless struct {
	query.ExplanationReader

	rules    *rule.Set
	rejected bool
}

func (endless) Commission(context.Context, query.Owner, string) (commission.Snapshot, error) {
	return commission.Snapshot{
		ID:      "a",
		EventID: "e",
		UserID:  "u",
		Kind:    commission.Adjustment,
		Amount:  money.FromMinor(100, money.USD()),
	}, nil
}

func (e endless) RulesAt(context.Context, int64) (*rule.Set, error) { return e.rules, nil }

func (endless) History(context.Context, string, string) ([]change.Record, error) { return nil, nil }

func (e endless) Before(context.Context, commission.Snapshot) (query.Before, error) {
	sale := event.Restore(event.Snapshot{ID: "e", UserID: "u", Type: eventtype.Sale, Amount: "10"})
	posted := commission.Snapshot{Amount: money.FromMinor(30, money.USD())}

	return query.Before{
		Rules:   e.rules,
		Related: []event.Event{sale},
		Posted:  []commission.Snapshot{posted},
		Manual:  decision.Manual{Rejected: map[string]bool{"e": e.rejected}},
	}, nil
}

func (endless) EventsOf(context.Context, query.Owner, time.Time) ([]event.Event, error) {
	return nil, query.ErrTooWide
}

// Without the history nothing is claimed about a rule that depends on it; other rules do not read
// it.
func TestHistoriesThatAreTooLong(t *testing.T) {
	t.Parallel()

	for name, limit := range map[string]*rule.Cap{"plain": nil, "capped": {Amount: 1000, Period: rule.Monthly}} {
		x, err := query.NewExplain(endless{rules: tenth(t, limit)}).
			Commission(t.Context(), query.Everything(), "a")
		if err != nil {
			t.Fatal(err)
		}

		known := limit == nil
		if c := x.Comparison; c.TooWide == known ||
			c.Agrees(money.FromMinor(70, money.USD())) != known ||
			(len(c.Decisions) == 1) != known {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// A rejected event earns nothing, whatever the rule.
func TestRejectedEventsBringNothing(t *testing.T) {
	t.Parallel()

	x, err := query.NewExplain(
		endless{rules: tenth(t, nil), rejected: true},
	).Commission(t.Context(), query.Everything(), "a")
	if err != nil {
		t.Fatal(err)
	}

	if c := x.Comparison; len(c.Decisions) > 0 || !c.Agrees(money.FromMinor(-30, money.USD())) ||
		c.Agrees(money.FromMinor(70, money.USD())) {
		t.Errorf("%+v", c)
	}
}

func tenth(t *testing.T, limit *rule.Cap) *rule.Set {
	t.Helper()

	rate, err := money.ParseRate("0.1")
	if err != nil {
		t.Fatal(err)
	}

	return rule.NewSet(1, []rule.Rule{rule.Restore(rule.Snapshot{
		ID:       "r",
		Version:  1,
		Scope:    rule.Scope{EventType: eventtype.Sale},
		Currency: money.USD(),
		Formula:  rule.Percentage{Rate: rate},
		Rounding: money.HalfEven,
		Cap:      limit,
	})})
}
