package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/payout"
)

// A payout of a million view commissions of 2 cents: each step ends within two seconds, and the
// payout writes ten rows at most, whatever the number of commissions.
func TestAPayoutOfAMillionViews(t *testing.T) {
	t.Parallel()

	const views, limit, step = 1_000_000, 1000, 2 * time.Second

	f := setup(t)
	f.views(t, views)

	timed := func(name string, do func()) {
		began := time.Now()
		do()

		took := time.Since(began)
		t.Logf("%s: %s", name, took.Round(time.Millisecond))

		if took > step {
			t.Errorf("%s took %s", name, took)
		}
	}

	before := f.rowsWritten(t)

	var id string

	timed("request", func() { id = f.pay(t, 2*views) })

	if n := f.rowsWritten(t) - before; n != 3 {
		t.Errorf("%d rows of the payout, its transfer and what it takes; want 3", n)
	}

	var (
		sum     int64
		slowest time.Duration
		pages   int
	)

	for position := (query.ItemPosition{}); ; pages++ {
		began := time.Now()

		items, err := f.store.Payments().Items(t.Context(), owned(t, ""), id, limit, position)
		if err != nil {
			t.Fatal(err)
		}

		slowest = max(slowest, time.Since(began))

		for _, item := range items {
			sum += item.Amount.Minor()
		}

		if len(items) < limit {
			break
		}

		position = items[limit-1].Position
	}

	t.Logf("%d pages of items, the slowest: %s", pages, slowest.Round(time.Millisecond))

	if sum != 2*views || slowest > step {
		t.Errorf("the items sum to %d; the slowest page took %s", sum, slowest)
	}

	timed("complete", func() { f.closePayout(t, id, payout.Completed) })
	timed("a page of commissions with their payments", func() {
		rows, err := f.store.List(
			t.Context(),
			owned(t, ""),
			query.CommissionFilter{UserID: "u"},
			query.Slice{Limit: limit},
		)
		if err != nil {
			t.Fatal(err)
		}

		payments, err := query.NewGetPayments(f.store.Payments()).Handle(
			t.Context(),
			query.Everything(),
			rows,
		)
		if err != nil {
			t.Fatal(err)
		}

		for _, row := range rows {
			state := row
			if got := payments[state.ID].Status(state.Amount); got != query.Paid {
				t.Fatalf("%s is %s", state.ID, got)
			}
		}
	})
}

// rowsWritten counts the rows that payouts write.
func (f fixture) rowsWritten(t *testing.T) (n int64) {
	t.Helper()

	if err := f.owner.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM payouts)
    + (SELECT count(*) FROM payout_intervals) + (SELECT count(*) FROM transfers)`).Scan(&n); err != nil {
		t.Fatal(err)
	}

	return n
}

// views adds approved commissions of 2 cents, as consumption would have stored them. Triggers are
// off meanwhile: the rows are right, and there are many.
func (f fixture) views(t *testing.T, n int) {
	t.Helper()

	began := time.Now()

	err := pgx.BeginFunc(t.Context(), f.owner, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`SET LOCAL session_replication_role = replica`,
			`CREATE TEMPORARY TABLE made ON COMMIT DROP AS SELECT n,
    (lpad(to_hex(1800000000000 + n), 12, '0') || '7000800000000000' || lpad(to_hex(n & 65535), 4, '0'))::uuid AS id
    FROM generate_series(0, $1::int - 1) AS n`,
			`INSERT INTO commissions (id, event_id, user_id, event_type, kind, status, base_minor,
    amount_minor, currency, rule_id, rule_version, available_at, occurred_at, created_at,
    position_minor)
    SELECT id, 'view-' || n, 'u', 'view', 'earning', 'approved', 0, 2, 'USD',
    '00000000-0000-7000-8000-000000000001', 1, now(), now(), now(), 2 * n::numeric FROM made`,
			`INSERT INTO balances (user_id, currency, programme_minor, pending_minor,
    available_minor, in_payout_minor, paid_minor, credited_minor, debited_minor, moved_minor)
    SELECT 'u', 'USD', -s, 0, s, 0, 0, s, 0, s FROM (SELECT 2 * count(*) AS s FROM made) AS x`,
		} {
			var args []any
			if sql[:6] == "CREATE" {
				args = append(args, pgx.QueryExecModeSimpleProtocol, n)
			}

			if _, err := tx.Exec(t.Context(), sql, args...); err != nil {
				return err
			}
		}

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	t.Logf("%d commissions were stored in %s", n, time.Since(began).Round(time.Second))
}
