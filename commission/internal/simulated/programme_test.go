//go:build python

package simulated_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/contracts/eventtype"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/httpapi"
	"tributary/platform/money"
)

// programme is a simulated programme with its clock.
type programme struct {
	db      migrationstest.Database
	store   *postgres.Store
	handler http.Handler
	random  *rand.Rand
	clock   *atomic.Int64 // unix microseconds
	ids     *atomic.Uint64
	begin   time.Time

	users     []string
	sales     []event.Snapshot // that can be refunded
	waiting   []string         // events of commissions that may be pending
	open      []string         // payouts that are requested
	requested []string         // payouts that were ever requested
	events    int
	together  int // commissions that were acted on in bulk

	consume *command.ConsumeEvents
	request *command.RequestPayout
	close   *command.ClosePayout
	act     *command.ActOnCommission
	bulk    *command.ActInBulk
	adjust  *command.Adjust
	due     *command.ApproveDue
	replay  *replay.Handler
}

func setup(t *testing.T, seed, partners int) *programme {
	t.Helper()

	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}

	p := &programme{
		db:     migrationstest.New(t, migrations.Commission()),
		random: rand.New(rand.NewPCG(uint64(seed), 16)),
		clock:  &atomic.Int64{},
		ids:    &atomic.Uint64{},
		begin:  time.Date(2025, 11, 1, 0, 0, 0, 0, location),
	}
	p.at(p.begin)
	p.store = postgres.New(p.db.Pool)
	p.consume = command.NewConsumeEvents(p.store, p.now, p.newID)
	p.request = command.NewRequestPayout(p.store.Payouts(), nil, p.now)
	p.close = command.NewClosePayout(p.store.Payouts())
	p.act = command.NewActOnCommission(p.store.Commissions())
	p.bulk = command.NewActInBulk(p.store.Commissions(), p.store)
	p.adjust = command.NewAdjust(p.store.Commissions(), p.newID, nil)
	p.due = command.NewApproveDue(
		p.store.Commissions(),
		p.now,
		slog.New(slog.DiscardHandler),
	)
	p.replay = replay.New(replay.Dependencies{
		Store:   p.store,
		Replays: p.store.Replays(),
		Now:     p.now,
		NewID:   p.newID,
		Logger:  slog.New(slog.DiscardHandler),
	})

	for i := range partners {
		p.users = append(p.users, fmt.Sprintf("partner-%03d", i))
	}

	p.rule(t, 1, "held", "0.10", 30)
	p.serve(location)

	return p
}

func (p *programme) serve(location *time.Location) {
	api := httpapi.New(httpapi.Config{
		Service:    "commission",
		Title:      "Commission",
		Version:    "1",
		HealthPath: rest.Base + "/health",
		Health:     httpapi.NewHealth("commission"),
		Logger:     slog.New(slog.DiscardHandler),
		Metrics:    prometheus.NewRegistry(),
		Now:        p.now,
	})
	rest.Register(api.Huma, rest.UseCases{
		GetCommission:   query.NewGetCommission(p.store),
		ListCommissions: query.NewListCommissions(p.store),
		GetDecision:     query.NewGetDecision(p.store),
		GetPayments:     query.NewGetPayments(p.store.Payments()),
		GetCoverage:     query.NewGetCoverage(p.store.Payments()),
		ListItems:       query.NewListPayoutItems(p.store.Payouts(), p.store.Payments()),
		ListShares:      query.NewListCommissionPayouts(p.store, p.store.Payments()),
		ListPayouts:     query.NewListPayouts(p.store.Payouts()),
		GetPayout:       query.NewGetPayout(p.store.Payouts()),
		GetBalances:     query.NewGetBalances(p.store.Liabilities()),
		ListBalances:    query.NewListBalances(p.store.Liabilities()),
		Liabilities:     query.NewGetLiabilities(p.store.Liabilities(), p.now),
		Statements:      query.NewStatements(p.store.Statements(), location, p.now),
		Now:             p.now,
	})
	p.handler = api.Router
}

func (p *programme) at(t time.Time) { p.clock.Store(t.UnixMicro()) }

func (p *programme) now() time.Time { return time.UnixMicro(p.clock.Load()).UTC() }

// newID returns increasing ids of the time at which the clock stands.
func (p *programme) newID() string {
	var id uuid.UUID

	binary.BigEndian.PutUint64(id[:], uint64(p.now().UnixMilli())<<16|7<<12)
	binary.BigEndian.PutUint64(id[8:], 1<<63|p.ids.Add(1))

	return id.String()
}

// rule publishes a version of a rule for purchases of a campaign.
func (p *programme) rule(t *testing.T, version int, campaign, rate string, days int) {
	t.Helper()

	if _, err := p.db.Pool.Exec(t.Context(), `INSERT INTO rules (rule_id, version, name, event_type,
    campaign_id, kind, rate, hold_days, effective_from, published_at, revision)
    SELECT '00000000-0000-7000-8000-000000000099', $1, 'simulated', 'purchase', $2, 'percentage',
    $3, $4, '2025-01-01', $5, revision + 1 FROM rules_revision`,
		version, campaign, rate, days, p.now()); err != nil {
		t.Fatal(err)
	}
}

