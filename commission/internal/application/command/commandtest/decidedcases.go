package commandtest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
)

func decidedOnce(t *testing.T, w World) {
	w.wantDecided(t, "e1 rule_applied 1000", 11, sale("e1"), sale("e1"))
	w.wantDecided(t, "e2 rule_applied 1000", 21, sale("e1"), sale("e2"), sale("e2"))
	w.wantDecided(t, "", 31, sale("e2"), sale("e1"))
	w.wantFunds(t, "u", "2000")

	earned := w.commission(t, id(11))
	if s := earned.Snapshot(); s.EventID != "e1" || s.UserID != "u" ||
		s.Amount != usd(1000) || s.Status != commission.Approved || s.Rate != "0.1" ||
		!s.CreatedAt.Equal(noon()) || s.Version != 1 {
		t.Errorf("%+v", s)
	}
}

func decidedOnceByMany(t *testing.T, w World) {
	var writers sync.WaitGroup

	for n := range 4 {
		writers.Go(func() {
			_, refused, err := w.consume(t.Context(), 10*(n+1), sale("e1"), sale("e2"), sale("e3"))
			if err != nil || len(refused) > 0 {
				t.Errorf("refused %v, %v", refused, err)
			}
		})
	}

	writers.Wait()
	w.wantFunds(t, "u", "3000")
}

func reversals(t *testing.T, w World) {
	w.wantDecided(t, "e1 rule_applied 1000", 11, sale("e1"))
	w.wantDecided(t, "r1 clawed_back -300", 21, refund("r1", "e1", "", "30"))
	w.wantDecided(
		t,
		"r2 clawed_back -700; r3 already_reversed 0",
		31,
		refund("r2", "e1", "", ""),
		refund("r3", "e1", "", "1"),
	)
	w.wantDecided(t, "r4 already_reversed 0", 41, refund("r4", "e1", "", ""))
	w.wantFunds(t, "u", "0")

	earned := w.commission(t, id(11))
	if s := earned.Snapshot(); s.Status != commission.Reversed {
		t.Errorf("%+v", s)
	}

	// events refer to those of their own user only
	other := refund("r5", "e1", "", "")
	other.UserID = "v"

	w.wantDecided(t, "r5 original_unknown 0", 51, other)
}

func orderReversals(t *testing.T, w World) {
	w.wantDecided(t, "e1 rule_applied 1000", 11, ordered("e1", "o"))
	w.wantDecided(t, "e2 duplicate_order 0", 21, ordered("e2", "o"))
	w.wantDecided(t, "r1 clawed_back -100", 31, refund("r1", "", "o", "10"))

	// what repeats an order stands for the sale that took it
	w.wantDecided(t, "r2 clawed_back -200", 41, refund("r2", "e2", "", "20"))
	w.wantDecided(t, "r3 clawed_back -700", 51, refund("r3", "", "o", ""))
	w.wantFunds(t, "u", "0")
}

func parkedReversals(t *testing.T, w World) {
	w.wantDecided(
		t,
		"r1 original_unknown 0; r2 original_unknown 0",
		11,
		refund("r1", "e1", "", "30"),
		refund("r2", "e2", "", ""),
	)
	w.wantDecided(t, "e1 rule_applied 1000; parked r1 clawed_back -300", 21, sale("e1"))
	w.wantDecided(t, "", 31, sale("e1"), refund("r1", "e1", "", "30"))
	w.wantDecided(t, "r3 clawed_back -700", 41, refund("r3", "e1", "", ""))
	w.wantFunds(t, "u", "0")
}

func parkedOrders(t *testing.T, w World) {
	w.wantDecided(t, "r1 original_unknown 0", 11, refund("r1", "", "o", "30"))
	w.wantDecided(t, "e1 rule_applied 1000", 21, ordered("e1", "another"))
	w.wantDecided(t, "e2 rule_applied 1000; parked r1 clawed_back -300", 31, ordered("e2", "o"))
	w.wantFunds(t, "u", "1700")
}

// capped publishes a rule of u for sales that earns 15.00 USD at most.
func (w World) capped(t *testing.T) {
	t.Helper()

	wanted := version("", "0.1")
	wanted.Scope.UserID = "u"
	wanted.Currency = usd(1).Currency()
	wanted.Cap = &rule.Cap{Amount: 1500, Period: rule.Daily}

	if err := w.publish(t.Context(), by("operator"), id(2), wanted); err != nil {
		t.Fatal(err)
	}
}

