package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

const (
	selectBalances = `SELECT user_id, currency, pending_minor::text, available_minor::text,
    in_payout_minor::text, paid_minor::text FROM balances`

	// balancesOf are the balances of users as of the moment $1, or now if it is NULL: what they are
	// now, less what has been moved since.
	balancesOf = `
    SELECT user_id, currency, sum(pending) AS pending, sum(available) AS available,
        sum(in_payout) AS in_payout, sum(paid) AS paid
    FROM (
        SELECT user_id, currency, pending_minor AS pending, available_minor AS available,
            in_payout_minor AS in_payout, paid_minor AS paid
        FROM balances
        UNION ALL
        SELECT user_id, currency,
            CASE 'pending' WHEN to_account THEN -amount_minor
                WHEN from_account THEN amount_minor END,
            CASE 'available' WHEN to_account THEN -amount_minor
                WHEN from_account THEN amount_minor END,
            CASE 'in_payout' WHEN to_account THEN -amount_minor
                WHEN from_account THEN amount_minor END,
            CASE 'paid' WHEN to_account THEN -amount_minor
                WHEN from_account THEN amount_minor END
        FROM ledger
        WHERE created_at >= $1::timestamptz
    ) AS moves
    GROUP BY user_id, currency`
)

func (r Liabilities) Balances(ctx context.Context, owner query.Owner) ([]ledger.Balance, error) {
	var c conditions
	c.owned(owner)

	sql := selectBalances + c.where() + " ORDER BY user_id, currency"
	list, err := collect(ctx, r.store.pool, scanBalance, sql, c.planned()...)

	return list, mapped("read balances", err)
}

func scanBalance(row pgx.CollectableRow) (ledger.Balance, error) {
	var (
		b                                        ledger.Balance
		code, pending, available, inPayout, paid string
	)

	err := row.Scan(&b.UserID, &code, &pending, &available, &inPayout, &paid)
	if err != nil {
		return b, err
	}

	if b.Currency, err = money.ParseCurrency(code); err != nil {
		return b, err
	}

	return b, parseTotals(b.Currency, map[*money.Total]string{
		&b.Pending:   pending,
		&b.Available: available,
		&b.InPayout:  inPayout,
		&b.Paid:      paid,
	})
}

func (r Liabilities) ListBalances(
	ctx context.Context,
	owner query.Owner,
	filter query.BalanceFilter,
	limit int,
	after query.BalancePosition,
) ([]ledger.Balance, error) {
	var c conditions

	sql := selectBalances
	nothing := "(pending_minor, available_minor, in_payout_minor) <> (0, 0, 0)"

	if !filter.AsOf.IsZero() {
		c.arg(filter.AsOf)

		sql = `SELECT user_id, currency, pending::text, available::text, in_payout::text, paid::text
FROM (` + balancesOf + `) AS balances`
		nothing = "(pending, available, in_payout) <> (0, 0, 0)"
	}

	c.owned(owner)

	c.equal("currency", filter.Currency)

	if filter.NonZero {
		c.texts = append(c.texts, nothing)
	}

	if after.UserID != "" {
		c.texts = append(
			c.texts,
			"(user_id, currency) > ("+c.arg(after.UserID)+", "+c.arg(after.Currency)+")",
		)
	}

	rows, err := list(ctx, r.store.pool, c, scanBalance, sql, "user_id, currency", limit)

	return rows, mapped("list balances", err)
}