func (p *programme) frame(reason string) change.Request {
	return change.Request{Actor: "operator", Reason: reason, RequestID: "simulated", Now: p.now()}
}

// decide passes the events on, some of them twice.
func (p *programme) decide(t *testing.T, snapshots ...event.Snapshot) {
	t.Helper()

	var events []event.Event
	for _, f := range snapshots {
		e, err := event.New(f)
		if err != nil {
			t.Fatal(err)
		}

		events = append(events, e)
		if p.random.IntN(10) == 0 {
			events = append(events, e)
		}
	}

	for len(events) > 0 {
		n := min(500, len(events))

		refused, err := p.consume.Handle(t.Context(), events[:n])
		if err != nil || len(refused) > 0 {
			t.Fatalf("%v, %v", refused, err)
		}

		events = events[n:]
	}
}

// month is a month of the programme, in six parts at moments of which the last is just before its
// end.
func (p *programme) month(t *testing.T, month int) {
	t.Helper()

	begin, end := p.begin.AddDate(0, month, 0), p.begin.AddDate(0, month+1, 0)
	for part := range 6 {
		moment := begin.Add(end.Sub(begin) / 6 * time.Duration(part+1)).Add(-time.Millisecond)
		p.at(moment)
		p.earn(t)
		p.refund(t)
		p.operate(t)
		p.operateMany(t)
		p.cheat(t)
		p.due.Handle(t.Context())
		p.closeSome(t)

		if part == 2 || part == 4 {
			p.ask(t)
		}
	}

	if month%4 == 2 {
		p.rule(t, month, "held", fmt.Sprintf("0.1%d", month), 30)
		p.again(t, begin, end)
	}
}

// earn has a sixth of the partners' month happen.
func (p *programme) earn(t *testing.T) {
	t.Helper()

	var events []event.Snapshot
	for _, user := range p.users {
		if p.random.IntN(2) == 0 {
			continue
		}

		p.events++

		digits := map[string]int{"USD": 2, "EUR": 2, "JPY": 0}
		currency := []string{"USD", "EUR", "JPY"}[p.random.IntN(3)]
		amount := fmt.Sprintf("%d", 1+p.random.IntN(20_000))

		if digits[currency] > 0 {
			amount = fmt.Sprintf("%d.%02d", 1+p.random.IntN(400), p.random.IntN(100))
		}

		sale := event.Snapshot{
			ID:         fmt.Sprintf("e%d", p.events),
			UserID:     user,
			Type:       eventtype.Purchase,
			OccurredAt: p.now().Add(-time.Duration(p.random.IntN(72)) * time.Hour),
			ReceivedAt: p.now(),
			CampaignID: []string{"held", "direct"}[p.random.IntN(2)],
			Amount:     amount,
			Currency:   currency,
		}
		events = append(events, sale)

		p.sales = append(p.sales, sale)
		if sale.CampaignID == "held" {
			p.waiting = append(p.waiting, sale.ID)
		}
	}

	p.decide(t, events...)
}

// refund takes back some sales, in whole or in part, long after they may have been paid.
func (p *programme) refund(t *testing.T) {
	t.Helper()

	var events []event.Snapshot
	for range len(p.users) / 25 {
		sale := p.sales[p.random.IntN(len(p.sales))]
		if p.random.IntN(2) == 0 { // one that may still be pending, and may be rejected later
			sale = p.sales[len(p.sales)-1-p.random.IntN(min(len(p.sales), len(p.users)))]
			p.waiting = append(p.waiting, sale.ID)
		}

		p.events++

		back := event.Snapshot{
			ID:         fmt.Sprintf("r%d", p.events),
			UserID:     sale.UserID,
			Type:       eventtype.Refund,
			OccurredAt: p.now(),
			ReceivedAt: p.now(),
			OriginalID: sale.ID,
			Currency:   sale.Currency,
		}
		if p.random.IntN(2) == 0 {
			back.Amount = fmt.Sprint(1 + p.random.IntN(50))
		}

		events = append(events, back)
	}

	p.decide(t, events...)
}

