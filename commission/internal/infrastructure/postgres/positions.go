package postgres

import (
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

// selectPositions runs after the locks were taken, so its snapshot holds what others committed.
const selectPositions = `
SELECT b.user_id, b.currency, b.credited_minor::text, b.debited_minor::text
FROM (SELECT DISTINCT unnest($1::text[]) AS user_id) AS u
CROSS JOIN LATERAL (SELECT * FROM balances WHERE user_id = u.user_id OFFSET 0) AS b`

// positions are where the positions of the next transfers begin. What is missing begins at 0.
type positions map[sumKey]money.Total

// sumKey names the sum of what came into available, or went out of it.
type sumKey struct {
	userID, currency string
	side             ledger.Side
}

func (p positions) load(rows pgx.Rows) error {
	var (
		key             sumKey
		credited, debit string
	)
	_, err := pgx.ForEachRow(
		rows,
		[]any{&key.userID, &key.currency, &credited, &debit},
		func() (err error) {
			key.side = ledger.Credit
			if p[key], err = money.ParseTotal(credited, money.Currency{}); err != nil {
				return err
			}

			key.side = ledger.Debit
			p[key], err = money.ParseTotal(debit, money.Currency{})

			return err
		},
	)

	return err
}

// next returns the position of the transfer as decimal digits, or "" if it has none: it belongs to
// a payout, or does not touch available. The following transfers come after it.
func (p positions) next(t *ledger.Transfer) string {
	side, ok := t.Side()
	if !ok {
		return ""
	}

	key := sumKey{userID: t.UserID(), currency: t.Amount().Currency().String(), side: side}
	position := p[key]
	p[key] = position.Add(t.Amount().Total())

	return position.Minor()
}
