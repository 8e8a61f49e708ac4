package querytest_test

import (
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/query/querytest"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

func world(t *testing.T) querytest.World {
	t.Helper()

	store := commandtest.New()
	reader := querytest.New(store)
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

	return querytest.World{
		World: commandtest.World{
			Payouts:     store.Payouts(),
			Batches:     store.Batches(),
			Commissions: store.Commissions(),
			Journal:     store,
			Earn: func(t *testing.T, user, eventID string) commission.Snapshot {
				t.Helper()

				c, caused, err := commission.NewEarning(
					decision.Decision{
						Event: event.Restore(event.Snapshot{
							ID:         eventID,
							UserID:     user,
							Type:       eventtype.Purchase,
							OccurredAt: noon.Add(-time.Hour),
						}),
						Outcome:     decision.Commissioned,
						Rule:        rule.Ref{ID: "r", Version: 1},
						Base:        money.FromMinor(10_000, money.USD()),
						Amount:      money.FromMinor(1_000, money.USD()),
						AvailableAt: noon.AddDate(10, 0, 0),
					},
					commission.Origin{ID: "of " + eventID, Now: noon},
				)
				if err != nil {
					t.Fatal(err)
				}

				store.Put(caused, c.Snapshot())

				return c.Snapshot()
			},
			Records: func(_ *testing.T, subjectID string) []change.Record {
				return slices.DeleteFunc(store.Records(), func(r change.Record) bool {
					return r.SubjectID != subjectID
				})
			},
		},
		Reader:  reader,
		Payout:  reader,
		Batch:   reader,
		Balance: reader,
	}
}

func TestTheReaderInMemoryKeepsTheContracts(t *testing.T) {
	t.Parallel()
	querytest.Suite(t, world)
}