// operate has operators act on commissions and adjust balances.
func (p *programme) operate(t *testing.T) {
	t.Helper()

	for range len(p.users) / 25 {
		if len(p.waiting) == 0 {
			break
		}

		recent := min(len(p.waiting), len(p.users)/5)
		id := p.waiting[len(p.waiting)-1-p.random.IntN(recent)]

		d, err := p.store.Decision(t.Context(), query.Everything().Owner(), id)
		if err != nil {
			t.Fatal(err)
		}

		if d.CommissionID == "" {
			continue
		}

		action := []commission.Action{
			commission.Approve,
			commission.Reject,
			commission.Hold,
			commission.Release,
		}[p.random.IntN(4)]

		_, err = p.act.Handle(
			t.Context(),
			p.frame("looked at"),
			command.Action{ID: d.CommissionID, Action: action},
		)
		if err != nil && !errors.Is(err, effect.ErrTransition) {
			t.Fatal(err)
		}
	}

	for range 1 + len(p.users)/50 {
		amount := 1 + p.random.IntN(20)
		if p.random.IntN(2) == 0 {
			amount = -amount
		}

		if _, err := p.adjust.Handle(t.Context(), p.frame("by hand"), command.Adjustment{
			UserID:   p.users[p.random.IntN(len(p.users))],
			Amount:   fmt.Sprint(amount),
			Currency: "EUR",
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// cheat has a partner sell something that is taken back in part and then rejected.
func (p *programme) cheat(t *testing.T) {
	t.Helper()

	p.events++
	sale := event.Snapshot{
		ID:         fmt.Sprintf("e%d", p.events),
		UserID:     p.users[p.random.IntN(len(p.users))],
		Type:       eventtype.Purchase,
		OccurredAt: p.now(),
		ReceivedAt: p.now(),
		CampaignID: "held",
		Amount:     "300",
		Currency:   "USD",
	}
	back := sale
	back.ID = "r" + sale.ID
	back.Type = eventtype.Refund
	back.OriginalID = sale.ID
	back.CampaignID = ""
	back.Amount = "100"
	p.decide(t, sale, back)

	d, err := p.store.Decision(t.Context(), query.Everything().Owner(), sale.ID)
	if err != nil {
		t.Fatal(err)
	}

	if _, err := p.act.Handle(
		t.Context(),
		p.frame("fraud"),
		command.Action{ID: d.CommissionID, Action: commission.Reject},
	); err != nil {
		t.Fatal(err)
	}
}

// ask has partners request payouts of a part of what they have, or of all of it.
func (p *programme) ask(t *testing.T) {
	t.Helper()

	for _, user := range p.users {
		if p.random.IntN(6) > 0 {
			continue
		}

		owner, err := query.Everything().OwnerOf(user)
		if err != nil {
			t.Fatal(err)
		}

		balances, err := p.store.Liabilities().Balances(t.Context(), owner)
		if err != nil {
			t.Fatal(err)
		}

		for _, b := range balances {
			var available int64
			if _, err := fmt.Sscan(b.Available.Minor(), &available); err != nil {
				t.Fatal(err)
			}

			if available <= 0 {
				continue
			}

			minor := available
			if p.random.IntN(2) == 0 {
				minor = 1 + p.random.Int64N(available)
			}

			made, err := p.request.Handle(t.Context(), payout.Wanted{
				ID:          p.newID(),
				UserID:      user,
				Amount:      money.FromMinor(minor, b.Currency),
				Method:      "paypal",
				Details:     `{}`,
				RequestedAt: p.now(),
			})
			if err != nil || made.Status != payout.Requested {
				t.Fatalf("%+v, %v", made, err)
			}

			p.open = append(p.open, made.ID)
			p.requested = append(p.requested, made.ID)
		}
	}
}

// closeSome completes some of the requested payouts; others fail, are cancelled or stay open, so
// that a partner has several at a time.
func (p *programme) closeSome(t *testing.T) {
	t.Helper()

	var left []string
	for _, id := range p.open {
		closing := command.Closing{ID: id, To: payout.Completed, ExternalReference: id[:8]}

		switch p.random.IntN(10) {
		case 0:
			closing = command.Closing{ID: id, To: payout.Cancelled}
		case 1, 2:
			closing = command.Closing{ID: id, To: payout.Failed, FailureCode: payout.AccountClosed}
		case 3, 4, 5, 6:
			left = append(left, id)
			continue
		}

		if _, err := p.close.Handle(t.Context(), p.frame("bank"), closing); err != nil {
			t.Fatal(err)
		}
	}

	p.open = left
}

// operateMany acts on what occurred in some hours in each currency, exactly as a dry run showed.
func (p *programme) operateMany(t *testing.T) {
	t.Helper()

	for i, action := range []commission.Action{
		commission.Approve,
		commission.Reject,
		commission.Hold,
		commission.Release,
	} {
		from := p.now().Add(-time.Duration(p.random.IntN(72)) * time.Hour)
		many := command.Bulk{
			Action: action,
			Caller: query.Everything(),
			Filter: query.CommissionFilter{
				Currency:     []string{"USD", "EUR", "JPY", ""}[i],
				OccurredFrom: from,
				OccurredTo:   from.Add(3 * time.Hour),
			},
		}
		request := p.frame("looked at together")

		shown, err := p.bulk.DryRun(t.Context(), request, many)
		if err != nil {
			t.Fatal(err)
		}

		done, err := p.bulk.Handle(t.Context(), request, many, shown.Token)
		if err != nil || done.Count != shown.Count {
			t.Fatalf("%+v, %v, shown %+v", done, err, shown)
		}

		p.together += done.Count
	}
}

// again replays the month by the rules as they are now.
func (p *programme) again(t *testing.T, from, to time.Time) {
	t.Helper()

	found, err := p.replay.Start(
		t.Context(),
		p.frame("new rate"),
		domain.Period{From: from.UTC(), To: to.UTC()},
		false,
	)
	if err != nil || found.Replay.Status != domain.Completed {
		t.Fatal(found.Replay, err)
	}
}
