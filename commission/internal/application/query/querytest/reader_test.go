package querytest_test

import (
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/query/querytest"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// decider decides events as World.Decide says.
type decider struct {
	store   *commandtest.Store
	now     time.Time
	newID   func() string
	handler *command.ConsumeEvents
}

func (d *decider) clock() time.Time { return d.now }

func (d *decider) decide(t *testing.T, snapshot event.Snapshot) {
	t.Helper()

	e, err := event.New(snapshot)
	if err != nil {
		t.Fatal(err)
	}

	d.now = snapshot.ReceivedAt

	refused, err := d.handler.Handle(t.Context(), []event.Event{e})
	if err != nil || len(refused) > 0 {
		t.Fatal(refused, err)
	}
}

// publish puts a rule in force: a share of a purchase, pending for ten years. The last one wins.
func (d *decider) publish(t *testing.T, rate string) {
	t.Helper()

	share, err := money.ParseRate(rate)
	if err != nil {
		t.Fatal(err)
	}

	if err := d.store.PublishRule(
		t.Context(),
		change.Request{},
		func(set *rule.Set) (rule.Rule, change.Outcome, error) {
			made, err := set.Next(
				rule.Snapshot{
					Name:     rate,
					Scope:    rule.Scope{EventType: eventtype.Purchase},
					Formula:  rule.Percentage{Rate: share},
					HoldDays: 3650,
					Rounding: money.HalfEven,
					Priority: int(set.Revision()),
				},
				rule.Publication{NewID: "rule of " + rate, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
			)

			return made, change.Outcome{}, err
		},
	); err != nil {
		t.Fatal(err)
	}
}

// replay adds to each earning that is not rejected as much as is left of it.
func (d *decider) replay(t *testing.T, reader querytest.Reader, at time.Time) {
	t.Helper()
	d.publish(t, "0.2")

	d.now = at
	made := replay.Snapshot{ID: d.newID(), Revision: 2, RequestedAt: at}
	reader.Replayed(made)

	content := d.store.Content()

	for _, decided := range content.Decisions {
		var (
			earning   commission.Snapshot
			followers []commission.Snapshot
		)

		for _, c := range content.Commissions {
			switch decided.CommissionID {
			case c.ID:
				earning = c
			case c.ReversesID:
				followers = append(followers, c)
			}
		}

		if !decided.Earned() || earning.Status == commission.Rejected {
			continue
		}

		c := commission.Restore(earning, followers...)

		added, caused, err := c.Correct(
			commission.Correction{
				ReplayID: made.ID,
				Event:    decided.Event,
				Amount:   money.FromMinor(c.Net(), decided.Currency),
				Reason:   "replayed",
			},
			commission.Origin{ID: d.newID(), Now: at},
		)
		if err != nil {
			t.Fatal(err)
		}

		d.store.Put(caused, added)
	}
}

func world(t *testing.T) querytest.World {
	t.Helper()

	store := commandtest.New()
	reader := querytest.New(store)
	decider := &decider{store: store}
	decider.newID = querytest.IDs(decider.clock)
	decider.handler = command.NewConsumeEvents(store, decider.clock, decider.newID)
	decider.publish(t, "0.1")

	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

	return querytest.World{
		World: commandtest.World{
			Payouts:     store.Payouts(),
			Batches:     store.Batches(),
			Commissions: store.Commissions(),
			Rules:       store,
			Journal:     store,
			Published:   store,
			Earn: func(t *testing.T, user, eventID string) commission.Snapshot {
				t.Helper()
				decider.decide(t, event.Snapshot{
					ID:         eventID,
					UserID:     user,
					Type:       eventtype.Purchase,
					OccurredAt: noon.Add(-time.Hour),
					ReceivedAt: noon,
					Amount:     "100.00",
					Currency:   "USD",
				})

				made := store.Content().Commissions

				return made[slices.IndexFunc(made, func(c commission.Snapshot) bool {
					return c.EventID == eventID
				})]
			},
			Records: store.RecordsOf,
		},
		Reader:      reader,
		Payout:      reader,
		Batch:       reader,
		Balance:     reader,
		Liability:   reader,
		Payment:     reader,
		Coverage:    reader,
		Statement:   reader,
		Explanation: reader,
		Replay: func(t *testing.T, at time.Time) {
			t.Helper()
			decider.replay(t, reader, at)
		},
		Decide: decider.decide,
	}
}

func TestTheReaderInMemoryKeepsTheContracts(t *testing.T) {
	t.Parallel()
	querytest.Suite(t, world)
}
