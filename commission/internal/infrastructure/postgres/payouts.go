package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/payouts"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
	"tributary/platform/money"
)

var _ payouts.Store = (*Store)(nil)

const (
	payoutColumns = `id::text, user_id, amount_minor, currency, payment_method, account_details,
    status, reason, requested_at, created_at, closed_at, version`
	selectPayouts = `SELECT ` + payoutColumns + ` FROM payouts`
	insertPayout  = `
INSERT INTO payouts (id, user_id, amount_minor, currency, payment_method, account_details,
    status, reason, requested_at, created_at, closed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), $9, $10, $11)`
	closePayout = `UPDATE payouts SET status = $2, reason = $3, closed_at = $4,
    version = version + 1 WHERE id = $1`
	selectAvailable = `SELECT coalesce((SELECT available_minor FROM balances WHERE user_id = $1
    AND currency = $2), 0)`
	selectBalances = `SELECT currency, pending_minor, available_minor, in_payout_minor, paid_minor
    FROM balances WHERE user_id = $1 ORDER BY currency`
)

func scanPayout(row pgx.CollectableRow) (payout.Payout, error) {
	var (
		p            payout.Payout
		minor        int64
		code, status string
		reason       *string
		closed       *time.Time
	)

	err := row.Scan(
		&p.ID,
		&p.UserID,
		&minor,
		&code,
		&p.Method,
		&p.Details,
		&status,
		&reason,
		&p.RequestedAt,
		&p.CreatedAt,
		&closed,
		&p.Version,
	)
	if err != nil {
		return p, err
	}

	currency, err := money.ParseCurrency(code)
	p.Amount = money.FromMinor(minor, currency)
	p.Status = payout.Status(status)
	p.Reason = value(reason)
	p.RequestedAt = p.RequestedAt.UTC()
	p.CreatedAt = p.CreatedAt.UTC()
	p.ClosedAt = utc(closed)

	return p, err
}

func readPayout(ctx context.Context, from querier, id, lock string) (payout.Payout, error) {
	if _, err := uuid.Parse(id); err != nil {
		return payout.Payout{}, payouts.ErrNoPayout()
	}

	rows, err := from.Query(ctx, selectPayouts+` WHERE id = $1`+lock, id)
	if err != nil {
		return payout.Payout{}, err
	}

	found, err := pgx.CollectExactlyOneRow(rows, scanPayout)
	if errors.Is(err, pgx.ErrNoRows) {
		return found, payouts.ErrNoPayout()
	}

	return found, err
}

// RequestPayout decides under the user's lock, so that the balance stays as it was read. The ledger
// refuses an overdraft even without it.
func (s *Store) RequestPayout(
	ctx context.Context,
	request payout.Payout,
	now time.Time,
) (made payout.Payout, known bool, err error) {
	err = s.begin(ctx, "request a payout", func(tx pgx.Tx) error {
		locked, err := lock(ctx, tx, request.UserID)
		if err != nil {
			return err
		}

		found, err := readPayout(ctx, tx, request.ID, "")
		if err == nil {
			made, known = found, true
			return nil
		}

		if !fault.Is(err, "payout_not_found") {
			return err
		}

		var available int64
		if err := tx.QueryRow(
			ctx,
			selectAvailable,
			request.UserID,
			request.Amount.Currency().String(),
		).Scan(&available); err != nil {
			return err
		}

		made = payout.Decide(request, available, now)

		_, err = tx.Exec(
			ctx,
			insertPayout,
			made.ID,
			made.UserID,
			made.Amount.Minor(),
			made.Amount.Currency().String(),
			made.Method,
			made.Details,
			string(made.Status),
			made.Reason,
			made.RequestedAt,
			made.CreatedAt,
			orNil(made.ClosedAt),
		)
		if err != nil || made.Status != payout.Requested {
			return err
		}

		return movePayout(ctx, locked, made, ledger.Available, ledger.InPayout, now)
	})

	return made, known, err
}

