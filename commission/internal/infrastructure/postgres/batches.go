package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

const (
	batchColumns = `id::text, currency, payment_method, cutoff, max_payouts, status, payouts,
    total_minor::text, open_payouts, four_eyes,
    (SELECT jsonb_agg(jsonb_build_array(f.format, encode(f.digest, 'hex'), f.bytes, f.made_by,
        f.made_at) ORDER BY f.made_at, f.format)::text FROM payout_files AS f
    WHERE f.batch_id = payout_batches.id),
    made_by, made_at, approved_by, approved_at, sent_by, sent_at, closed_at, reason, version`
	selectBatches = `SELECT ` + batchColumns + ` FROM payout_batches`
	insertBatch   = `
INSERT INTO payout_batches (id, currency, payment_method, cutoff, max_payouts, status, payouts,
    total_minor, open_payouts, four_eyes, made_by, made_at, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::numeric, $9, $10, $11, $12, $13)`
	updateBatch = `
UPDATE payout_batches SET status = $2, payouts = $3, total_minor = $4::numeric, open_payouts = $5,
    approved_by = nullif($6, ''), approved_at = $7, sent_by = nullif($8, ''), sent_at = $9,
    closed_at = $10, reason = $11, version = $12
WHERE id = $1 AND version < $12`

	selectPayees = `SELECT user_id FROM payouts WHERE batch_id = $1`

	// What can be claimed is read before the locks of its users, and again under them.
	selectClaimable = `SELECT id::text, user_id FROM payouts WHERE currency = $1
    AND payment_method = $2 AND status = 'requested' AND batch_id IS NULL AND created_at <= $3
    AND user_id <> $4
ORDER BY created_at, payouts.id LIMIT $5`
	claimPayouts = selectSealed + ` WHERE id = ANY($1::uuid[]) AND status = 'requested'
    AND batch_id IS NULL
ORDER BY created_at, payouts.id FOR UPDATE`
	joinBatch = `UPDATE payouts SET batch_id = $1, version = version + 1, changed_at = $3
    WHERE id = ANY($2::uuid[])`
	releasePayouts = `UPDATE payouts SET batch_id = NULL, version = version + 1, changed_at = $2
    WHERE batch_id = $1`
)

// Batches is the repository of payout batches.
type Batches struct{ store *Store }

var (
	_ command.Batches   = Batches{}
	_ query.BatchReader = Batches{}
)

// Batches returns the repository of payout batches.
func (s *Store) Batches() Batches { return Batches{store: s} }

func scanBatch(row pgx.CollectableRow) (batch.Snapshot, error) {
	var (
		b                      batch.Snapshot
		code, status, total    string
		approvedBy, sentBy     *string
		approved, sent, closed *time.Time
		files                  *string
	)

	err := row.Scan(
		&b.ID,
		&code,
		&b.Method,
		&b.Cutoff,
		&b.Limit,
		&status,
		&b.Count,
		&total,
		&b.Open,
		&b.FourEyes,
		&files,
		&b.MadeBy,
		&b.MadeAt,
		&approvedBy,
		&approved,
		&sentBy,
		&sent,
		&closed,
		&b.Reason,
		&b.Version,
	)
	if err != nil {
		return b, err
	}

	if b.Currency, err = money.ParseCurrency(code); err != nil {
		return b, err
	}

	b.Cutoff = b.Cutoff.UTC()
	b.Status = batch.Status(status)
	b.MadeAt = b.MadeAt.UTC()
	b.ApprovedBy = value(approvedBy)
	b.ApprovedAt = utc(approved)
	b.SentBy = value(sentBy)
	b.SentAt = utc(sent)
	b.ClosedAt = utc(closed)

	if b.Total, err = money.ParseTotal(total, b.Currency); err != nil {
		return b, err
	}

	b.Files, err = filesOf(value(files))

	return b, err
}

func readBatch(ctx context.Context, from querier, id, lock string) (batch.Snapshot, error) {
	return readOne(ctx, from, scanBatch, batch.ErrNotFound, selectBatches+` WHERE id = $1`+lock, id)
}

// lockBatch waits for the row of the batch. Who also locks users does it before, and who changes
// payouts of a batch does it after.
func lockBatch(ctx context.Context, tx pgx.Tx, id string) (batch.Batch, error) {
	found, err := readBatch(ctx, tx, id, " FOR UPDATE OF payout_batches")
	if err != nil {
		return batch.Batch{}, err
	}

	payees, err := collect(ctx, tx, pgx.RowTo[string], selectPayees, id)

	return batch.Restore(found, payees), err
}

// lockBatchOf is lockBatch for the batch of a payout, and returns the zero Batch for none.
func lockBatchOf(ctx context.Context, tx pgx.Tx, id string) (batch.Batch, error) {
	if id == "" {
		return batch.Batch{}, nil
	}

	found, err := readBatch(ctx, tx, id, " FOR UPDATE OF payout_batches")

	return batch.Restore(found, nil), err
}

// saveBatch stores the batch, unless it is the zero Batch or has not changed.
func saveBatch(ctx context.Context, tx pgx.Tx, b batch.Snapshot) error {
	if b.ID == "" {
		return nil
	}

	_, err := tx.Exec(
		ctx,
		updateBatch,
		b.ID,
		string(b.Status),
		b.Count,
		b.Total.Minor(),
		b.Open,
		b.ApprovedBy,
		orNil(b.ApprovedAt),
		b.SentBy,
		orNil(b.SentAt),
		orNil(b.ClosedAt),
		b.Reason,
		b.Version,
	)

	return err
}

