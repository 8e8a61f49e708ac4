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

// period goes from a minute to another, and its statement until one between.
func period(from, until, to int) query.Period {
	return query.Period{From: minute(from), Until: minute(until), To: minute(to)}
}

// wantAccounts checks the sums of a statement: opening, earned, clawed back, adjusted, rejected,
// paid and closing.
func (w World) wantAccounts(
	t *testing.T,
	what string,
	owner query.Owner,
	period query.Period,
	want ...string,
) {
	t.Helper()

	found, err := w.Statement.Accounts(t.Context(), owner, period)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}

	var got []string

	for _, a := range found {
		text := a.Currency.String() + " " + a.Opening.Minor()

		for _, entry := range []query.Entry{
			query.Earned, query.ClawedBack, query.Adjusted, query.Refused, query.PaidOut,
		} {
			text += " " + a.Lines[entry].Minor()
		}

		got = append(got, text+" "+a.Closing.Minor())
	}

	if !slices.Equal(got, want) {
		t.Errorf("accounts %s: %q, want %q", what, got, want)
	}
}

// wantLines checks the lines of a statement: the entry, what it is about, when it was, and its
// amount.
func (w World) wantLines(
	t *testing.T,
	what string,
	owner query.Owner,
	period query.Period,
	want ...string,
) {
	t.Helper()
	wantPages(t, "lines "+what, func(limit int, after *query.Line) ([]query.Line, error) {
		var position query.LinePosition
		if after != nil {
			position = after.Position
		}

		return w.Statement.Lines(t.Context(), owner, period, limit, position)
	}, func(l query.Line) string {
		return fmt.Sprint(
			l.Entry, " ", l.EventID, l.OrderID, l.CampaignID, l.Reference, " ", l.At.Minute(), " ",
			l.Amount,
		)
	}, want...)
}

// history has, for u, an earning at minute 9, what the test of lines lists, and a payout that
// failed.
func (w World) history(t *testing.T) {
	t.Helper()

	before := sale("e1", "u", minute(9))
	before.OrderID = "-o"
	before.CampaignID = "-c"

	first := w.decide(t, before)
	w.decide(t, sale("e2", "u", minute(10)))
	w.decide(t, refund("e3", before, "20.00", minute(11)))

	refused := sale("e4", "u", minute(12))
	last := w.decide(t, refused)
	w.decide(t, refund("e5", refused, "30.00", minute(13)))
	w.give(
		t, idAt(minute(14), 98), minute(14),
		command.Adjustment{UserID: "u", Amount: "9.00", Currency: "USD"},
	)
	w.give(
		t, idAt(minute(15), 99), minute(15),
		command.Adjustment{UserID: "u", Amount: "-4.00", Currency: "EUR"},
	)
	w.act(t, last.ID, commission.Reject, minute(16))
	w.decide(t, sale("e6", "v", minute(16)))
	w.ask(t, id(21), "u", 100, minute(16))
	w.ask(t, id(22), "u", 200, minute(16))
	w.ask(t, id(23), "u", 300, minute(16))
	w.close(t, minute(17), command.Closing{ID: id(23), To: payout.Failed})
	w.close(t, minute(18), command.Closing{
		ID:                id(21),
		To:                payout.Completed,
		ExternalReference: "paid",
	})
	w.act(t, first.ID, commission.Reject, minute(19))
	w.close(t, minute(20), command.Closing{ID: id(22), To: payout.Completed})
	w.decide(t, sale("e7", "u", minute(20)))
}

func statements(t *testing.T, w World) {
	w.history(t)

	const eur = "EUR 0 0 0 -400 0 0 -400"

	for name, c := range map[string]struct {
		owner  query.Owner
		period query.Period
		want   []string
	}{
		"of u": {
			only("u"),
			period(10, 20, 20),
			[]string{eur, "USD 1000 2000 -500 900 -1500 -100 1800"},
		},
		"of u, then": {
			only("u"),
			period(20, 30, 30),
			[]string{"EUR -400 0 0 0 0 0 -400", "USD 1800 1000 0 0 0 -200 2600"},
		},
		"of u, until 18": {
			only("u"),
			period(10, 18, 20),
			[]string{eur, "USD 1000 2000 -500 900 -700 0 2700"},
		},
		"of u, before all": {
			only("u"),
			period(1, 9, 9),
			[]string{"EUR 0 0 0 0 0 0 0", "USD 0 0 0 0 0 0 0"},
		},
		"of v":          {only("v"), period(10, 20, 20), []string{"USD 0 1000 0 0 0 0 1000"}},
		"of nobody":     {only("nobody"), period(10, 20, 20), nil},
		"of a stranger": {query.Owner{}, period(10, 20, 20), nil},
		"of everyone":   {everyone(), period(10, 20, 20), nil},
	} {
		w.wantAccounts(t, name, c.owner, c.period, c.want...)
	}
}

func lines(t *testing.T, w World) {
	w.history(t)

	made := []string{
		"earned e2 10 10.00",
		"clawed_back e3-c 11 -2.00",
		"earned e4 12 10.00",
		"clawed_back e5 13 -3.00",
		"adjusted  14 9.00",
		"adjusted  15 -4.00",
	}
	refused := []string{"rejected e4 16 -10.00", "rejected e5 16 3.00"}
	last := []string{
		"rejected e1-o-c 19 -10.00",
		"rejected e3-c 19 2.00",
		"rejected e4 16 -10.00",
		"rejected e5 16 3.00",
		"paid paid 18 -1.00",
	}

	w.wantLines(t, "of u", only("u"), period(10, 20, 20), slices.Concat(made, last)...)
	w.wantLines(t, "of u, until 18", only("u"), period(10, 18, 20), slices.Concat(made, refused)...)
	w.wantLines(
		t, "of u, then", only("u"), period(20, 30, 30), "earned e7 20 10.00", "paid  20 -2.00",
	)
	w.wantLines(t, "of u, before all", only("u"), period(1, 9, 9))
	w.wantLines(t, "of v", only("v"), period(10, 20, 20), "earned e6 16 10.00")
	w.wantLines(t, "of a stranger", query.Owner{}, period(10, 20, 20))
	w.wantLines(t, "of everyone", everyone(), period(10, 20, 20))

	found, err := w.Statement.Lines(
		t.Context(), only("u"), period(20, 30, 30), 10, query.LinePosition{},
	)
	if err != nil || len(found) != 2 || found[0].CommissionID == "" || found[0].PayoutID != "" ||
		found[1].CommissionID != "" || found[1].PayoutID != id(22) {
		t.Errorf("%+v, %v", found, err)
	}
}
