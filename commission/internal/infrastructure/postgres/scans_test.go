package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/infrastructure/account"
	"tributary/commission/internal/infrastructure/payfile"
	"tributary/contracts/eventtype"
)

// A new database is the worst case: statements planned while its tables are empty are used when
// they are not, until statistics exist. No statement may scan a growing table because of that,
// neither at the start nor later.
func TestNoStatementScansAGrowingTable(t *testing.T) {
	t.Parallel()

	const rounds, users = 60, 20

	events := rounds * users * 6

	for name, c := range map[string]struct {
		work  bool // whether all other reads are called from time to time
		reads int  // of a table, at most
	}{
		"consumption": {reads: 4 * events},
		"everything":  {work: true, reads: 40 * events},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			f.withoutStatistics(t)
			f.rule(
				t, 1, 1, "0.1",
				"currency, cap_minor, cap_period, hold_days", "'USD', 1000000, 'month', 30",
			)

			for round := range rounds {
				f.decide(t, traffic(round, users)...)

				if c.work && round%15 == 0 {
					f.work(t, round)
				}
			}

			f.db.Pool.Close() // a session reports its statistics when it ends

			for _, table := range f.reads(t) {
				if table.scans > 0 {
					t.Errorf("%s: %d scans of %d rows", table.name, table.scans, table.scanned)
				}

				if table.fetched > c.reads {
					t.Errorf("%s: %d rows read for %d events", table.name, table.fetched, events)
				}
			}
		})
	}
}

// withoutStatistics keeps all tables without statistics.
func (f fixture) withoutStatistics(t *testing.T) {
	t.Helper()
	f.owned(t, `DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT oid::regclass FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', name);
    END LOOP; END $$`)
}

// traffic is a batch with all kinds of references: each user sells an order, repeats it, reverses a
// part of it, and of one of another batch; and reverses an event that never arrives.
func traffic(round, users int) []event.Snapshot {
	var events []event.Snapshot
	for u := range users {
		user := fmt.Sprintf("u%d", u)
		name := func(what string, round int) string { return fmt.Sprintf("%s-%s-%d", what, user, round) }

		sale := purchase(name("sale", round), user, "10")
		sale.OrderID = name("order", round)
		sale.CampaignID = fmt.Sprintf("c%d", u%3)

		again := sale
		again.ID = name("again", round)

		view := purchase(name("view", round), user, "")
		view.Type = eventtype.View

		ofOrder := refund(name("of-order", round), user, "", "1")
		ofOrder.OrderID = name("order", max(0, round-1))
		ofOrder.CampaignID = sale.CampaignID

		events = append(
			events,
			sale,
			again,
			view,
			ofOrder,
			refund(name("of-event", round), user, name("sale", max(0, round-2)), "1"),
			refund(name("parked", round), user, name("nothing", round), "1"),
		)
	}

	return events
}

// readInParts reads the whole history of the user.
func (f fixture) readInParts(t *testing.T, user string) {
	t.Helper()
	mustAll(t, f.store.Read(t.Context(), user, func(h replay.History) error {
		for _, err := range h.Parts.Entries {
			if err != nil {
				return err
			}
		}

		return nil
	}))
}

