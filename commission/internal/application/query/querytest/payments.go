package querytest

import (
	"fmt"
	"slices"
	"testing"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
)

// wantPayments checks what is paid of commissions and held, as "paid held" by commission. One that
// no payout holds is "0 0".
func (w World) wantPayments(
	t *testing.T,
	what string,
	owner query.Owner,
	want map[string]string,
) {
	t.Helper()

	var asked []string
	for commissionID := range want {
		asked = append(asked, commissionID)
	}

	found, err := w.Payment.Payments(t.Context(), owner, asked)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}

	for commissionID, text := range want {
		p := found[commissionID]
		if got := fmt.Sprint(p.Paid.Minor(), " ", p.Held.Minor()); got != text {
			t.Errorf("payments %s: of %s %q, want %q", what, commissionID, got, text)
		}

		delete(found, commissionID)
	}

	if len(found) > 0 {
		t.Errorf("payments %s: %+v", what, found)
	}
}

// wantShares checks which payouts pay a commission, which do not have the account details.
func (w World) wantShares(
	t *testing.T,
	what string,
	owner query.Owner,
	commissionID string,
	want ...string,
) {
	t.Helper()
	wantPages(t, "shares "+what, func(limit int, after *query.Share) ([]query.Share, error) {
		var position query.Position
		if after != nil {
			position = query.Position{At: after.Payout.CreatedAt, ID: after.Payout.ID}
		}

		return w.Payment.Shares(t.Context(), owner, commissionID, limit, position)
	}, func(s query.Share) string {
		return fmt.Sprint(s.Payout.ID, s.Payout.Details, " ", s.Payout.Status, " ", s.Amount.Minor())
	}, want...)
}

// wantItems checks what a payout pays: the commission, and how much of what it is.
func (w World) wantItems(t *testing.T, what string, owner query.Owner, n int, want ...string) {
	t.Helper()
	wantPages(t, "items "+what, func(limit int, after *query.Item) ([]query.Item, error) {
		var position query.ItemPosition
		if after != nil {
			position = after.Position
		}

		return w.Payment.Items(t.Context(), owner, id(n), limit, position)
	}, func(i query.Item) string {
		return fmt.Sprint(i.CommissionID, " ", i.Amount.Minor(), " of ", i.Whole.Minor())
	}, want...)
}

// paidOut has, for u, two credits of 10.00, a debit of 3.00, and payouts: 21 of 5.00 is completed,
// 22 of 1.00 is requested, 23 of 4.00 failed, 24 of 2.00 is requested, and 25 is rejected.
func (w World) paidOut(t *testing.T) {
	t.Helper()
	w.fund(t, 1, "u")
	w.fund(t, 2, "u")
	w.adjust(t, 3, "u", "-3.00")
	w.fund(t, 4, "v")
	w.give(t, id(5), noon(), command.Adjustment{UserID: "u", Amount: "7.00", Currency: "EUR"})

	w.ask(t, id(21), "u", 500, minute(1))
	w.close(t, minute(2), command.Closing{ID: id(21), To: payout.Completed})
	w.ask(t, id(22), "u", 100, minute(3))
	w.ask(t, id(23), "u", 400, minute(4))
	w.close(t, minute(5), command.Closing{ID: id(23), To: payout.Failed})
	w.ask(t, id(24), "u", 200, minute(6))
	w.ask(t, id(25), "u", 100_000, minute(7))
	w.ask(t, id(26), "v", 1000, minute(8))
}

func payments(t *testing.T, w World) {
	w.paidOut(t)

	nothing := map[string]string{
		id(1):  "0 0",
		id(2):  "0 0",
		id(3):  "0 0",
		id(4):  "0 0",
		id(5):  "0 0",
		id(99): "0 0", // unknown
	}

	want := map[string]string{
		id(1):  "800 200",
		id(2):  "0 100",
		id(3):  "-300 0",
		id(4):  "0 1000",
		id(5):  "0 0",
		id(99): "0 0",
	}
	w.wantPayments(t, "of all", everyone(), want)
	w.wantPayments(t, "of one", everyone(), map[string]string{id(2): "0 100"})
	w.wantPayments(t, "of none", everyone(), nil)
	w.wantPayments(t, "to nobody", only("nobody"), nothing)
	w.wantPayments(t, "to a stranger", query.Owner{}, nothing)

	want[id(4)] = "0 0"
	w.wantPayments(t, "to u", only("u"), want)
}

