package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

const (
	payoutColumns = `id::text, user_id, amount_minor, currency, payment_method, account_details, ` +
		payoutOutcome
	payoutOutcome = `request_hash, status, reason, requested_at, created_at,
    coalesce(changed_at, created_at), closed_at, conflicted_at, batch_id::text, external_reference,
    paid_at, failure_code, version`
	// the details may be long
	payoutColumnsWithoutDetails = `id::text, user_id, amount_minor, currency, payment_method, '', ` +
		payoutOutcome
	selectPayouts = `SELECT ` + payoutColumns + ` FROM payouts`
	selectSealed  = `SELECT ` + payoutColumnsWithoutDetails + ` FROM payouts`
	insertPayout  = `
INSERT INTO payouts (id, user_id, amount_minor, currency, payment_method, account_details,
    request_hash, status, reason, requested_at, created_at, closed_at)
VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''), $8, nullif($9, ''), $10, $11, $12)`
	updatePayout = `UPDATE payouts SET status = $2, reason = nullif($3, ''), closed_at = $4,
    batch_id = nullif($5, '')::uuid, external_reference = nullif($6, ''), paid_at = $7,
    failure_code = nullif($8, ''), version = $9, changed_at = $10
    WHERE id = $1`
	noteConflict = `UPDATE payouts SET conflicted_at = $2, version = $3, changed_at = $4
    WHERE id = $1 AND version = $3 - 1`
)

// Payouts is the repository of payouts.
type Payouts struct{ store *Store }

var (
	_ command.Payouts    = Payouts{}
	_ query.PayoutReader = Payouts{}
)

// Payouts returns the repository of payouts.
func (s *Store) Payouts() Payouts { return Payouts{store: s} }

// payoutRow is a row of payouts as it is scanned.
type payoutRow struct {
	p            payout.Snapshot
	minor        int64
	code, status string
	hash, reason *string
	closed       *time.Time
	conflicted   *time.Time
	batchID      *string
	reference    *string
	paid         *time.Time
	failure      *string
}

// targets returns where the columns of payoutColumns go.
func (r *payoutRow) targets() []any {
	return []any{
		&r.p.ID,
		&r.p.UserID,
		&r.minor,
		&r.code,
		&r.p.Method,
		&r.p.Details,
		&r.hash,
		&r.status,
		&r.reason,
		&r.p.RequestedAt,
		&r.p.CreatedAt,
		&r.p.UpdatedAt,
		&r.closed,
		&r.conflicted,
		&r.batchID,
		&r.reference,
		&r.paid,
		&r.failure,
		&r.p.Version,
	}
}

func (r *payoutRow) snapshot() (payout.Snapshot, error) {
	p := r.p

	currency, err := money.ParseCurrency(r.code)
	p.Amount = money.FromMinor(r.minor, currency)
	p.RequestHash = value(r.hash)
	p.Status = payout.Status(r.status)
	p.Reason = value(r.reason)
	p.RequestedAt = p.RequestedAt.UTC()
	p.CreatedAt = p.CreatedAt.UTC()
	p.UpdatedAt = p.UpdatedAt.UTC()
	p.ClosedAt = utc(r.closed)
	p.ConflictedAt = utc(r.conflicted)
	p.BatchID = value(r.batchID)
	p.ExternalReference = value(r.reference)
	p.PaidAt = utc(r.paid)
	p.FailureCode = payout.FailureCode(value(r.failure))

	return p, err
}

func scanPayout(row pgx.CollectableRow) (payout.Snapshot, error) {
	var r payoutRow
	if err := row.Scan(r.targets()...); err != nil {
		return r.p, err
	}

	return r.snapshot()
}

func readPayout(ctx context.Context, from querier, id, lock string) (payout.Snapshot, error) {
	return readOne(ctx, from, scanPayout, payout.ErrNotFound, selectPayouts+` WHERE id = $1`+lock, id)
}

// Create decides under the user's lock, so that the balance cannot change after it was read. The
// ledger refuses an overdraft even without the lock.
func (r Payouts) Create(
	ctx context.Context,
	wanted payout.Wanted,
	now time.Time,
	fn func(ledger.Funds) (payout.Payout, effect.Effect, error),
) (stored payout.Snapshot, known bool, err error) {
	err = r.store.begin(ctx, "request a payout", func(tx pgx.Tx) error {
		locked, err := r.store.lock(ctx, tx, wanted.UserID)
		if err != nil {
			return err
		}

		rows, err := collect(ctx, tx, scanPayout, selectPayouts+` WHERE id = $1 FOR UPDATE`, wanted.ID)
		if err != nil {
			return err
		}

		if known = len(rows) > 0; known {
			stored, err = repeated(ctx, locked, payout.Restore(rows[0]), wanted, now)
			return err
		}

		funds, err := readFunds(ctx, locked, wanted.UserID, wanted.Amount.Currency())
		if err != nil {
			return err
		}

		made, caused, err := fn(funds)
		if err != nil {
			return err
		}

		stored = made.Snapshot()
		if err := addPayout(ctx, tx, stored); err != nil {
			return err
		}

		if err := addTaken(ctx, tx, stored, caused.Taken); err != nil {
			return err
		}

		if err := copyTransfers(ctx, locked, caused.Transfers, stored.CreatedAt); err != nil {
			return err
		}

		cause := change.Cause{Kind: change.ByPaymentRequest, ID: stored.ID}

		return logPayout(ctx, locked, caused, stored, cause, stored.CreatedAt)
	})

	return stored, known, err
}

