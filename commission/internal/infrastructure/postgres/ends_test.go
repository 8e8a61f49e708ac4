package postgres_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/infrastructure/postgres"
)

// spent returns what the statements since the last call did: how many transactions there were, and
// whether the ends of users were read, which are positions and numbers.
func spent(record *transcript) string {
	var (
		transactions       int
		positions, numbers bool
	)

	for _, s := range record.taken() {
		switch {
		case s.sql == "begin":
			transactions++
		case strings.Contains(s.sql, "FROM balances"):
			positions = true
		case strings.Contains(s.sql, "e.sequence"):
			numbers = true
		}
	}

	if positions != numbers {
		return fmt.Sprintf("positions read: %t, numbers read: %t", positions, numbers)
	}

	return fmt.Sprintf("%d transactions, ends read: %t", transactions, positions)
}

// recorded is the fixture with a store whose statements are recorded.
func recorded(t *testing.T) (fixture, *transcript) {
	t.Helper()
	f := setup(t)
	f.rule(t, 1, 1, "0.1", "", "")

	record := &transcript{}
	f.store = postgres.New(f.traced(t, record))
	f.handler = f.deciding(f.store)

	return f, record
}

// ends returns the numbers of the events of u, and the positions of its transfers.
func (f fixture) ends(t *testing.T) string {
	t.Helper()

	return f.one(t, `SELECT concat_ws('; ',
    (SELECT string_agg(sequence::text, ' ' ORDER BY sequence)
        FROM commission_events WHERE user_id = 'u'),
    (SELECT string_agg(position_minor::text, ' ' ORDER BY id)
        FROM ledger WHERE user_id = 'u' AND position_minor IS NOT NULL))`)
}

// The next batch goes on where the one before has ended, without looking.
func TestTheEndsOfUsersAreNotReadAgain(t *testing.T) {
	t.Parallel()

	f, record := recorded(t)

	for n, want := range []string{
		"1 transactions, ends read: true",
		"1 transactions, ends read: false",
		"1 transactions, ends read: false",
	} {
		f.decide(t, purchase(fmt.Sprint("e", n), "u", "100"), purchase(fmt.Sprint("f", n), "u", "50"))

		if got := spent(record); got != want {
			t.Errorf("batch %d: %s, want %s", n, got, want)
		}
	}

	const want = "1 2 3 4 5 6; 0 1000 1500 2500 3000 4000"
	if got := f.ends(t); got != want {
		t.Errorf("ends %s, want %s", got, want)
	}
}

// Another replica has written for the user meanwhile: the database refuses the batch once, and for
// a while everything is read.
func TestEndsThatAReplicaHasMovedAreReadAgain(t *testing.T) {
	t.Parallel()

	for name, moves := range map[string]struct {
		event event.Snapshot
		want  string
	}{
		"position and number": {purchase("e2", "u", "70"), "1 2 3 4; 0 1000 1700 2700"},
		"number":              {purchase("e2", "u", "0"), "1 2 3 4; 0 1000 2000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			f, record := recorded(t)

			replica := f
			replica.handler = f.deciding(postgres.New(f.db.Pool))

			f.decide(t, purchase("e1", "u", "100"))
			replica.decide(t, moves.event)
			record.taken()

			for _, c := range []struct{ event, transactions string }{
				{"e3", "2 transactions, ends read: true"},
				{"e4", "1 transactions, ends read: true"},
			} {
				f.decide(t, purchase(c.event, "u", "100"))

				if got := spent(record); got != c.transactions {
					t.Errorf("%s: %s, want %s", c.event, got, c.transactions)
				}
			}

			if got := f.ends(t); got != moves.want {
				t.Errorf("ends %s, want %s", got, moves.want)
			}
		})
	}
}

// Whoever else of this process writes for a user has its end read again: nothing is refused.
func TestEndsThatThisProcessHasMovedAreReadAgain(t *testing.T) {
	t.Parallel()

	f, record := recorded(t)
	f.rule(t, 1, 2, "0.1", "hold_days", "1")

	f.decide(t, purchase("e1", "u", "100"), purchase("e2", "v", "100"))
	f.act(t, "e1", commission.Approve)
	record.taken()

	f.decide(t, purchase("e3", "u", "100"), purchase("e4", "v", "100"))

	if got, want := spent(record), "1 transactions, ends read: true"; got != want {
		t.Errorf("%s, want %s", got, want)
	}

	if got, want := f.ends(t), "1 2 3; 0"; got != want {
		t.Errorf("ends %s, want %s", got, want)
	}
}

// A batch that was not committed leaves no end.
func TestWhatWasNotCommittedIsNoEnd(t *testing.T) {
	t.Parallel()

	f, record := recorded(t)
	f.decide(t, purchase("e1", "u", "100"))

	refused, err := event.New(purchase("e2", "u", "100"))
	if err != nil {
		t.Fatal(err)
	}

	failing := commandtest.Interrupted{
		Decisions: f.store,
		After:     func(*command.DecisionChanges) error { return errBroken },
	}
	if _, err := f.deciding(failing).Handle(t.Context(), []event.Event{refused}); err == nil {
		t.Fatal("nothing failed")
	}

	record.taken()
	f.decide(t, purchase("e3", "u", "100"))

	if got, want := spent(record), "1 transactions, ends read: true"; got != want {
		t.Errorf("%s, want %s", got, want)
	}

	if got, want := f.ends(t), "1 2; 0 1000"; got != want {
		t.Errorf("ends %s, want %s", got, want)
	}
}

func TestHeldEndsAreBounded(t *testing.T) {
	t.Parallel()

	for users, want := range map[int]int{100: 100, 30_000: 20_000} {
		if got := postgres.HeldEnds(users); got != want {
			t.Errorf("%d of %d users, want %d", got, users, want)
		}
	}
}

// The numbers of a day are unique, and not those of two days. A server that took the place of
// another may miss what was committed last.
func TestEndsOfAnotherDayOrServerAreReadAgain(t *testing.T) {
	t.Parallel()

	const day = 24 * time.Hour

	for name, c := range map[string]struct {
		days, server time.Duration
		happens      func(*testing.T, fixture)
		want         string
	}{
		"a replica wrote later that day": {
			days: day,
			happens: func(t *testing.T, f fixture) {
				t.Helper()
				f.handler = f.deciding(postgres.New(f.db.Pool))
				f.decide(t, purchase("e2", "u", "0"))
				f.aged(t, 1)
				f.owned(t, `SELECT commission_events_prepare(7)`)
			},
			want: "1 2 3",
		},
		"another server": {
			server: time.Minute,
			happens: func(t *testing.T, f fixture) {
				t.Helper()
				f.owned(t, `SET session_replication_role = replica; DELETE FROM commission_events`)
			},
			want: "1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			f, _ := recorded(t)
			f.decide(t, purchase("e1", "u", "0"))
			c.happens(t, f)
			postgres.AgeEnds(f.store, c.days, c.server)
			f.decide(t, purchase("e3", "u", "0"))

			if got := f.ends(t); got != c.want {
				t.Errorf("numbers %s, want %s", got, c.want)
			}
		})
	}
}