func shares(t *testing.T, w World) {
	w.paidOut(t)

	w.wantShares(
		t, "of a credit", everyone(), id(1),
		id(24)+" requested 100", id(23)+" failed 100", id(22)+" requested 100",
		id(21)+" completed 800",
	)
	w.wantShares(t, "of the next", only("u"), id(2), id(24)+" requested 100", id(23)+" failed 300")
	w.wantShares(t, "of a debit", only("u"), id(3), id(21)+" completed -300")
	w.wantShares(t, "in EUR", only("u"), id(5))
	w.wantShares(t, "of an unknown one", everyone(), id(99))
	w.wantShares(t, "to v", only("v"), id(1))
	w.wantShares(t, "to a stranger", query.Owner{}, id(1))
}

func items(t *testing.T, w World) {
	w.paidOut(t)

	w.wantItems(
		t, "of the first", everyone(), 21, id(1)+" 800 of 1000", id(3)+" -300 of -300",
	)
	w.wantItems(t, "of a failed one", only("u"), 23, id(1)+" 100 of 1000", id(2)+" 300 of 1000")
	w.wantItems(t, "of the last", only("u"), 24, id(1)+" 100 of 1000", id(2)+" 100 of 1000")
	w.wantItems(t, "of a rejected one", only("u"), 25)
	w.wantItems(t, "of an unknown one", everyone(), 99)
	w.wantItems(t, "to v", only("v"), 21)
	w.wantItems(t, "to a stranger", query.Owner{}, 21)
}

// Two payouts fail, and the next one takes what both had held of a commission.
func apart(t *testing.T, w World) {
	w.fund(t, 1, "u")

	for n := range 3 {
		w.request(t, 21+n, "u", minute(1+n))
	}

	w.fail(t, 21, minute(4))
	w.close(t, minute(5), command.Closing{ID: id(23), To: payout.Cancelled})
	w.ask(t, id(24), "u", 300, minute(6))

	w.wantItems(t, "of two parts", only("u"), 24, id(1)+" 100 of 1000", id(1)+" 200 of 1000")
	w.wantShares(
		t, "of two parts", only("u"), id(1),
		id(24)+" requested 300", id(23)+" cancelled 100", id(22)+" requested 100", id(21)+" failed 100",
	)
	w.wantPayments(t, "of two parts", only("u"), map[string]string{id(1): "0 400"})
}

// What a payout has up to the end of a commission is not a part of the next one.
func adjoining(t *testing.T, w World) {
	w.fund(t, 1, "u")
	w.fund(t, 2, "u")
	w.ask(t, id(21), "u", 1000, minute(1))
	w.ask(t, id(22), "u", 1000, minute(2))
	w.wantShares(t, "of the first", only("u"), id(1), id(21)+" requested 1000")
	w.wantShares(t, "of the second", only("u"), id(2), id(22)+" requested 1000")

	w.fail(t, 21, minute(3))
	w.fail(t, 22, minute(3))
	w.wantShares(t, "of the first, released", only("u"), id(1), id(21)+" failed 1000")
	w.wantShares(t, "of the second, released", only("u"), id(2), id(22)+" failed 1000")
	w.wantItems(t, "of the first, released", only("u"), 21, id(1)+" 1000 of 1000")
	w.wantItems(t, "of the second, released", only("u"), 22, id(2)+" 1000 of 1000")
}

// Items come in the order in which commissions became available, not in that of their ids.
func itemsInOrder(t *testing.T, w World) {
	bought := sale("e1", "u", minute(1))
	bought.CampaignID = "c"
	bought.OrderID = "o"
	earned := w.decide(t, bought)
	later := idAt(minute(2), 98)
	w.give(t, later, minute(2), command.Adjustment{UserID: "u", Amount: "1.00", Currency: "USD"})
	w.act(t, earned.ID, commission.Approve, minute(3))
	back := w.decide(t, refund("e2", bought, "20.00", minute(4)))
	w.ask(t, id(21), "u", 900, minute(5))

	w.wantItems(
		t, "in order", only("u"), 21,
		later+" 100 of 100", earned.ID+" 1000 of 1000", back.ID+" -200 of -200",
	)

	found, err := w.Payment.Items(t.Context(), only("u"), id(21), 10, query.ItemPosition{})
	if err != nil {
		t.Fatal(err)
	}

	var got []string
	for _, i := range found {
		got = append(got, fmt.Sprint(
			i.Kind, " ", i.EventID, " ", i.OrderID, " ", i.CampaignID, " ", i.OccurredAt.Minute(),
		))
	}

	if want := []string{
		"adjustment    2", "earning e1 o c 1", "clawback e2  c 4",
	}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
