package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

var _ query.LedgerReader = (*Store)(nil)

const (
	selectTransfers = `SELECT id::text, created_at, user_id, currency, from_account, to_account,
    amount_minor, commission_id::text, payout_id::text FROM `

	// ofUser is the ledger of the user $1, by commissions and payouts: those of one user are few,
	// and an index by user would cost consumption more than all other lists together.
	ofUser = `(
    SELECT id AS subject FROM commissions WHERE user_id = $1
    UNION ALL
    SELECT id FROM payouts WHERE user_id = $1
) AS subjects
CROSS JOIN LATERAL (
    SELECT * FROM ledger WHERE subject_id = subject OFFSET 0
) AS ledger`
)

// Transfers implements query.LedgerReader.
func (s *Store) Transfers(
	ctx context.Context,
	owner query.Owner,
	filter query.LedgerFilter,
	limit int,
	after query.Position,
) ([]query.Transfer, error) {
	var c conditions
	c.owned(owner)

	from := "ledger"
	if _, ofOne := owner.UserID(); ofOne {
		from = ofUser
	}

	c.equal("currency", filter.Currency)
	c.between("created_at", filter.From, filter.To)

	if filter.Account != "" {
		c.add("$? IN (from_account, to_account)", filter.Account)
	}

	for column, id := range map[string]string{
		"commission_id": filter.CommissionID,
		"payout_id":     filter.PayoutID,
	} {
		if id != "" && !uuids.has(id) {
			return nil, nil // nothing has that id
		}

		if id != "" { // the index is of both
			c.add("(subject_id, "+column+") = ($?::uuid, $?::uuid)", id)
		}
	}

	list, err := byTime[query.Transfer]{
		sql:   selectTransfers + from,
		id:    "ledger.id",
		ids:   numbers,
		time:  "created_at",
		order: newestFirst(),
		scan:  scanTransfer,
	}.page(ctx, s.pool, c, limit, after)

	return list, mapped("list the ledger", err)
}

func scanTransfer(row pgx.CollectableRow) (query.Transfer, error) {
	var (
		t                    query.Transfer
		code, from, to       string
		minor                int64
		commissionID, payout *string
	)

	err := row.Scan(&t.ID, &t.At, &t.UserID, &code, &from, &to, &minor, &commissionID, &payout)
	if err != nil {
		return t, err
	}

	currency, err := money.ParseCurrency(code)
	t.At = t.At.UTC()
	t.From = ledger.Account(from)
	t.To = ledger.Account(to)
	t.Amount = money.FromMinor(minor, currency)
	t.CommissionID = value(commissionID)
	t.PayoutID = value(payout)

	return t, err
}