func movePayout(
	ctx context.Context,
	tx moneyTx,
	p payout.Payout,
	from, to ledger.Account,
	now time.Time,
) error {
	return copyTransfers(ctx, tx, []ledger.Transfer{{
		UserID:   p.UserID,
		From:     from,
		To:       to,
		Amount:   p.Amount,
		PayoutID: p.ID,
	}}, now)
}

// ClosePayout implements payouts.Store.
func (s *Store) ClosePayout(
	ctx context.Context,
	request change.Request,
	c payouts.Closing,
) (payout.Payout, error) {
	return once(ctx, s, request, func(tx pgx.Tx) (payout.Payout, change.Record, error) {
		record := change.Record{Action: string(c.To), SubjectType: "payout", SubjectID: c.ID}

		found, err := readPayout(ctx, tx, c.ID, "") // its user never changes
		if err != nil {
			return found, record, err
		}

		locked, err := lock(ctx, tx, found.UserID)
		if err != nil {
			return found, record, err
		}

		before, err := readPayout(ctx, tx, c.ID, " FOR UPDATE")
		if err != nil {
			return before, record, err
		}

		if c.Version != 0 && c.Version != before.Version {
			return before, record, change.ErrVersion()
		}

		after, err := before.Close(c.To, request.Reason, request.Now)
		if err != nil {
			return before, record, err
		}

		if _, err := tx.Exec(
			ctx,
			closePayout,
			after.ID,
			string(after.Status),
			after.Reason,
			after.ClosedAt,
		); err != nil {
			return before, record, err
		}

		record.Before, record.After = payoutSnapshot(before), payoutSnapshot(after)

		to := ledger.Available
		if c.To == payout.Completed {
			to = ledger.Paid
		}

		return after, record, movePayout(ctx, locked, after, ledger.InPayout, to, request.Now)
	})
}

func payoutSnapshot(p payout.Payout) string {
	return fmt.Sprintf(
		`{"status":%q,"version":%d,"amount_minor":%d,"currency":%q}`,
		p.Status,
		p.Version,
		p.Amount.Minor(),
		p.Amount.Currency(),
	)
}

// Payout implements payouts.Store.
func (s *Store) Payout(ctx context.Context, id string) (payout.Payout, error) {
	p, err := readPayout(ctx, s.pool, id, "")
	return p, mapped("read a payout", err)
}

// Payouts implements payouts.Store.
func (s *Store) Payouts(
	ctx context.Context,
	filter payouts.Filter,
	limit int,
	after payouts.Position,
) ([]payout.Payout, error) {
	var c conditions
	if filter.UserID != "" {
		c.add("user_id = $?", filter.UserID)
	}

	if filter.Status != "" {
		c.add("status = $?", filter.Status)
	}

	if after.ID != "" {
		if _, err := uuid.Parse(after.ID); err != nil {
			return nil, errCursor()
		}

		c.texts = append(
			c.texts,
			"(created_at, id) < ("+c.arg(after.CreatedAt)+", "+c.arg(after.ID)+"::uuid)",
		)
	}

	sql := selectPayouts + c.where() + " ORDER BY created_at DESC, payouts.id DESC LIMIT " + c.arg(
		limit,
	)
	list, err := collect(ctx, s.pool, scanPayout, sql, c.planned()...)

	return list, mapped("list payouts", tooWide(err))
}

// Balances implements payouts.Store.
func (s *Store) Balances(ctx context.Context, userID string) ([]ledger.Balance, error) {
	rows, err := s.pool.Query(ctx, selectBalances, userID)
	if err != nil {
		return nil, mapped("read balances", err)
	}

	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (ledger.Balance, error) {
		b := ledger.Balance{UserID: userID}

		var code string

		err := row.Scan(&code, &b.Pending, &b.Available, &b.InPayout, &b.Paid)
		if err == nil {
			b.Currency, err = money.ParseCurrency(code)
		}

		return b, err
	})

	return list, mapped("read balances", err)
}