// work calls everything that the store can do with the existing data.
func (f fixture) work(t *testing.T, round int) {
	t.Helper()
	ctx := t.Context()
	check := func(_ any, err error) {
		t.Helper()

		if err != nil {
			t.Error(err)
		}
	}

	user := "u1"
	keyed := byHand()
	keyed.Key = fmt.Sprint("key", round)
	keyed.Render = func(any) ([]byte, error) { return []byte("{}"), nil }

	if err := f.adjust(ctx, user, "100"); err != nil {
		t.Error(err)
	}

	p, err := f.request(ctx, payoutOf(user, 100))
	check(p, err)
	check(command.NewClosePayout(f.store.Payouts()).Handle(
		ctx,
		keyed,
		command.Closing{ID: p.ID, To: payout.Completed},
	))
	check(f.store.Forget(ctx, start().Add(-time.Hour), 10))

	decided, err := f.store.Decision(ctx, owned(t, ""), fmt.Sprintf("sale-u2-%d", max(0, round-1)))
	check(decided, err)

	for _, action := range []commission.Action{commission.Hold, commission.Release, commission.Reject} {
		check(command.NewActOnCommission(f.store.Commissions()).Handle(ctx, byHand(), command.Action{ID: decided.CommissionID, Action: action}))
	}

	for _, filter := range []query.CommissionFilter{
		{UserID: user}, {CampaignID: "c1"}, {OccurredTo: start().AddDate(0, 0, -1)},
	} {
		check(f.actInBulk(ctx, commission.Hold, filter))
		check(f.actInBulk(ctx, commission.Release, filter))
	}

	check(f.approveDue(ctx, start().AddDate(0, 0, 29), 100))
	check(f.store.Post(
		ctx,
		f.claim(t),
		[]string{user},
		func(*domain.Replay, []replay.History) (replay.Posting, error) { return replay.Posting{}, nil },
	))
	check(f.store.Users(ctx, november(), "", 10))
	check(f.store.Count(ctx, november()))
	check(f.store.Histories(ctx, []string{user, "u2"}, 10_000))
	f.readInParts(t, user)
	f.workOnReplays(t)

	decided, err = f.store.Decision(ctx, owned(t, ""), "sale-u1-0")
	check(decided, err)

	id := decided.CommissionID
	made, err := f.store.Commission(ctx, owned(t, ""), id)
	check(made, err)
	check(f.store.History(ctx, "commission", id))

	made.ReplayID = f.claim(t).ID
	check(f.store.Before(ctx, made))
	check(f.store.EventsOf(ctx, owned(t, user), start()))
	check(f.store.Rules(ctx))
	check(f.store.Liabilities().Balances(ctx, owned(t, user)))
	check(f.store.Payouts().Payout(ctx, owned(t, user), p.ID))

	f.workOnBatches(t, user)

	for _, filter := range []query.PayoutFilter{
		{},
		{UserID: user},
		{Status: "requested"},
		{BatchID: uuid.NewString()},
		{CreatedFrom: start(), CreatedTo: start()},
		{Updated: query.Updated{From: start()}},
	} {
		owner := owned(t, filter.UserID)
		after := query.Position{At: start(), ID: uuid.NewString()}

		check(f.store.Payouts().Payouts(ctx, owner, filter, 10, query.Position{}))
		check(f.store.Payouts().Payouts(ctx, owner, filter, 10, after))
	}

	for _, filter := range []query.LedgerFilter{
		{},
		{UserID: user},
		{UserID: user, Currency: "USD", Account: "in_payout"},
		{CommissionID: id},
		{PayoutID: p.ID},
		{From: start(), To: start().Add(time.Hour)},
	} {
		owner := owned(t, filter.UserID)

		check(f.store.Transfers(ctx, owner, filter, 10, query.Position{}))
		check(f.store.Transfers(ctx, owner, filter, 10, query.Position{At: start(), ID: "7"}))
	}

	for _, filter := range []query.AuditFilter{
		{},
		{Actor: "operator"},
		{Action: "adjust"},
		{SubjectType: "payout", SubjectID: p.ID},
		{From: start(), To: start().Add(time.Hour)},
	} {
		check(f.store.Audit(ctx, filter, 10, query.Position{}))
		check(f.store.Audit(ctx, filter, 10, query.Position{At: start(), ID: "7"}))
	}

	f.workOnEvents(t, user)

	payments := f.store.Payments()
	everyone := owned(t, "")

	check(payments.Payments(ctx, everyone, []string{id}))
	check(payments.Shares(ctx, everyone, id, 10, query.Position{}))
	check(payments.Items(ctx, owned(t, ""), p.ID, 10, query.ItemPosition{}))
	check(payments.Uncovered(ctx, everyone, []string{p.ID}))

	yesterday := start().AddDate(0, 0, -1)

	for _, filter := range []query.BalanceFilter{{}, {Currency: "USD", NonZero: true}} {
		check(f.store.Liabilities().ListBalances(ctx, everyone, filter, 10, query.BalancePosition{}))
	}

	// liabilities, and the balances of all users at a past moment, read all balances by design
	check(f.store.Liabilities().ListBalances(
		ctx,
		owned(t, user),
		query.BalanceFilter{AsOf: yesterday},
		10,
		query.BalancePosition{},
	))
	check(f.store.Liabilities().Ageing(ctx, "", start()))

	period := query.Period{From: yesterday, To: start().AddDate(0, 1, 0), Until: start()}
	check(f.store.Statements().Accounts(ctx, owned(t, user), period))
	check(f.store.Statements().Lines(ctx, owned(t, user), period, 1000, query.LinePosition{}))

	day := start().AddDate(0, 0, -1)
	for _, filter := range []query.CommissionFilter{
		{},
		{UserID: user},
		{CampaignID: "c1"},
		{ProductID: "p"},
		{Status: "held"},
		{Status: "pending"},
		{Kind: "clawback"},
		{EventType: "refund"},
		{EventType: "purchase", Currency: "USD"},
		{OccurredFrom: day},
		{OccurredTo: day},
		{OccurredFrom: day, OccurredTo: start()},
		{OrderID: "order-u1-0"},
		{CreatedFrom: day, CreatedTo: start()},
		{Updated: query.Updated{From: day}},
		{Updated: query.Updated{From: day, To: start()}, UserID: user},
	} {
		next := query.Slice{Limit: 10, After: uuid.NewString(), UpdatedAt: day}

		check(f.store.List(ctx, owned(t, filter.UserID), filter, query.Slice{Limit: 10}))
		check(f.store.List(ctx, owned(t, filter.UserID), filter, next))
	}

	// a summary of everything reads everything, by design
	for _, filter := range []query.CommissionFilter{
		{UserID: user}, {CampaignID: "c1"}, {Status: "held"}, {OccurredFrom: day, OccurredTo: start()},
	} {
		check(f.store.Summary(
			ctx,
			owned(t, filter.UserID),
			filter,
			query.Grouping{By: []query.Dimension{query.ByCurrency}},
			10,
			nil,
		))
	}
}

