package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

const (
	// What lies between the intervals that are taken, and after the last one.
	selectFunds = `
SELECT side, from_minor::text, to_minor::text
FROM (
    SELECT side, lag(to_minor, 1, 0) OVER (PARTITION BY side ORDER BY to_minor, from_minor)
        AS from_minor, from_minor AS to_minor
    FROM (
        SELECT side, from_minor, to_minor FROM payout_intervals
        WHERE user_id = $1 AND currency = $2 AND NOT released
        UNION ALL
        SELECT 'credit', credited_minor, credited_minor FROM balances
        WHERE user_id = $1 AND currency = $2
        UNION ALL
        SELECT 'debit', debited_minor, debited_minor FROM balances
        WHERE user_id = $1 AND currency = $2
    ) AS taken
) AS free
WHERE from_minor < to_minor
ORDER BY side, free.from_minor`

	insertTaken = `
INSERT INTO payout_intervals (payout_id, user_id, currency, side, from_minor, to_minor)
SELECT $1, $2, $3, side, from_minor, to_minor
FROM unnest($4::text[], $5::text[]::numeric[], $6::text[]::numeric[])
    AS taken (side, from_minor, to_minor)`
)

// readFunds returns what a payout of the user may take.
func readFunds(
	ctx context.Context,
	tx moneyTx,
	userID string,
	currency money.Currency,
) (ledger.Funds, error) {
	rows, err := tx.Query(ctx, selectFunds, userID, currency.String())
	if err != nil {
		return ledger.Funds{}, err
	}

	var (
		funds          ledger.Funds
		side, from, to string
	)
	_, err = pgx.ForEachRow(rows, []any{&side, &from, &to}, func() error {
		free, err := intervalOf(side, from, to, currency)

		switch free.Side {
		case ledger.Credit:
			funds.Credits = append(funds.Credits, free)
		case ledger.Debit:
			funds.Debits = append(funds.Debits, free)
		}

		return err
	})

	return funds, err
}

func intervalOf(side, from, to string, currency money.Currency) (ledger.Interval, error) {
	begin, err := money.ParseTotal(from, currency)
	if err != nil {
		return ledger.Interval{}, err
	}

	end, err := money.ParseTotal(to, currency)

	return ledger.Interval{Side: ledger.Side(side), From: begin, To: end}, err
}

// addTaken stores what the payout takes. The database refuses what another payout has taken.
func addTaken(
	ctx context.Context,
	tx pgx.Tx,
	p payout.Snapshot,
	taken []ledger.Interval,
) error {
	if len(taken) == 0 {
		return nil
	}

	var sides, from, to []string
	for _, interval := range taken {
		sides = append(sides, string(interval.Side))
		from = append(from, interval.From.Minor())
		to = append(to, interval.To.Minor())
	}

	currency := p.Amount.Currency().String()
	_, err := tx.Exec(ctx, insertTaken, p.ID, p.UserID, currency, sides, from, to)

	return err
}