// repeated returns the payout after another request with its id.
func repeated(
	ctx context.Context,
	tx moneyTx,
	known payout.Payout,
	wanted payout.Wanted,
	now time.Time,
) (payout.Snapshot, error) {
	caused, changed := known.NoteConflict(wanted, now)

	s := known.Snapshot()
	if !changed {
		return s, nil
	}

	if _, err := tx.Exec(ctx, noteConflict, s.ID, s.ConflictedAt, s.Version, now); err != nil {
		return s, err
	}

	cause := change.Cause{Kind: change.ByPaymentRequest, ID: s.ID}

	return s, logPayout(ctx, tx, caused, s, cause, now)
}

func addPayout(ctx context.Context, tx pgx.Tx, p payout.Snapshot) error {
	_, err := tx.Exec(
		ctx,
		insertPayout,
		p.ID,
		p.UserID,
		p.Amount.Minor(),
		p.Amount.Currency().String(),
		p.Method,
		p.Details,
		p.RequestHash,
		string(p.Status),
		p.Reason,
		p.RequestedAt,
		p.CreatedAt,
		orNil(p.ClosedAt),
	)

	return err
}

// Update reads the payout twice: first for the user to lock, who never changes, and then again
// under the locks of the user and of the batch, in this order.
func (r Payouts) Update(
	ctx context.Context,
	request change.Request,
	id string,
	fn func(*payout.Payout, *batch.Batch) (change.Outcome, error),
) error {
	return r.store.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		found, err := readPayout(ctx, tx, id, "")
		if err != nil {
			return change.Outcome{}, err
		}

		locked, err := r.store.lock(ctx, tx, found.UserID)
		if err != nil {
			return change.Outcome{}, err
		}

		of, err := lockBatchOf(ctx, tx, found.BatchID)
		if err != nil {
			return change.Outcome{}, err
		}

		if found, err = readPayout(ctx, tx, id, " FOR UPDATE"); err != nil {
			return change.Outcome{}, err
		}

		if found.BatchID != of.Snapshot().ID {
			return change.Outcome{}, errRace
		}

		changed := payout.Restore(found)

		outcome, err := fn(&changed, &of)
		if err != nil {
			return change.Outcome{}, err
		}

		if err := saveBatch(ctx, tx, of.Snapshot()); err != nil {
			return change.Outcome{}, err
		}

		if err := savePayout(ctx, tx, changed.Snapshot()); err != nil {
			return change.Outcome{}, err
		}

		if err := copyTransfers(ctx, locked, outcome.Effect.Transfers, request.Now); err != nil {
			return change.Outcome{}, err
		}

		return outcome, logPayout(
			ctx,
			locked,
			outcome.Effect,
			changed.Snapshot(),
			request.Cause(),
			request.Now,
		)
	})
}

func savePayout(ctx context.Context, tx pgx.Tx, p payout.Snapshot) error {
	_, err := tx.Exec(
		ctx,
		updatePayout,
		p.ID,
		string(p.Status),
		p.Reason,
		orNil(p.ClosedAt),
		p.BatchID,
		p.ExternalReference,
		orNil(p.PaidAt),
		string(p.FailureCode),
		p.Version,
		p.UpdatedAt,
	)

	return err
}

func (r Payouts) Payout(ctx context.Context, owner query.Owner, id string) (payout.Snapshot, error) {
	found, err := readPayout(ctx, r.store.pool, id, "")
	if err == nil && !owner.Sees(found.UserID) {
		return payout.Snapshot{}, payout.ErrNotFound
	}

	return found, mapped("read a payout", err)
}

func (r Payouts) Payouts(
	ctx context.Context,
	owner query.Owner,
	filter query.PayoutFilter,
	limit int,
	after query.Position,
) ([]payout.Snapshot, error) {
	var c conditions
	c.owned(owner)

	c.equal("status", filter.Status)

	if filter.BatchID != "" {
		if _, err := uuid.Parse(filter.BatchID); err != nil {
			return nil, nil // no batch has that id
		}

		c.add("batch_id = $?::uuid", filter.BatchID)
	}

	c.between("created_at", filter.CreatedFrom, filter.CreatedTo)
	c.between(updatedAt, filter.Updated.From, filter.Updated.To)

	rows := byTime[payout.Snapshot]{
		sql:   selectSealed,
		id:    "payouts.id",
		ids:   uuids,
		time:  "created_at",
		order: newestFirst(),
		scan:  scanPayout,
	}
	if filter.Updated.Asked() {
		rows.time, rows.order = updatedAt, oldestFirst()
	}

	list, err := rows.page(ctx, r.store.pool, c, limit, after)

	return list, mapped("list payouts", err)
}
