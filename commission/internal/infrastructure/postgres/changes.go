package postgres

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/effect"
	"tributary/platform/fault"
	"tributary/platform/idempotency"
)

const (
	lockKey   = `SELECT pg_advisory_xact_lock(hashtextextended($1 || chr(10) || $2, 7302))`
	selectKey = `SELECT request_hash, body FROM idempotency_keys WHERE caller = $1 AND key = $2`
	insertKey = `INSERT INTO idempotency_keys (caller, key, request_hash, body, created_at)
    VALUES ($1, $2, $3, $4, $5)`
	insertAudit = `
INSERT INTO audit (at, actor, action, subject_type, subject_id, reason, before, after, request_id)
SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[],
    $6::text[], $7::text[], $8::text[], $9::text[])`

	// One caller at a time. The service may not lock the rows: that requires the right to update
	// them.
	lockForgetting = `SELECT pg_try_advisory_xact_lock(7304)`
	deleteKeys     = `
DELETE FROM idempotency_keys WHERE (caller, key) IN (SELECT caller, key FROM idempotency_keys
    WHERE created_at < $1 ORDER BY created_at LIMIT $2)`
)

// once runs fn in a transaction, at most once for the request's key, and writes the outcome that fn
// returns: the audit row, and the answer under the key. fn itself writes what it changes, with the
// transfers that this causes.
func (s *Store) once(
	ctx context.Context,
	request change.Request,
	fn func(pgx.Tx) (change.Outcome, error),
) error {
	return s.begin(ctx, "make a change", func(tx pgx.Tx) error {
		if err := known(ctx, tx, request); err != nil {
			return err
		}

		outcome, err := fn(tx)
		if err != nil {
			return err
		}

		if err := audit(ctx, tx, outcome); err != nil || request.Key == "" {
			return err
		}

		_, err = tx.Exec(
			ctx,
			insertKey,
			request.Actor,
			request.Key,
			request.Hash[:],
			string(outcome.Answer),
			request.Now,
		)

		return err
	})
}

// audit writes the records of an outcome that name an action, in their order.
func audit(ctx context.Context, tx pgx.Tx, outcome change.Outcome) error {
	var (
		times []time.Time
		texts [8][]string
	)

	for _, r := range append([]change.Record{outcome.Record}, outcome.More...) {
		if r.Action == "" {
			continue
		}

		times = append(times, r.At)
		for i, text := range []string{
			r.Actor,
			r.Action,
			r.SubjectType,
			r.SubjectID,
			r.Reason,
			r.Before,
			r.After,
			r.RequestID,
		} {
			texts[i] = append(texts[i], text)
		}
	}

	if len(times) == 0 {
		return nil
	}

	args := []any{times}
	for i := range texts {
		args = append(args, texts[i])
	}

	_, err := tx.Exec(ctx, insertAudit, args...)

	return err
}

// known returns a *change.ReplayedError if the key was used for the same request. Concurrent
// requests with the same key wait for each other.
func known(ctx context.Context, tx pgx.Tx, request change.Request) error {
	if request.Key == "" {
		return nil
	}

	if _, err := tx.Exec(ctx, lockKey, request.Actor, request.Key); err != nil {
		return err
	}

	var (
		hash []byte
		body string
	)

	err := tx.QueryRow(ctx, selectKey, request.Actor, request.Key).Scan(&hash, &body)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return err
	case !bytes.Equal(hash, request.Hash[:]):
		return fault.ErrKeyReused
	}

	return &change.ReplayedError{Body: []byte(body)}
}

var _ change.Journal = (*Store)(nil)

func (s *Store) Known(ctx context.Context, request change.Request) error {
	return s.begin(ctx, "look for a key", func(tx pgx.Tx) error { return known(ctx, tx, request) })
}

func (s *Store) Note(
	ctx context.Context,
	request change.Request,
	record change.Record,
	result any,
) error {
	return s.once(ctx, request, func(pgx.Tx) (change.Outcome, error) {
		return request.Outcome(record, effect.Effect{}, result)
	})
}

var _ idempotency.Keys = (*Store)(nil)

func (s *Store) Forget(ctx context.Context, before time.Time, limit int) (int, error) {
	deleted := 0

	err := s.begin(ctx, "delete old answers", func(tx pgx.Tx) error {
		var alone bool
		if err := tx.QueryRow(ctx, lockForgetting).Scan(&alone); err != nil || !alone {
			return err
		}

		tag, err := tx.Exec(ctx, deleteKeys, before, limit)
		deleted = int(tag.RowsAffected())

		return err
	})
	if err != nil {
		return 0, err
	}

	return deleted, nil
}
