package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/infrastructure/postgres"
)

// A decision of this process is not read again: once. What comes after it, and what another replica
// decided, is read from the tables.
func TestADecisionOfThisProcessIsNotReadAgain(t *testing.T) {
	t.Parallel()
	f := setup(t)
	from := f.firstRules(t)
	replica := postgres.New(f.db.Pool)

	f.decide(t, purchase("e1", "u", "100"))
	f.owned(t, `SET session_replication_role = replica; UPDATE decisions SET reason = 'no_rule';
    UPDATE commissions SET amount_minor = 7`)

	for _, c := range []struct {
		name   string
		store  *postgres.Store
		reason string
		minor  int64
	}{
		{"a replica", replica, "no_rule", 7},
		{"this process", f.store, "rule_applied", 1000},
		{"this process, again", f.store, "no_rule", 7},
	} {
		var page []eventlog.Event

		await(t, c.name, func() bool {
			var err error
			if page, err = c.store.EventLog().Read(t.Context(), from, 9); err != nil {
				t.Fatal(err)
			}

			return len(page) > 0
		})

		reason, minor := string(page[0].Decision.Reason), page[0].Commission.Amount.Minor()
		if reason != c.reason || minor != c.minor {
			t.Errorf("%s: %s %d, want %s %d", c.name, reason, minor, c.reason, c.minor)
		}
	}
}

var errBroken = errors.New("broken")

// What was decided in a transaction that did not commit is never published, although another
// replica decides the same event afterwards.
func TestWhatWasNotCommittedIsNotPublished(t *testing.T) {
	t.Parallel()

	for name, spoil := range map[string]func(*command.DecisionChanges) error{
		"given up": func(*command.DecisionChanges) error { return errBroken },
		"refused": func(c *command.DecisionChanges) error {
			c.Facts[0].PreviousStatus = "\x00" // the last that is written
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			from := f.firstRules(t)

			first, err := event.New(purchase("e1", "u", "100"))
			if err != nil {
				t.Fatal(err)
			}

			failing := commandtest.Interrupted{Decisions: f.store, After: spoil}

			refused, err := f.deciding(failing).Handle(t.Context(), []event.Event{first})
			if err == nil && len(refused) == 0 {
				t.Fatal("nothing failed")
			}

			f.handler = f.deciding(postgres.New(f.db.Pool))
			f.decide(t, purchase("e1", "u", "100"))

			got := f.read(t, from, 1)[0].Commission.ID
			if want := f.one(t, `SELECT id::text FROM commissions`); got != want {
				t.Errorf("published commission %s, want %s", got, want)
			}
		})
	}
}

// What is decided while the relay is behind is not held, and read from the tables. Once it has read
// to the end, new decisions are held again.
func TestWhatIsDecidedWhileTheRelayIsBehindIsNotHeld(t *testing.T) {
	t.Parallel()
	f := setup(t)
	after := f.firstRules(t)

	const decided = 5000 // more than are held

	var events []event.Snapshot
	for n := range decided {
		events = append(events, purchase(fmt.Sprint("e", n), "u", "100"))
	}

	for batch := range slices.Chunk(events, 500) {
		f.decide(t, batch...)
	}

	// The reason of the last event, when so many are there. The tables have another one.
	reason := func(number int) (reason string) {
		f.owned(t, `SET session_replication_role = replica; UPDATE decisions SET reason = 'no_rule'`)

		await(t, fmt.Sprint(number, " events"), func() bool {
			page, err := f.store.EventLog().Read(t.Context(), after, number+1)
			if err != nil || len(page) < number {
				return false
			}

			after = page[number-1].Position()
			reason = string(page[number-1].Decision.Reason)

			return true
		})

		return reason
	}

	if got := reason(decided); got != "no_rule" {
		t.Errorf("decided while behind: %s, want that of the table", got)
	}

	f.decide(t, purchase("f", "u", "100"))

	if got := reason(1); got != "rule_applied" {
		t.Errorf("decided afterwards: %s, want that which is held", got)
	}
}