// workOnBatches takes a batch through all that can be done with it.
func (f fixture) workOnBatches(t *testing.T, user string) {
	t.Helper()
	ctx := t.Context()

	for range 2 {
		p, err := f.request(ctx, payoutOf(user, 100))
		mustAll(t, err)

		b, err := f.batched(ctx, "maker", 10)
		mustAll(t, err, f.called(ctx, "maker", b.ID))

		b, err = f.batched(ctx, "maker", 10)
		mustAll(t, err, f.approved(ctx, "second", b.ID))

		_, err = command.NewCreateFile(f.store.Batches(), payfile.Formats(payfile.Payer{}, time.UTC), account.NewReader(nil)).
			Handle(ctx, by("finance"), b.ID, "csv")
		if !errors.Is(err, batch.ErrAccounts) {
			t.Errorf("file: %v", err)
		}

		mustAll(t, f.sent(ctx, "finance", b.ID))

		_, err = command.NewSettleBatch(f.store.Batches()).Handle(ctx, by("finance"), command.Settlement{
			ID: b.ID,
			Results: []command.Result{
				{Line: 2, PayoutID: p.ID, Closing: payout.Closing{To: payout.Completed}},
			},
		})
		mustAll(t, err)

		for _, filter := range []query.BatchFilter{{}, {Status: "settled"}} {
			_, err = f.store.Batches().Batches(ctx, filter, 10, query.Position{})
			mustAll(t, err)
			_, err = f.store.Batches().Batches(
				ctx,
				filter,
				10,
				query.Position{At: start(), ID: uuid.NewString()},
			)
			mustAll(t, err)
		}
	}
}

// workOnReplays takes a replay of no events and one of all events through all that can be done.
func (f fixture) workOnReplays(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	replays := f.store.Replays()

	claim := f.claim(t)
	mustAll(t, replays.Keep(ctx, claim), replays.Leave(ctx, claim))

	f.replays(f.store).Work(ctx)
	f.replay(t)

	_, err := replays.Replays(ctx, 10, query.Position{})
	mustAll(t, err)
	_, err = replays.Replays(ctx, 10, query.Position{At: start(), ID: newID()})
	mustAll(t, err)
	_, err = replays.Differences(ctx, claim.ID, 1, 10)
	mustAll(t, err)
}

type tableReads struct {
	name                    string
	scans, scanned, fetched int
}

// reads returns the statistics of the growing tables, once all sessions of the service have ended.
func (f fixture) reads(t *testing.T) []tableReads {
	t.Helper()

	for f.one(t, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
    AND usename = 'commission_user'`) != "0" {
		if t.Context().Err() != nil {
			t.Fatal("sessions do not end")
		}
	}

	rows, err := f.owner.Query(context.WithoutCancel(t.Context()), `
SELECT relname, seq_scan, seq_tup_read, coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables
WHERE relname IN ('audit', 'balances', 'commissions', 'decisions', 'idempotency_keys', 'ledger',
    'payouts', 'payout_batches', 'payout_files', 'payout_intervals', 'replay_differences',
    'replayed_decisions', 'replays', 'usage')
ORDER BY relname`)
	if err != nil {
		t.Fatal(err)
	}

	var (
		found []tableReads
		one   tableReads
	)
	if _, err := pgx.ForEachRow(
		rows,
		[]any{&one.name, &one.scans, &one.scanned, &one.fetched},
		func() error {
			found = append(found, one)
			return nil
		},
	); err != nil {
		t.Fatal(err)
	}

	return found
}