func usageAccounts(t *testing.T, w World) {
	w.capped(t)
	w.wantDecided(t, "e1 rule_applied 1000", 11, sale("e1"))
	w.wantDecided(
		t,
		"e2 rule_applied_at_cap 500; e3 cap_reached 0",
		21,
		sale("e2"),
		sale("e3"),
	)
	w.wantDecided(t, "r1 clawed_back -1000", 31, refund("r1", "e1", "", ""))
	w.wantDecided(t, "e4 rule_applied 1000", 41, sale("e4"))
	w.wantDecided(t, "e5 cap_reached 0", 51, sale("e5"))

	another := sale("e6")
	another.OccurredAt = another.OccurredAt.AddDate(0, 0, 3)
	w.wantDecided(t, "e6 rule_applied 1000", 61, another)

	another.ID = "e7"
	w.wantDecided(t, "e7 rule_applied_at_cap 500", 71, another)
}

func rejectedUsage(t *testing.T, w World) {
	w.capped(t)

	pending := version(id(2), "0.1")
	pending.Scope.UserID = "u"
	pending.Currency = usd(1).Currency()
	pending.Cap = &rule.Cap{Amount: 1500, Period: rule.Daily}
	pending.HoldDays = 30

	if err := w.publish(t.Context(), by("operator"), id(3), pending); err != nil {
		t.Fatal(err)
	}

	w.wantDecided(t, "e1 rule_applied 1000", 11, sale("e1"))

	if err := w.act(t.Context(), by("operator"), id(11), commission.Reject); err != nil {
		t.Fatal(err)
	}

	w.wantDecided(t, "e2 rule_applied 1000", 21, sale("e2"))
	w.wantDecided(t, "r1 original_rejected 0", 31, refund("r1", "e1", "", ""))
}

func decisionRules(t *testing.T, w World) {
	w.wantDecided(t, "e1 rule_applied 1000", 11, sale("e1"))

	if err := w.publish(
		t.Context(), by("operator"), id(2), version(id(1), "0.2"),
	); err != nil {
		t.Fatal(err)
	}

	w.wantDecided(t, "e2 rule_applied 2000", 21, sale("e2"))

	// a reversal is decided by the version that applied to its original
	w.wantDecided(t, "r1 clawed_back -1000", 31, refund("r1", "e1", "", ""))
}

func decisionErrors(t *testing.T, w World) {
	var made command.DecisionChanges

	err := w.Decisions.Decide(
		t.Context(),
		events([]event.Snapshot{sale("e1")}),
		func(state command.DecisionState) (changes command.DecisionChanges, err error) {
			made, err = given(state).changes(t.Context(), sale("e1"))
			return made, errors.Join(err, errStop)
		},
	)
	if !errors.Is(err, errStop) || len(made.Decisions) != 1 || len(made.Transfers) != 1 {
		t.Errorf("the error of decide became %v, of %+v", err, made)
	}

	w.wantKnown(t, false, "e1")
	w.wantFunds(t, "u", "0")
	w.wantDecided(t, "e1 rule_applied 1000", 11, sale("e1"))
	w.wantKnown(t, true, "e1")
}

func unstorableEvents(t *testing.T, w World) {
	bad := sale("bad")
	bad.CampaignID = "\x00" // event.New would have refused it

	_, refused, err := w.consume(t.Context(), 11, sale("e1"), sale("e2"), bad, sale("e3"))
	if err != nil || len(refused) != 1 || refused[0].Event.ID() != "bad" ||
		!errors.Is(refused[0].Err, command.ErrNotStorable) {
		t.Errorf("refused %v, %v", refused, err)
	}

	w.wantKnown(t, false, "bad")
	w.wantDecided(t, "", 21, sale("e1"), sale("e2"), sale("e3"))
	w.wantFunds(t, "u", "3000")
}

// patience is how long a writer has to break in on another one.
const patience = 200 * time.Millisecond

// The second writer is asked for its decision only after what the first one decided is stored.
func decisionTurns(t *testing.T, w World) {
	w.capped(t)

	var (
		second  sync.WaitGroup
		started bool
		entered = make(chan struct{})
		enter   = sync.OnceFunc(func() { close(entered) })
	)

	err := w.Decisions.Decide(
		t.Context(),
		events([]event.Snapshot{sale("e1")}),
		func(state command.DecisionState) (command.DecisionChanges, error) {
			if !started {
				started = true

				second.Go(func() {
					asked := World{Decisions: Interrupted{Decisions: w.Decisions, Before: enter}}

					changes, _, err := asked.consume(t.Context(), 21, sale("e2"))
					if got := texts(changes); got != "e2 rule_applied_at_cap 500" || err != nil {
						t.Errorf("the second writer decides %q, %v", got, err)
					}
				})
			}

			late := time.NewTimer(patience)
			defer late.Stop()

			select {
			case <-entered:
				t.Error("another writer decides meanwhile")
			case <-late.C:
			}

			return given(state).changes(t.Context(), sale("e1"))
		},
	)
	if err != nil {
		t.Error(err)
	}

	second.Wait()
	w.wantFunds(t, "u", "1500")
}
