package postgres_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/eventlog/eventlogtest"
	"tributary/commission/internal/application/query/querytest"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/application/replay/replaytest"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/platform/idempotency/idempotencytest"
	"tributary/platform/relay/relaytest"
)

// world returns the repositories over an empty database in which everything earned waits.
func world(t *testing.T) commandtest.World {
	t.Helper()

	f := setup(t)
	f.rule(t, 1, 1, "0.1", "hold_days", "3650")

	return f.world()
}

func (f fixture) world() commandtest.World {
	return commandtest.World{
		Payouts:     f.store.Payouts(),
		Batches:     f.store.Batches(),
		Commissions: f.store.Commissions(),
		Decisions:   f.store,
		Rules:       f.store,
		Journal:     f.store,
		Published:   f.store,
		Earn: func(t *testing.T, user, eventID string) commission.Snapshot {
			t.Helper()
			f.decide(t, purchase(eventID, user, "100.00"))

			decided, err := f.store.Decision(t.Context(), owned(t, ""), eventID)
			if err != nil {
				t.Fatal(err)
			}

			earned, err := f.store.Commission(t.Context(), owned(t, ""), decided.CommissionID)
			if err != nil {
				t.Fatal(err)
			}

			return earned
		},
		TakeBack: func(t *testing.T, earning commission.Snapshot) {
			t.Helper()
			f.decide(t, refund("r"+earning.EventID, earning.UserID, earning.EventID, "50.00"))
		},
		Records: f.records,
	}
}

// records returns the audit's records of the subject.
func (f fixture) records(t *testing.T, subjectID string) []change.Record {
	t.Helper()

	rows, err := f.owner.Query(
		t.Context(),
		`SELECT at, actor, action, subject_type, subject_id, reason, before, after, request_id
FROM audit WHERE subject_id = $1 ORDER BY at`,
		subjectID,
	)
	if err != nil {
		t.Fatal(err)
	}

	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[change.Record])
	if err != nil {
		t.Fatal(err)
	}

	return list
}

func TestTheRepositoriesKeepTheContracts(t *testing.T) {
	t.Parallel()
	t.Run("payouts", func(t *testing.T) { t.Parallel(); commandtest.PayoutsSuite(t, world) })
	t.Run("batches", func(t *testing.T) { t.Parallel(); commandtest.BatchesSuite(t, world) })
	t.Run("rules", func(t *testing.T) { t.Parallel(); commandtest.RulesSuite(t, world) })
	t.Run("journal", func(t *testing.T) { t.Parallel(); commandtest.JournalSuite(t, world) })
	t.Run("commissions", func(t *testing.T) { t.Parallel(); commandtest.CommissionsSuite(t, world) })
	t.Run("decisions", func(t *testing.T) { t.Parallel(); commandtest.DecisionsSuite(t, world) })
}

func TestTheKeysKeepTheContract(t *testing.T) {
	t.Parallel()
	idempotencytest.Suite(t, func(t *testing.T) idempotencytest.World {
		t.Helper()
		f := setup(t)

		return idempotencytest.World{
			Keys: f.store,
			Use: func(t *testing.T, key string, at time.Time) {
				t.Helper()

				request := byHand()
				request.Key = key
				request.Now = at
				request.Render = func(any) ([]byte, error) { return []byte("{}"), nil }

				if err := f.store.Note(t.Context(), request, change.Record{}, nil); err != nil {
					t.Fatal(err)
				}
			},
			Known: func(t *testing.T) []string {
				t.Helper()

				return strings.Fields(f.one(t, `SELECT coalesce(string_agg(key, ' ' ORDER BY key), '')
    FROM idempotency_keys`))
			},
		}
	})
}

