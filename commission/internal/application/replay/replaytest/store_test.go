package replaytest_test

import (
	"testing"
	"time"

	"tributary/commission/internal/application/replay/replaytest"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

func world(t *testing.T) replaytest.World {
	t.Helper()

	store := replaytest.New(rule.NewSet(7, nil))
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

	return replaytest.World{
		Store:   store,
		Replays: store,
		Decide: func(t *testing.T, user, eventID string, occurredAt time.Time) {
			t.Helper()

			decided := decision.Decision{
				Event: event.Restore(event.Snapshot{
					ID:         eventID,
					UserID:     user,
					Type:       eventtype.Purchase,
					OccurredAt: occurredAt,
				}),
				Outcome:     decision.Commissioned,
				Rule:        rule.Ref{ID: "r", Version: 1},
				Base:        money.FromMinor(10_000, money.USD()),
				Amount:      money.FromMinor(1_000, money.USD()),
				AvailableAt: now.AddDate(10, 0, 0),
			}

			c, _, err := commission.NewEarning(
				decided,
				commission.Origin{ID: "earning of " + eventID, Now: now},
			)
			if err != nil {
				t.Fatal(err)
			}

			store.Put(decided, c.Snapshot())
		},
		Expire:  func(*testing.T) { store.Expire() },
		Records: store.RecordsOf,
	}
}

func TestTheStoreInMemoryKeepsTheContracts(t *testing.T) {
	t.Parallel()
	t.Run("replays", func(t *testing.T) { t.Parallel(); replaytest.ReplaysSuite(t, world) })
	t.Run("histories", func(t *testing.T) { t.Parallel(); replaytest.StoreSuite(t, world) })
}
