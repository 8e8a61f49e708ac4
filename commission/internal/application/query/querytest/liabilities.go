package querytest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// wantLiabilities checks what is owed: users, pending, available, in payouts, paid and overdrawn.
func (w World) wantLiabilities(
	t *testing.T,
	what, currency string,
	asOf time.Time,
	want ...string,
) {
	t.Helper()

	found, err := w.Liability.Liabilities(t.Context(), currency, asOf)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}

	var got []string
	for _, l := range found {
		got = append(got, fmt.Sprint(
			l.Currency, " ", l.Users, " ", l.Pending.Minor(), " ", l.Available.Minor(), " ",
			l.InPayout.Minor(), " ", l.Paid.Minor(), " ", l.Overdrawn.Minor(),
		))
	}

	if !slices.Equal(got, want) {
		t.Errorf("liabilities %s: %q, want %q", what, got, want)
	}
}

// wantAges checks what is pending: bucket, count and sum.
func (w World) wantAges(t *testing.T, what, currency string, now time.Time, want ...string) {
	t.Helper()

	found, err := w.Liability.Ageing(t.Context(), currency, now)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}

	var got []string
	for _, a := range found {
		got = append(got, fmt.Sprint(a.Currency, " ", a.Bucket, " ", a.Count, " ", a.Amount.Minor()))
	}

	if !slices.Equal(got, want) {
		t.Errorf("ages %s: %q, want %q", what, got, want)
	}
}

func liabilities(t *testing.T, w World) {
	w.fund(t, 1, "u")
	w.fund(t, 2, "v")
	w.decide(t, sale("e1", "w", minute(1)))

	other := sale("e2", "w", minute(2))
	other.Currency = "EUR"
	w.decide(t, other)
	w.ask(t, id(21), "u", 300, minute(3))
	w.ask(t, id(22), "v", 200, minute(4))
	w.close(t, minute(5), command.Closing{ID: id(21), To: payout.Completed})
	w.give(
		t, id(3), minute(6),
		command.Adjustment{UserID: "v", Amount: "-15.00", Currency: "USD"},
	)

	now := time.Time{}
	w.wantLiabilities(t, "now", "", now, "EUR 1 1000 0 0 0 0", "USD 3 1000 0 200 300 -700")
	w.wantLiabilities(t, "in USD", "USD", now, "USD 3 1000 0 200 300 -700")
	w.wantLiabilities(t, "in JPY", "JPY", now)

	for at, want := range map[time.Time]string{
		noon():    "USD 3 0 0 0 0 0", // what is posted at the moment does not count
		minute(1): "USD 3 0 2000 0 0 0",
		minute(3): "USD 3 1000 2000 0 0 0",
		minute(5): "USD 3 1000 1500 500 0 0",
		minute(6): "USD 3 1000 1500 200 300 0",
		minute(7): "USD 3 1000 0 200 300 -700",
	} {
		w.wantLiabilities(t, "as of "+at.Format(time.TimeOnly), "USD", at, want)
	}

	w.wantLiabilities(t, "as of before", "", noon(), "EUR 1 0 0 0 0 0", "USD 3 0 0 0 0 0")
}

func ages(t *testing.T, w World) {
	const day = 24 * time.Hour

	first := sale("e1", "u", minute(1))
	end := w.decide(t, first).AvailableAt
	w.decide(t, refund("e2", first, "40.00", minute(2)))

	for wait, bucket := range map[time.Duration]string{
		0:                         "due",
		time.Microsecond:          "within_7_days",
		7 * day:                   "within_7_days",
		7*day + time.Microsecond:  "within_30_days",
		30 * day:                  "within_30_days",
		30*day + time.Microsecond: "within_60_days",
		60 * day:                  "within_60_days",
		60*day + time.Microsecond: "within_90_days",
		90 * day:                  "within_90_days",
		90*day + time.Microsecond: "later",
	} {
		w.wantAges(t, wait.String()+" before the end", "", end.Add(-wait), "USD "+bucket+" 2 600")
	}
}

func waiting(t *testing.T, w World) {
	held := sale("e1", "u", minute(1))
	earned := w.decide(t, held)
	w.decide(t, refund("e2", held, "40.00", minute(2)))
	w.hold(t, earned.ID, minute(3))

	other := sale("e3", "v", minute(3))
	other.Currency = "EUR"
	later := w.decide(t, other).AvailableAt

	for eventID, action := range map[string]commission.Action{
		"e4": commission.Approve,
		"e5": commission.Reject,
	} {
		w.act(t, w.decide(t, sale(eventID, "v", minute(4))).ID, action, minute(5))
	}

	limit, err := money.ParseRate("5")
	if err != nil {
		t.Fatal(err)
	}

	adjust := command.NewAdjust(w.Commissions, func() string { return id(1) }, &limit)
	if _, err := adjust.Handle(t.Context(), by("operator", minute(6)), command.Adjustment{
		UserID:   "u",
		Amount:   "-5.50",
		Currency: "USD",
	}); err != nil {
		t.Fatal(err)
	}

	const usd = "USD held 2 600"

	w.wantAges(t, "of all", "", minute(7), "EUR later 1 1000", usd, "USD approval 1 -550")
	w.wantAges(t, "at the end", "", later, "EUR due 1 1000", usd, "USD approval 1 -550")
	w.wantAges(t, "in EUR", "EUR", minute(7), "EUR later 1 1000")
	w.wantAges(t, "in JPY", "JPY", minute(7))
}