func TestTheReadPortsKeepTheContracts(t *testing.T) {
	t.Parallel()
	querytest.Suite(t, func(t *testing.T) querytest.World {
		t.Helper()

		f := setup(t)
		f.rule(t, 1, 1, "0.1", "hold_days", "3650")
		ids := querytest.IDs(f.clock)
		f.handler = command.NewConsumeEvents(f.store, f.clock, ids)

		return querytest.World{
			World:       f.world(),
			Reader:      f.store,
			Payout:      f.store.Payouts(),
			Batch:       f.store.Batches(),
			Balance:     f.store.Liabilities(),
			Liability:   f.store.Liabilities(),
			Payment:     f.store.Payments(),
			Coverage:    f.store.Payments(),
			Statement:   f.store.Statements(),
			Explanation: f.store,
			Replay: func(t *testing.T, at time.Time) {
				t.Helper()
				f.rule(t, 2, 1, "0.2", "hold_days", "3650")
				f.now.Store(at.UnixMicro())

				_, err := replay.New(replay.Dependencies{
					Store:   f.store,
					Replays: f.store.Replays(),
					Now:     f.clock,
					NewID:   ids,
					Logger:  slog.New(slog.DiscardHandler),
				}).Start(t.Context(), byHand(), november(), false)
				if err != nil {
					t.Fatal(err)
				}
			},
			Decide: func(t *testing.T, e event.Snapshot) {
				t.Helper()
				f.now.Store(e.ReceivedAt.UnixMicro())
				f.decide(t, e)
			},
		}
	})
}

// replayWorld returns the replays over an empty database in which everything earned waits.
func replayWorld(t *testing.T) replaytest.World {
	t.Helper()

	f := setup(t)
	f.rule(t, 1, 1, "0.1", "hold_days", "3650")

	return replaytest.World{
		Store:   f.store,
		Replays: f.store.Replays(),
		Decide: func(t *testing.T, user, eventID string, occurredAt time.Time) {
			t.Helper()

			bought := purchase(eventID, user, "100.00")
			bought.OccurredAt = occurredAt
			f.decide(t, bought)
		},
		Expire: func(t *testing.T) {
			t.Helper()
			f.owned(t, `UPDATE replays SET held_until = statement_timestamp()`)
		},
		Records: f.records,
	}
}

func TestTheReplaysKeepTheContracts(t *testing.T) {
	t.Parallel()
	t.Run("replays", func(t *testing.T) { t.Parallel(); replaytest.ReplaysSuite(t, replayWorld) })
	t.Run("histories", func(t *testing.T) { t.Parallel(); replaytest.StoreSuite(t, replayWorld) })
}

func TestTheLogOfChangesKeepsTheContracts(t *testing.T) {
	t.Parallel()
	eventlogtest.Suite(t, func(t *testing.T) eventlogtest.World {
		t.Helper()

		f := setup(t)
		f.rule(t, 1, 1, "0.1", "hold_days", "3650")

		return eventlogtest.World{
			Log:  f.store.EventLog(),
			From: f.firstRules(t),
			Now:  time.Now,
			Write: func(t *testing.T, userID, eventID string) {
				t.Helper()
				f.decide(t, purchase(eventID, userID, "100.00"))
			},
			Hold: func(t *testing.T, _, eventID string) {
				t.Helper()
				f.act(t, eventID, commission.Hold)
			},
			Age: func(t *testing.T) {
				t.Helper()
				f.aged(t, 30)
			},
		}
	})
}

func TestTheLogOfChangesKeepsTheContractOfALease(t *testing.T) {
	t.Parallel()
	relaytest.Suite(
		t,
		eventlog.Position{Tx: 3, Seq: 9},
		eventlog.Position{Tx: 7, Seq: 1},
		func(t *testing.T) relaytest.Lease[eventlog.Position] {
			t.Helper()
			return setup(t).store.EventLog()
		},
	)
}

func TestTheLogOfChangesIsReadAsTheContractSays(t *testing.T) {
	t.Parallel()
	relaytest.ReaderSuite(
		t,
		func(t *testing.T) relaytest.LogWorld[eventlog.Position, eventlog.Event] {
			t.Helper()

			f := setup(t)

			return relaytest.LogWorld[eventlog.Position, eventlog.Event]{
				Log:     f.store.EventLog(),
				Compare: eventlog.Compare,
				Add: func(ctx context.Context) error {
					id := uuid.NewString() // and a user of its own: writers do not wait for each other
					bought := event.Restore(purchase(id, id, "100.00"))
					_, err := f.handler.Handle(ctx, []event.Event{bought})

					return err
				},
			}
		},
	)
}
