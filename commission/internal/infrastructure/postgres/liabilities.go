package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/platform/money"
)

const (
	selectLiabilities = `
SELECT currency, count(*), sum(pending)::text, sum(available)::text, sum(in_payout)::text,
    sum(paid)::text, sum(least(available, 0))::text
FROM (` + balancesOf + `) AS b
WHERE $2 = '' OR currency = $2
GROUP BY currency
ORDER BY currency`

	// The clawbacks and adjustments of an earning wait for what it waits for.
	selectAgeing = `
SELECT currency, bucket, count(*), sum(amount_minor)::text
FROM (
    SELECT c.currency, c.amount_minor, CASE
        WHEN coalesce(e.status, c.status) = 'held' THEN 'held'
        WHEN c.kind = 'adjustment' AND c.event_id IS NULL THEN 'approval'
        WHEN c.available_at <= $2 THEN 'due'
        WHEN c.available_at <= $2 + interval '7 days' THEN 'within_7_days'
        WHEN c.available_at <= $2 + interval '30 days' THEN 'within_30_days'
        WHEN c.available_at <= $2 + interval '60 days' THEN 'within_60_days'
        WHEN c.available_at <= $2 + interval '90 days' THEN 'within_90_days'
        ELSE 'later'
    END AS bucket
    FROM commissions AS c
    LEFT JOIN LATERAL (
        SELECT status FROM commissions WHERE id = c.reverses_id OFFSET 0
    ) AS e ON true
    WHERE c.status <> 'approved' AND c.status IN ('pending', 'held') AND ($1 = '' OR c.currency = $1)
) AS waiting
GROUP BY currency, bucket
ORDER BY currency, min(array_position(ARRAY['due', 'within_7_days', 'within_30_days',
    'within_60_days', 'within_90_days', 'later', 'held', 'approval'], bucket))`
)

// Liabilities reads balances and what is owed to all users.
type Liabilities struct{ store *Store }

var (
	_ query.BalanceReader   = Liabilities{}
	_ query.LiabilityReader = Liabilities{}
)

// Liabilities returns the reader of balances.
func (s *Store) Liabilities() Liabilities { return Liabilities{store: s} }

func (r Liabilities) Liabilities(
	ctx context.Context,
	currency string,
	asOf time.Time,
) ([]query.Liability, error) {
	found, err := collect(
		ctx,
		r.store.pool,
		scanLiability,
		selectLiabilities,
		orNil(asOf),
		currency,
	)

	return found, mapped("read liabilities", tooWide(err))
}

func scanLiability(row pgx.CollectableRow) (query.Liability, error) {
	var (
		l                                               query.Liability
		code                                            string
		pending, available, inPayout, paid, overdrawnBy string
	)

	err := row.Scan(&code, &l.Users, &pending, &available, &inPayout, &paid, &overdrawnBy)
	if err != nil {
		return l, err
	}

	if l.Currency, err = money.ParseCurrency(code); err != nil {
		return l, err
	}

	return l, parseTotals(l.Currency, map[*money.Total]string{
		&l.Pending:   pending,
		&l.Available: available,
		&l.InPayout:  inPayout,
		&l.Paid:      paid,
		&l.Overdrawn: overdrawnBy,
	})
}

func (r Liabilities) Ageing(
	ctx context.Context,
	currency string,
	now time.Time,
) ([]query.Ages, error) {
	found, err := collect(ctx, r.store.pool, scanAges, selectAgeing, currency, now)

	return found, mapped("read what is pending", tooWide(err))
}

func scanAges(row pgx.CollectableRow) (query.Ages, error) {
	var (
		a                   query.Ages
		code, bucket, minor string
	)
	if err := row.Scan(&code, &bucket, &a.Count, &minor); err != nil {
		return a, err
	}

	currency, err := money.ParseCurrency(code)
	if err != nil {
		return a, err
	}

	a.Currency, a.Bucket = currency, query.Bucket(bucket)
	a.Amount, err = money.ParseTotal(minor, currency)

	return a, err
}

// parseTotals reads decimal texts of minor units into totals.
func parseTotals(currency money.Currency, texts map[*money.Total]string) error {
	for total, text := range texts {
		var err error
		if *total, err = money.ParseTotal(text, currency); err != nil {
			return err
		}
	}

	return nil
}
