package querytest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// World is the read ports over one empty store, and the repositories that write it.
type World struct {
	commandtest.World

	Reader      CommonReader
	Payout      query.PayoutReader
	Batch       query.BatchReader
	Balance     query.BalanceReader
	Liability   query.LiabilityReader
	Payment     query.PaymentReader
	Coverage    query.CoverageReader
	Statement   query.StatementReader
	Explanation query.ExplanationReader

	// Decide stores the decision about an event at the time at which it was received, with the
	// commission: a tenth of what is bought, pending for ten years, or the clawback of a tenth of
	// what is refunded. Ids are those of IDs.
	Decide func(t *testing.T, e event.Snapshot)
	// Replay publishes a rule by which purchases earn two tenths, and stores what a replay of the
	// events corrects by it at the time.
	Replay func(t *testing.T, at time.Time)
}

// CommonReader is the read ports that have no repository of their own.
type CommonReader interface {
	query.CommissionReader
	query.DecisionReader
	query.AuditReader
	query.LedgerReader
	query.SummaryReader
}

// IDs returns a source of ids in the order of the times, as UUIDv7 are.
func IDs(now func() time.Time) func() string {
	var made atomic.Int64

	return func() string { return idAt(now(), made.Add(1)) }
}

// idAt returns the n-th id that is made at the time.
func idAt(at time.Time, n int64) string {
	milliseconds := fmt.Sprintf("%012x", at.UnixMilli())

	return fmt.Sprintf("%s-%s-7f60-8a7b-%012d", milliseconds[:8], milliseconds[8:], n)
}

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// minute returns the n-th minute after noon.
func minute(n int) time.Time { return noon().Add(time.Duration(n) * time.Minute) }

// id returns the n-th id.
func id(n int) string { return fmt.Sprintf("019ab2c3-4d5e-7f60-8a7b-%012d", n) }

func by(actor string, at time.Time) change.Request {
	return change.Request{
		Actor:     actor,
		RequestID: "request",
		Reason:    "checked",
		Now:       at,
	}
}

func everyone() query.Owner { return query.Everything().Owner() }

func only(user string) query.Owner { return query.OneUser(user).Owner() }

// fund gives the user 10.00 USD, at noon.
func (w World) fund(t *testing.T, n int, user string) {
	t.Helper()
	w.adjust(t, n, user, "10.00")
}

func (w World) adjust(t *testing.T, n int, user, amount string) {
	t.Helper()
	w.give(t, id(n), noon(), command.Adjustment{UserID: user, Amount: amount, Currency: "USD"})
}

// give adjusts a balance at the time.
func (w World) give(t *testing.T, id string, at time.Time, wanted command.Adjustment) {
	t.Helper()

	adjust := command.NewAdjust(w.Commissions, func() string { return id }, nil)
	if _, err := adjust.Handle(t.Context(), by("operator", at), wanted); err != nil {
		t.Fatal(err)
	}
}

// request creates the n-th payout, of 1.00, at the time.
func (w World) request(t *testing.T, n int, user string, at time.Time) {
	t.Helper()
	w.ask(t, id(n), user, 100, at)
}

// ask creates a payout of the minor units of USD at the time.
func (w World) ask(t *testing.T, id, user string, minor int64, at time.Time) {
	t.Helper()

	request := command.NewRequestPayout(w.Payouts, nil, func() time.Time { return at })
	if _, err := request.Handle(t.Context(), payout.Wanted{
		ID:          id,
		UserID:      user,
		Amount:      money.FromMinor(minor, money.USD()),
		Method:      "paypal",
		Details:     `{"email":"u@example.com"}`,
		RequestedAt: at,
	}); err != nil {
		t.Fatal(err)
	}
}

// fail fails the n-th payout at the time.
func (w World) fail(t *testing.T, n int, at time.Time) {
	t.Helper()
	w.close(t, at, command.Closing{ID: id(n), To: payout.Failed})
}

// close ends a payout at the time.
func (w World) close(t *testing.T, at time.Time, closing command.Closing) {
	t.Helper()

	if _, err := command.NewClosePayout(w.Payouts).Handle(
		t.Context(), by("operator", at), closing,
	); err != nil {
		t.Fatal(err)
	}
}

// hold holds the commission at the time.
func (w World) hold(t *testing.T, commissionID string, at time.Time) {
	t.Helper()
	w.act(t, commissionID, commission.Hold, at)
}

// act performs the action on the commission at the time.
func (w World) act(t *testing.T, id string, action commission.Action, at time.Time) {
	t.Helper()

	if _, err := command.NewActOnCommission(w.Commissions).Handle(
		t.Context(), by("operator", at), command.Action{ID: id, Action: action},
	); err != nil {
		t.Fatal(err)
	}
}

// sale is a purchase of 100.00 USD by the user at the time.
func sale(eventID, user string, at time.Time) event.Snapshot {
	return event.Snapshot{
		ID:         eventID,
		UserID:     user,
		Type:       eventtype.Purchase,
		OccurredAt: at,
		ReceivedAt: at,
		Amount:     "100.00",
		Currency:   "USD",
	}
}

// refund is a refund of the amount of the sale at the time.
func refund(eventID string, of event.Snapshot, amount string, at time.Time) event.Snapshot {
	return event.Snapshot{
		ID:         eventID,
		UserID:     of.UserID,
		Type:       eventtype.Refund,
		OccurredAt: at,
		ReceivedAt: at,
		OriginalID: of.ID,
		Amount:     amount,
		Currency:   of.Currency,
	}
}

// decide decides events, each when it was received, and returns the commission of the last one.
func (w World) decide(t *testing.T, events ...event.Snapshot) commission.Snapshot {
	t.Helper()

	for _, e := range events {
		w.Decide(t, e)
	}

	last := events[len(events)-1].ID

	found, err := w.Reader.Decision(t.Context(), everyone(), last)
	if err != nil {
		t.Fatalf("decision of %s: %v", last, err)
	}

	c, err := w.Reader.Commission(t.Context(), everyone(), found.CommissionID)
	if err != nil {
		t.Fatalf("commission of %s: %v", last, err)
	}

	return c
}

func ids(numbers []int) []string {
	var list []string
	for _, n := range numbers {
		list = append(list, id(n))
	}

	return list
}

// earned earns e1 to e5 for u and v in turn.
func (w World) earned(t *testing.T) (made []commission.Snapshot) {
	t.Helper()

	for n, user := range []string{"u", "v", "u", "v", "u"} {
		made = append(made, w.Earn(t, user, fmt.Sprint("e", 1+n)))
	}

	return made
}

// asked requests payouts 21 to 25 of u and v in turn, the last two at the same time.
func (w World) asked(t *testing.T) {
	t.Helper()
	w.fund(t, 1, "u")
	w.fund(t, 2, "v")

	for n, user := range []string{"u", "v", "u", "v", "u"} {
		w.request(t, 21+n, user, minute(10-min(n, 3))) // the first one is the newest
	}
}
