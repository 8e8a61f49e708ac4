package postgres_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"tributary/commission/internal/application/command"
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

// broken fails after the changes were made, or while they are written.
type broken struct {
	command.Decisions

	spoil func(*command.DecisionChanges) error
}

func (b broken) Decide(
	ctx context.Context,
	events []event.Event,
	decide func(command.DecisionState) (command.DecisionChanges, error),
) error {
	return b.Decisions.Decide(
		ctx,
		events,
		func(state command.DecisionState) (command.DecisionChanges, error) {
			changes, err := decide(state)
			if err == nil {
				err = b.spoil(&changes)
			}

			return changes, err
		},
	)
}

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
			id := func() string { return uuid.Must(uuid.NewV7()).String() }

			first, err := event.New(purchase("e1", "u", "100"))
			if err != nil {
				t.Fatal(err)
			}

			refused, err := command.NewConsumeEvents(broken{f.store, spoil}, f.clock, id).Handle(
				t.Context(), []event.Event{first},
			)
			if err == nil && len(refused) == 0 {
				t.Fatal("nothing failed")
			}

			f.handler = command.NewConsumeEvents(postgres.New(f.db.Pool), f.clock, id)
			f.decide(t, purchase("e1", "u", "100"))

			got := f.read(t, from, 1)[0].Commission.ID
			if want := f.one(t, `SELECT id::text FROM commissions`); got != want {
				t.Errorf("published commission %s, want %s", got, want)
			}
		})
	}
}
