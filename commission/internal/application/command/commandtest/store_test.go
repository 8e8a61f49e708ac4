package commandtest_test

import (
	"testing"
	"time"

	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

func decided(id, user string, of eventtype.Type, minor int64) decision.Decision {
	return decision.Decision{
		Event:       event.Restore(event.Snapshot{ID: id, UserID: user, Type: of}),
		Outcome:     decision.Commissioned,
		Rule:        rule.Ref{ID: "r", Version: 1},
		Base:        money.FromMinor(10_000, money.USD()),
		Amount:      money.FromMinor(minor, money.USD()),
		AvailableAt: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func world(t *testing.T) commandtest.World {
	t.Helper()

	store := commandtest.New()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

	return commandtest.World{
		Payouts:     store.Payouts(),
		Batches:     store.Batches(),
		Commissions: store.Commissions(),
		Decisions:   store,
		Rules:       store,
		Journal:     store,
		Published:   store,
		Earn: func(t *testing.T, user, eventID string) commission.Snapshot {
			t.Helper()

			c, caused, err := commission.NewEarning(
				decided(eventID, user, eventtype.Purchase, 1000),
				commission.Origin{ID: "earning of " + eventID, Now: now},
			)
			if err != nil {
				t.Fatal(err)
			}

			store.Put(caused, c.Snapshot())

			return c.Snapshot()
		},
		TakeBack: func(t *testing.T, earning commission.Snapshot) {
			t.Helper()

			c := commission.Restore(earning)

			back := decided("r"+earning.EventID, earning.UserID, eventtype.Refund, -500)
			back.OriginalID = earning.EventID

			made, caused, err := c.ClawBack(
				back,
				commission.Origin{ID: "clawback of " + earning.EventID, Now: now},
			)
			if err != nil {
				t.Fatal(err)
			}

			store.Put(caused, made)
		},
		Records: store.RecordsOf,
	}
}

func TestTheStoreInMemoryKeepsTheContracts(t *testing.T) {
	t.Parallel()
	t.Run("payouts", func(t *testing.T) { t.Parallel(); commandtest.PayoutsSuite(t, world) })
	t.Run("batches", func(t *testing.T) { t.Parallel(); commandtest.BatchesSuite(t, world) })
	t.Run("rules", func(t *testing.T) { t.Parallel(); commandtest.RulesSuite(t, world) })
	t.Run("journal", func(t *testing.T) { t.Parallel(); commandtest.JournalSuite(t, world) })
	t.Run("commissions", func(t *testing.T) { t.Parallel(); commandtest.CommissionsSuite(t, world) })
	t.Run("decisions", func(t *testing.T) { t.Parallel(); commandtest.DecisionsSuite(t, world) })
}
