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

// sumKey names the sum of what came into available, or went out of it.
type sumKey struct {
	currency money.Currency
	side     ledger.Side
}

// loadPositions reads where the positions of the users' next transfers begin. What is missing
// begins at 0.
func (e ends) loadPositions(rows pgx.Rows) error {
	var userID, code, credited, debited string

	_, err := pgx.ForEachRow(rows, []any{&userID, &code, &credited, &debited}, func() error {
		currency, err := money.ParseCurrency(code)
		if err != nil {
			return err
		}

		for side, text := range map[ledger.Side]string{
			ledger.Credit: credited,
			ledger.Debit:  debited,
		} {
			sum, err := money.ParseTotal(text, currency)
			if err != nil {
				return err
			}

			e[userID].set(sumKey{currency: currency, side: side}, sum)
		}

		return nil
	})

	return err
}

// nextPosition returns the position of the transfer as decimal digits, or "" if it has none: it
// belongs to a payout, or does not touch available. The following transfers come after it.
func (e ends) nextPosition(t *ledger.Transfer) string {
	side, ok := t.Side()
	if !ok {
		return ""
	}

	key := sumKey{currency: t.Amount().Currency(), side: side}
	of := e[t.UserID()]
	position := of.sum(key)
	of.set(key, position.Add(t.Amount().Total()))

	return position.Minor()
}

// openings returns the positions of the opening transfers, by their commissions.
func (e ends) openings(transfers []ledger.Transfer) map[string]string {
	positions := make(map[string]string, len(transfers))
	for i := range transfers {
		if t := &transfers[i]; t.Opening() {
			positions[t.CommissionID()] = e.nextPosition(t)
		}
	}

	return positions
}