// Create stores the batch before its payouts join it, as the triggers want it.
func (r Batches) Create(
	ctx context.Context,
	request change.Request,
	wanted batch.Wanted,
	fn func([]*payout.Payout) (batch.Batch, change.Outcome, error),
) error {
	return r.store.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		locked, found, err := r.claim(ctx, tx, wanted)
		if err != nil {
			return change.Outcome{}, err
		}

		claimed := restored(found)

		made, outcome, err := fn(claimed)
		if err != nil {
			return change.Outcome{}, err
		}

		if err := addBatch(ctx, tx, made.Snapshot()); err != nil {
			return change.Outcome{}, err
		}

		after := snapshots(claimed)
		if _, err := tx.Exec(ctx, joinBatch, made.Snapshot().ID, idsOf(after), request.Now); err != nil {
			return change.Outcome{}, err
		}

		return outcome, logPayouts(
			ctx,
			locked,
			outcome.Effect.Facts,
			byID(after...),
			request.Cause(),
			request.Now,
		)
	})
}

// claim locks the users of the payouts, and then the payouts. errRace is returned if one of them
// was claimed or closed in between.
func (r Batches) claim(
	ctx context.Context,
	tx pgx.Tx,
	wanted batch.Wanted,
) (moneyTx, []payout.Snapshot, error) {
	if _, err := tx.Exec(ctx, lockSettlement); err != nil {
		return moneyTx{}, nil, err
	}

	rows, err := tx.Query(
		ctx,
		selectClaimable,
		wanted.Currency.String(),
		wanted.Method,
		wanted.Cutoff,
		wanted.MadeBy,
		min(wanted.Limit, batch.MaxPayouts),
	)
	if err != nil {
		return moneyTx{}, nil, err
	}

	ids, users, err := pairs(rows)
	if err != nil {
		return moneyTx{}, nil, err
	}

	locked, err := r.store.lock(ctx, tx, users...)
	if err != nil {
		return locked, nil, err
	}

	found, err := collect(ctx, tx, scanPayout, claimPayouts, ids)
	if err == nil && len(found) < len(ids) {
		err = errRace
	}

	return locked, found, err
}

func snapshots(payouts []*payout.Payout) []payout.Snapshot {
	out := make([]payout.Snapshot, len(payouts))
	for i, p := range payouts {
		out[i] = p.Snapshot()
	}

	return out
}

func idsOf(payouts []payout.Snapshot) []string {
	ids := make([]string, len(payouts))
	for i, p := range payouts {
		ids[i] = p.ID
	}

	return ids
}

func addBatch(ctx context.Context, tx pgx.Tx, b batch.Snapshot) error {
	_, err := tx.Exec(
		ctx,
		insertBatch,
		b.ID,
		b.Currency.String(),
		b.Method,
		b.Cutoff,
		b.Limit,
		string(b.Status),
		b.Count,
		b.Total.Minor(),
		b.Open,
		b.FourEyes,
		b.MadeBy,
		b.MadeAt,
		b.Reason,
	)

	return err
}

func (r Batches) Update(
	ctx context.Context,
	request change.Request,
	id string,
	fn func(*batch.Batch) (change.Outcome, error),
) error {
	return r.store.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		locked, err := r.lockPayees(ctx, tx, id)
		if err != nil {
			return change.Outcome{}, err
		}

		changed, err := lockBatch(ctx, tx, id)
		if err != nil {
			return change.Outcome{}, err
		}

		outcome, err := fn(&changed)
		if err != nil {
			return change.Outcome{}, err
		}

		after := changed.Snapshot()
		if err := saveBatch(ctx, tx, after); err != nil {
			return change.Outcome{}, err
		}

		if after.Status == batch.Cancelled {
			err = releaseAll(ctx, locked, id, request)
		}

		return outcome, err
	})
}

// releaseAll takes the payouts out of their batch.
func releaseAll(ctx context.Context, tx moneyTx, id string, request change.Request) error {
	found, err := collect(ctx, tx, scanPayout, lockPayouts, id)
	if err != nil {
		return err
	}

	payouts := restored(found)

	var facts []effect.Fact
	for _, p := range payouts {
		facts = append(facts, p.Release(request.Now).Facts...)
	}

	if _, err := tx.Exec(ctx, releasePayouts, id, request.Now); err != nil {
		return err
	}

	after := byID(snapshots(payouts)...)

	return logPayouts(ctx, tx, facts, after, request.Cause(), request.Now)
}

func (r Batches) Batch(ctx context.Context, id string) (batch.Snapshot, error) {
	found, err := readBatch(ctx, r.store.pool, id, "")
	return found, mapped("read a payout batch", err)
}

func (r Batches) Batches(
	ctx context.Context,
	filter query.BatchFilter,
	limit int,
	after query.Position,
) ([]batch.Snapshot, error) {
	var c conditions

	c.equal("status", filter.Status)
	c.between("made_at", filter.CreatedFrom, filter.CreatedTo)

	list, err := byTime[batch.Snapshot]{
		sql:   selectBatches,
		id:    "payout_batches.id",
		ids:   uuids,
		time:  "made_at",
		order: newestFirst(),
		scan:  scanBatch,
	}.page(ctx, r.store.pool, c, limit, after)

	return list, mapped("list payout batches", err)
}
