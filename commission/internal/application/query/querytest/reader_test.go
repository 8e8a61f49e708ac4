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

// decider decides events as World.Decide says.
type decider struct {
	store *commandtest.Store
	now   time.Time
	newID func() string
}

func newDecider(store *commandtest.Store) *decider {
	d := &decider{store: store}
	d.newID = querytest.IDs(func() time.Time { return d.now })

	return d
}

func (d *decider) decide(t *testing.T, e event.Snapshot) {
	t.Helper()

	currency, err := money.ParseCurrency(e.Currency)
	if err != nil {
		t.Fatal(err)
	}

	base, err := money.ParseMajor(e.Amount, currency)
	if err != nil {
		t.Fatal(err)
	}

	decided := decision.Decision{
		Event:       event.Restore(e),
		Outcome:     decision.Commissioned,
		Rule:        rule.Ref{ID: "r", Version: 1},
		Base:        base,
		Amount:      money.FromMinor(base.Minor()/10, currency),
		AvailableAt: e.OccurredAt.AddDate(10, 0, 0),
	}
	d.now = e.ReceivedAt
	origin := commission.Origin{ID: d.newID(), Now: d.now}

	if e.Type.Reverses() {
		decided.OriginalID = e.OriginalID
		decided.Amount = money.FromMinor(-base.Minor()/10, currency)
		d.clawBack(t, decided, origin)

		return
	}

	c, caused, err := commission.NewEarning(decided, origin)
	if err != nil {
		t.Fatal(err)
	}

	d.store.Put(caused, c.Snapshot())
}

func (d *decider) clawBack(t *testing.T, decided decision.Decision, origin commission.Origin) {
	t.Helper()

	var (
		earning   commission.Snapshot
		followers []commission.Snapshot
	)

	for _, c := range d.store.Content().Commissions {
		if c.EventID == decided.OriginalID {
			earning = c
		}
	}

	for _, c := range d.store.Content().Commissions {
		if c.ReversesID == earning.ID {
			followers = append(followers, c)
		}
	}

	c := commission.Restore(earning, followers...)

	made, caused, err := c.ClawBack(decided, origin)
	if err != nil {
		t.Fatal(err)
	}

	d.store.Put(caused, append([]commission.Snapshot{made}, c.Moved()...)...)
}

func world(*testing.T) querytest.World {
	store := commandtest.New()
	reader := querytest.New(store)
	decider := newDecider(store)
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

	return querytest.World{
		World: commandtest.World{
			Payouts:     store.Payouts(),
			Batches:     store.Batches(),
			Commissions: store.Commissions(),
			Journal:     store,
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
			Records: func(_ *testing.T, subjectID string) []change.Record {
				return slices.DeleteFunc(store.Records(), func(r change.Record) bool {
					return r.SubjectID != subjectID
				})
			},
		},
		Reader:    reader,
		Payout:    reader,
		Batch:     reader,
		Balance:   reader,
		Liability: reader,
		Payment:   reader,
		Coverage:  reader,
		Statement: reader,
		Decide:    decider.decide,
	}
}

func TestTheReaderInMemoryKeepsTheContracts(t *testing.T) {
	t.Parallel()
	querytest.Suite(t, world)
}
