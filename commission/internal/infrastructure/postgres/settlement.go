package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
)

const (
	// One change of a batch at a time: it holds a lock for each of up to 5,000 users, and the
	// server has room for a few thousand locks by default.
	lockSettlement = `SELECT pg_advisory_xact_lock(7305)`

	lockPayouts = selectSealed + ` WHERE batch_id = $1 ORDER BY payouts.id FOR UPDATE`

	closePayouts = `
UPDATE payouts SET status = r.status, reason = nullif(r.reason, ''), closed_at = r.closed_at,
    external_reference = nullif(r.reference, ''), paid_at = r.paid_at,
    failure_code = nullif(r.failure, ''), version = r.version, changed_at = r.closed_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::timestamptz[],
    $7::text[], $8::int[])
    AS r (id, status, reason, closed_at, reference, paid_at, failure, version)
WHERE payouts.id = r.id`
)

// Settle locks the users, then the batch, then its payouts, as who closes one payout does. Who is
// paid by a batch is known before: payouts only leave it.
func (r Batches) Settle(
	ctx context.Context,
	request change.Request,
	id string,
	fn func(*batch.Batch, []*payout.Payout) (change.Outcome, error),
) error {
	return r.store.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		locked, err := r.lockPayees(ctx, tx, id)
		if err != nil {
			return change.Outcome{}, err
		}

		settled, err := lockBatch(ctx, tx, id)
		if err != nil {
			return change.Outcome{}, err
		}

		before, err := collect(ctx, tx, scanPayout, lockPayouts, id)
		if err != nil {
			return change.Outcome{}, err
		}

		payouts := restored(before)

		outcome, err := fn(&settled, payouts)
		if err != nil {
			return change.Outcome{}, err
		}

		if err := saveBatch(ctx, tx, settled.Snapshot()); err != nil {
			return change.Outcome{}, err
		}

		if err := saveClosed(ctx, tx, before, payouts); err != nil {
			return change.Outcome{}, err
		}

		if err := copyTransfers(ctx, locked, outcome.Effect.Transfers, request.Now); err != nil {
			return change.Outcome{}, err
		}

		return outcome, logPayouts(
			ctx,
			locked,
			outcome.Effect.Facts,
			byID(snapshots(payouts)...),
			request.Cause(),
			request.Now,
		)
	})
}

// lockPayees waits for the locks of the users whom the batch pays.
func (r Batches) lockPayees(ctx context.Context, tx pgx.Tx, id string) (moneyTx, error) {
	if _, err := readBatch(ctx, tx, id, ""); err != nil {
		return moneyTx{}, err
	}

	if _, err := tx.Exec(ctx, lockSettlement); err != nil {
		return moneyTx{}, err
	}

	users, err := collect(ctx, tx, pgx.RowTo[string], selectPayees, id)
	if err != nil {
		return moneyTx{}, err
	}

	return r.store.lock(ctx, tx, users...)
}

// restored returns the payouts of the snapshots.
func restored(snapshots []payout.Snapshot) []*payout.Payout {
	payouts := make([]*payout.Payout, len(snapshots))
	for i, s := range snapshots {
		p := payout.Restore(s)
		payouts[i] = &p
	}

	return payouts
}

// saveClosed stores the payouts that have changed, in one statement.
func saveClosed(
	ctx context.Context,
	tx pgx.Tx,
	before []payout.Snapshot,
	payouts []*payout.Payout,
) error {
	var rows closedRows

	for i, p := range payouts {
		if s := p.Snapshot(); s.Version != before[i].Version {
			rows.add(s)
		}
	}

	if len(rows.ids) == 0 {
		return nil
	}

	_, err := tx.Exec(
		ctx,
		closePayouts,
		rows.ids,
		rows.statuses,
		rows.reasons,
		rows.closed,
		rows.references,
		rows.paid,
		rows.failures,
		rows.versions,
	)

	return err
}

// closedRows are the columns of closePayouts.
type closedRows struct {
	ids, statuses, reasons, references, failures []string
	closed, paid                                 []*time.Time
	versions                                     []int
}

func (r *closedRows) add(s payout.Snapshot) {
	r.ids = append(r.ids, s.ID)
	r.statuses = append(r.statuses, string(s.Status))
	r.reasons = append(r.reasons, s.Reason)
	r.references = append(r.references, s.ExternalReference)
	r.failures = append(r.failures, string(s.FailureCode))
	r.closed = append(r.closed, orNil(s.ClosedAt))
	r.paid = append(r.paid, orNil(s.PaidAt))
	r.versions = append(r.versions, s.Version)
}
