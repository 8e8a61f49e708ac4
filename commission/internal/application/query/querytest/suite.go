package querytest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/ledger"
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

// Suite tests the contracts of the read ports. open returns an empty world.
func Suite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"an empty store has nothing":      nothing,
		"commissions, newest first":       commissions,
		"commissions by their change":     changedCommissions,
		"payouts, newest first":           payouts,
		"payouts by their change":         changedPayouts,
		"batches, newest first":           batches,
		"the audit, newest first":         audit,
		"the ledger, newest first":        transfers,
		"balances by user and currency":   balanced,
		"a decision is its owner's":       decisions,
		"the zero owner sees nothing":     strangers,
		"rows of others are not found":    foreign,
		"a row may be added while paging": growing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
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

// wantPages reads a list to its end, two rows at a time, and checks the names of its rows.
func wantPages[T any](
	t *testing.T,
	what string,
	read func(limit int, after *T) ([]T, error),
	name func(T) string,
	want ...string,
) {
	t.Helper()

	const limit = 2

	var (
		got  []string
		last *T
	)

	for range len(want) + limit {
		page, err := read(limit, last)
		if err != nil || len(page) > limit {
			t.Fatalf("%s: %d rows, %v", what, len(page), err)
		}

		if len(page) == 0 {
			break
		}

		for _, row := range page {
			got = append(got, name(row))
		}

		last = &page[len(page)-1]
	}

	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

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

// wantCommissions checks which events have the commissions of a list.
func (w World) wantCommissions(
	t *testing.T,
	what string,
	owner query.Owner,
	filter query.CommissionFilter,
	want ...string,
) {
	t.Helper()
	wantPages(t, "commissions "+what, func(
		limit int,
		after *commission.Snapshot,
	) ([]commission.Snapshot, error) {
		slice := query.Slice{Limit: limit}
		if after != nil {
			slice.After = after.ID
			slice.UpdatedAt = after.UpdatedAt
		}

		return w.Reader.List(t.Context(), owner, filter, slice)
	}, func(c commission.Snapshot) string { return c.EventID }, want...)
}

// wantPayouts checks a list of payouts, which does not have the account details.
func (w World) wantPayouts(
	t *testing.T,
	what string,
	owner query.Owner,
	filter query.PayoutFilter,
	want ...int,
) {
	t.Helper()
	wantPages(t, "payouts "+what, func(limit int, after *payout.Snapshot) ([]payout.Snapshot, error) {
		var position query.Position
		if after != nil {
			position = filter.Position(*after)
		}

		return w.Payout.Payouts(t.Context(), owner, filter, limit, position)
	}, func(p payout.Snapshot) string { return p.ID + p.Details }, ids(want)...)
}

func ids(numbers []int) []string {
	var list []string
	for _, n := range numbers {
		list = append(list, id(n))
	}

	return list
}

func (w World) wantBatches(t *testing.T, what string, filter query.BatchFilter, want ...int) {
	t.Helper()
	wantPages(t, "batches "+what, func(limit int, after *batch.Snapshot) ([]batch.Snapshot, error) {
		var position query.Position
		if after != nil {
			position = query.Position{At: after.MadeAt, ID: after.ID}
		}

		return w.Batch.Batches(t.Context(), filter, limit, position)
	}, func(b batch.Snapshot) string { return b.ID }, ids(want)...)
}

func (w World) wantAudit(t *testing.T, what string, filter query.AuditFilter, want ...string) {
	t.Helper()
	wantPages(t, "audit "+what, func(limit int, after *query.AuditRow) ([]query.AuditRow, error) {
		var position query.Position
		if after != nil {
			position = query.Position{At: after.At, ID: after.ID}
		}

		return w.Reader.Audit(t.Context(), filter, limit, position)
	}, func(r query.AuditRow) string { return r.Action + " by " + r.Actor }, want...)
}

func (w World) wantTransfers(
	t *testing.T,
	what string,
	owner query.Owner,
	filter query.LedgerFilter,
	want ...string,
) {
	t.Helper()
	wantPages(t, "ledger "+what, func(limit int, after *query.Transfer) ([]query.Transfer, error) {
		var position query.Position
		if after != nil {
			position = query.Position{At: after.At, ID: after.ID}
		}

		return w.Reader.Transfers(t.Context(), owner, filter, limit, position)
	}, func(r query.Transfer) string {
		return fmt.Sprint(r.UserID, " ", r.From, " ", r.To, " ", r.Amount)
	}, want...)
}

func (w World) wantBalances(
	t *testing.T,
	what string,
	owner query.Owner,
	filter query.BalanceFilter,
	want ...string,
) {
	t.Helper()
	wantPages(t, "balances "+what, func(limit int, after *ledger.Balance) ([]ledger.Balance, error) {
		var position query.BalancePosition
		if after != nil {
			position = query.BalancePosition{UserID: after.UserID, Currency: after.Currency.String()}
		}

		return w.Balance.ListBalances(t.Context(), owner, filter, limit, position)
	}, textOf, want...)
}

func textOf(b ledger.Balance) string {
	return fmt.Sprint(
		b.UserID, " ", b.Currency, " ", b.Pending.Minor(), " ", b.Available.Minor(), " ",
		b.InPayout.Minor(), " ", b.Paid.Minor(),
	)
}

func nothing(t *testing.T, w World) {
	w.wantCommissions(t, "of nothing", everyone(), query.CommissionFilter{})
	w.wantPayouts(t, "of nothing", everyone(), query.PayoutFilter{})
	w.wantBatches(t, "of nothing", query.BatchFilter{})
	w.wantAudit(t, "of nothing", query.AuditFilter{})
	w.wantTransfers(t, "of nothing", everyone(), query.LedgerFilter{})
	w.wantBalances(t, "of nothing", everyone(), query.BalanceFilter{})

	if found, err := w.Balance.Balances(t.Context(), only("u")); len(found) > 0 || err != nil {
		t.Errorf("balances of u: %+v, %v", found, err)
	}
}

// earned earns e1 to e5 for u and v in turn.
func (w World) earned(t *testing.T) (made []commission.Snapshot) {
	t.Helper()

	for n, user := range []string{"u", "v", "u", "v", "u"} {
		made = append(made, w.Earn(t, user, fmt.Sprint("e", 1+n)))
	}

	return made
}

func commissions(t *testing.T, w World) {
	made := w.earned(t)
	w.hold(t, made[2].ID, minute(1))

	all := query.CommissionFilter{}
	w.wantCommissions(t, "of all", everyone(), all, "e5", "e4", "e3", "e2", "e1")
	w.wantCommissions(t, "of u", only("u"), all, "e5", "e3", "e1")
	w.wantCommissions(t, "of v", only("v"), all, "e4", "e2")
	w.wantCommissions(t, "of nobody", only("nobody"), all)

	for name, c := range map[string]struct {
		filter query.CommissionFilter
		want   []string
	}{
		"that are held":     {query.CommissionFilter{Status: "held"}, []string{"e3"}},
		"that are pending":  {query.CommissionFilter{Status: "pending"}, []string{"e5", "e1"}},
		"of purchases":      {query.CommissionFilter{EventType: "purchase"}, []string{"e5", "e3", "e1"}},
		"of sales":          {query.CommissionFilter{EventType: "sale"}, nil},
		"that are earnings": {query.CommissionFilter{Kind: "earning"}, []string{"e5", "e3", "e1"}},
		"clawbacks":         {query.CommissionFilter{Kind: "clawback"}, nil},
		"in USD":            {query.CommissionFilter{Currency: "USD"}, []string{"e5", "e3", "e1"}},
		"in EUR":            {query.CommissionFilter{Currency: "EUR"}, nil},
		"of a campaign":     {query.CommissionFilter{CampaignID: "c"}, nil},
		"of a product":      {query.CommissionFilter{ProductID: "p"}, nil},
		"of an order":       {query.CommissionFilter{OrderID: "o"}, nil},
		"that occur later":  {query.CommissionFilter{OccurredFrom: minute(1)}, nil},
		"that are older":    {query.CommissionFilter{CreatedTo: noon()}, nil},
		"that are as old":   {query.CommissionFilter{CreatedFrom: noon()}, []string{"e5", "e3", "e1"}},
	} {
		w.wantCommissions(t, name, only("u"), c.filter, c.want...)
	}
}

func changedCommissions(t *testing.T, w World) {
	made := w.earned(t)
	w.hold(t, made[0].ID, minute(2))
	w.hold(t, made[1].ID, minute(1))

	changed := query.CommissionFilter{Updated: query.Updated{From: noon()}}
	w.wantCommissions(t, "by change", everyone(), changed, "e3", "e4", "e5", "e2", "e1")
	w.wantCommissions(t, "of u by change", only("u"), changed, "e3", "e5", "e1")

	changed.Updated = query.Updated{From: minute(1), To: minute(2)}
	w.wantCommissions(t, "of a minute", everyone(), changed, "e2")
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

func payouts(t *testing.T, w World) {
	w.asked(t)
	w.fail(t, 23, minute(20))

	all := query.PayoutFilter{}
	w.wantPayouts(t, "of all", everyone(), all, 21, 22, 23, 25, 24)
	w.wantPayouts(t, "of u", only("u"), all, 21, 23, 25)
	w.wantPayouts(t, "of v", only("v"), all, 22, 24)
	w.wantPayouts(t, "of nobody", only("nobody"), all)
	w.wantPayouts(t, "that failed", everyone(), query.PayoutFilter{Status: "failed"}, 23)
	w.wantPayouts(t, "of a batch", everyone(), query.PayoutFilter{BatchID: id(99)})
	w.wantPayouts(
		t,
		"of two minutes",
		everyone(),
		query.PayoutFilter{CreatedFrom: minute(8), CreatedTo: minute(10)},
		22,
		23,
	)

	found, err := w.Payout.Payout(t.Context(), only("u"), id(21))
	if err != nil || found.UserID != "u" || found.Details == "" ||
		!found.CreatedAt.Equal(minute(10)) || found.Amount.Minor() != 100 {
		t.Errorf("%+v, %v", found, err)
	}
}

func changedPayouts(t *testing.T, w World) {
	w.asked(t)
	w.fail(t, 24, minute(20))

	changed := query.PayoutFilter{Updated: query.Updated{From: noon()}}
	w.wantPayouts(t, "by change", everyone(), changed, 25, 23, 22, 21, 24)

	changed.Updated = query.Updated{From: minute(9), To: minute(20)}
	w.wantPayouts(t, "of u, by change", only("u"), changed, 21)
}

func batches(t *testing.T, w World) {
	w.asked(t)

	for n, at := range []int{30, 32, 31, 31} {
		create := command.NewCreateBatch(w.Batches, func() string { return id(51 + n) }, false)
		if _, err := create.Handle(t.Context(), by("maker", minute(at)), batch.Wanted{
			Currency: money.USD(),
			Method:   "paypal",
			Cutoff:   minute(30),
			Limit:    1,
		}); err != nil {
			t.Fatal(err)
		}
	}

	if _, err := command.NewApproveBatch(w.Batches, false).Handle(
		t.Context(), by("second", minute(40)), command.BatchAction{ID: id(53)},
	); err != nil {
		t.Fatal(err)
	}

	w.wantBatches(t, "of all", query.BatchFilter{}, 52, 54, 53, 51)
	w.wantBatches(t, "that are approved", query.BatchFilter{Status: "approved"}, 53)
	w.wantBatches(
		t, "of a minute", query.BatchFilter{CreatedFrom: minute(31), CreatedTo: minute(32)}, 54, 53,
	)

	w.wantPayouts(t, "of a batch", everyone(), query.PayoutFilter{BatchID: id(51)}, 24)
	w.wantPayouts(t, "of u, of a batch", only("u"), query.PayoutFilter{BatchID: id(51)})

	found, err := w.Batch.Batch(t.Context(), id(53))
	if err != nil || found.Status != batch.Approved || found.Count != 1 || found.MadeBy != "maker" ||
		found.ApprovedBy != "second" {
		t.Errorf("%+v, %v", found, err)
	}

	for _, unknown := range []string{id(99), "x", ""} {
		if _, err := w.Batch.Batch(t.Context(), unknown); !errors.Is(err, batch.ErrNotFound) {
			t.Errorf("batch %q: %v", unknown, err)
		}
	}
}

func audit(t *testing.T, w World) {
	for _, c := range []struct {
		at            int
		actor, action string
	}{
		{2, "a", "open"}, {1, "b", "open"}, {3, "a", "close"}, {1, "a", "close"}, {3, "b", "open"},
	} {
		if err := w.Journal.Note(t.Context(), by(c.actor, minute(c.at)), change.Record{
			Action:      c.action,
			SubjectType: "payout",
			SubjectID:   c.actor + "'s",
		}, nil); err != nil {
			t.Fatal(err)
		}
	}

	w.wantAudit(
		t,
		"of all",
		query.AuditFilter{},
		"open by b", "close by a", "open by a", "close by a", "open by b",
	)

	for name, c := range map[string]struct {
		filter query.AuditFilter
		want   []string
	}{
		"of b":           {query.AuditFilter{Actor: "b"}, []string{"open by b", "open by b"}},
		"of an action":   {query.AuditFilter{Action: "close"}, []string{"close by a", "close by a"}},
		"of a subject":   {query.AuditFilter{SubjectID: "b's"}, []string{"open by b", "open by b"}},
		"of rules":       {query.AuditFilter{SubjectType: "rule"}, nil},
		"of one minute":  {query.AuditFilter{From: minute(2), To: minute(3)}, []string{"open by a"}},
		"of both at one": {query.AuditFilter{To: minute(2)}, []string{"close by a", "open by b"}},
	} {
		w.wantAudit(t, name, c.filter, c.want...)
	}
}

func transfers(t *testing.T, w World) {
	w.asked(t)
	w.fail(t, 23, minute(20))

	const (
		given    = " programme available 10.00"
		paid     = " available in_payout 1.00"
		returned = " in_payout available 1.00"
	)

	all := query.LedgerFilter{}
	w.wantTransfers(
		t, "of all", everyone(), all,
		"u"+returned, "u"+paid, "v"+paid, "u"+paid, "u"+paid, "v"+paid, "v"+given, "u"+given,
	)
	w.wantTransfers(t, "of v", only("v"), all, "v"+paid, "v"+paid, "v"+given)
	w.wantTransfers(t, "of nobody", only("nobody"), all)

	for name, c := range map[string]struct {
		filter query.LedgerFilter
		want   []string
	}{
		"of a payout":     {query.LedgerFilter{PayoutID: id(23)}, []string{"u" + returned, "u" + paid}},
		"of a commission": {query.LedgerFilter{CommissionID: id(2)}, []string{"v" + given}},
		"of an account":   {query.LedgerFilter{Account: "programme"}, []string{"v" + given, "u" + given}},
		"in EUR":          {query.LedgerFilter{Currency: "EUR"}, nil},
		"of a minute":     {query.LedgerFilter{From: minute(9), To: minute(10)}, []string{"v" + paid}},
	} {
		w.wantTransfers(t, name, everyone(), c.filter, c.want...)
	}
}

func balanced(t *testing.T, w World) {
	w.asked(t)
	w.fund(t, 3, "w")
	w.fund(t, 4, "z")
	w.adjust(t, 5, "z", "-10.00")
	w.fail(t, 23, minute(20))
	w.Earn(t, "x", "e1")

	const (
		u = "u USD 0 800 200 0"
		v = "v USD 0 800 200 0"
		y = "w USD 0 1000 0 0"
		x = "x USD 1000 0 0 0"
		z = "z USD 0 0 0 0"
	)

	all := query.BalanceFilter{}
	w.wantBalances(t, "of all", everyone(), all, u, v, y, x, z)
	w.wantBalances(t, "of v", only("v"), all, v)
	w.wantBalances(t, "of nobody", only("nobody"), all)
	w.wantBalances(t, "in EUR", everyone(), query.BalanceFilter{Currency: "EUR"})
	w.wantBalances(t, "with money", everyone(), query.BalanceFilter{NonZero: true}, u, v, y, x)

	found, err := w.Balance.Balances(t.Context(), only("v"))
	if err != nil || len(found) != 1 || textOf(found[0]) != v {
		t.Errorf("%+v, %v", found, err)
	}
}

func decisions(t *testing.T, w World) {
	earned := w.Earn(t, "u", "e1")

	for name, owner := range map[string]query.Owner{"everyone": everyone(), "u": only("u")} {
		found, err := w.Reader.Decision(t.Context(), owner, "e1")
		if err != nil || found.CommissionID != earned.ID || found.Amount != earned.Amount ||
			found.Event.UserID() != "u" || found.Outcome != decision.Commissioned {
			t.Errorf("to %s: %+v, %v", name, found, err)
		}
	}
}

func foreign(t *testing.T, w World) {
	w.asked(t)

	earned := w.Earn(t, "u", "e1")

	if found, err := w.Reader.Commission(t.Context(), only("u"), earned.ID); err != nil ||
		found != earned {
		t.Errorf("%+v, %v", found, err)
	}

	for name, owner := range map[string]query.Owner{"v": only("v"), "nobody": {}} {
		_, ofCommission := w.Reader.Commission(t.Context(), owner, earned.ID)
		_, ofDecision := w.Reader.Decision(t.Context(), owner, "e1")
		_, ofPayout := w.Payout.Payout(t.Context(), owner, id(21))
		wantHidden(t, "to "+name, ofCommission, ofDecision, ofPayout)
	}

	for _, unknown := range []string{id(99), "x", ""} {
		_, ofCommission := w.Reader.Commission(t.Context(), everyone(), unknown)
		_, ofDecision := w.Reader.Decision(t.Context(), everyone(), unknown)
		_, ofPayout := w.Payout.Payout(t.Context(), everyone(), unknown)
		wantHidden(t, "of "+unknown, ofCommission, ofDecision, ofPayout)
	}
}

func wantHidden(t *testing.T, what string, ofCommission, ofDecision, ofPayout error) {
	t.Helper()

	if !errors.Is(ofCommission, commission.ErrNotFound) {
		t.Errorf("commission %s: %v", what, ofCommission)
	}

	if !errors.Is(ofDecision, decision.ErrNotFound) {
		t.Errorf("decision %s: %v", what, ofDecision)
	}

	if !errors.Is(ofPayout, payout.ErrNotFound) {
		t.Errorf("payout %s: %v", what, ofPayout)
	}
}

func strangers(t *testing.T, w World) {
	w.asked(t)
	w.earned(t)

	var stranger query.Owner

	w.wantCommissions(t, "to a stranger", stranger, query.CommissionFilter{})
	w.wantPayouts(t, "to a stranger", stranger, query.PayoutFilter{})
	w.wantTransfers(t, "to a stranger", stranger, query.LedgerFilter{})
	w.wantBalances(t, "to a stranger", stranger, query.BalanceFilter{})
}

// What is added between two pages is newer than what is still to come.
func growing(t *testing.T, w World) {
	w.earned(t)

	var got []string

	slice := query.Slice{Limit: 2}

	for n := range 3 {
		page, err := w.Reader.List(t.Context(), everyone(), query.CommissionFilter{}, slice)
		if err != nil {
			t.Fatal(err)
		}

		for i := range page {
			got = append(got, page[i].EventID)
			slice.After = page[i].ID
		}

		w.Earn(t, "u", fmt.Sprint("e", 6+n))
	}

	if text := strings.Join(got, " "); text != "e5 e4 e3 e2 e1" {
		t.Errorf("%s", text)
	}
}
