package querytest

import (
	"fmt"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// World is the read ports over one empty store, and the repositories that write it.
type World struct {
	commandtest.World

	Reader  CommonReader
	Payout  query.PayoutReader
	Batch   query.BatchReader
	Balance query.BalanceReader
}

// CommonReader is the read ports that have no repository of their own.
type CommonReader interface {
	query.CommissionReader
	query.DecisionReader
	query.AuditReader
	query.LedgerReader
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

	adjust := command.NewAdjust(w.Commissions, func() string { return id(n) }, nil)
	if _, err := adjust.Handle(
		t.Context(),
		by("operator", noon()),
		command.Adjustment{UserID: user, Amount: amount, Currency: "USD"},
	); err != nil {
		t.Fatal(err)
	}
}

// request creates the n-th payout, of 1.00, at the time.
func (w World) request(t *testing.T, n int, user string, at time.Time) {
	t.Helper()

	request := command.NewRequestPayout(w.Payouts, nil, func() time.Time { return at })
	if _, err := request.Handle(t.Context(), payout.Wanted{
		ID:          id(n),
		UserID:      user,
		Amount:      money.FromMinor(100, money.USD()),
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

	if _, err := command.NewClosePayout(w.Payouts).Handle(
		t.Context(),
		by("operator", at),
		command.Closing{ID: id(n), To: payout.Failed},
	); err != nil {
		t.Fatal(err)
	}
}

// hold holds the commission at the time.
func (w World) hold(t *testing.T, commissionID string, at time.Time) {
	t.Helper()

	if _, err := command.NewActOnCommission(w.Commissions).Handle(
		t.Context(),
		by("operator", at),
		command.Action{ID: commissionID, Action: commission.Hold},
	); err != nil {
		t.Fatal(err)
	}
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
