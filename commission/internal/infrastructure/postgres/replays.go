package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	application "tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/replay"
)

const (
	// The period is small if it has at most $3 events; no more are read.
	selectSmall = `
SELECT count(*) <= $3 FROM (
    SELECT FROM decisions WHERE occurred_at >= $1 AND occurred_at < $2 LIMIT $3 + 1
) AS first`

	// How long another process leaves a replay alone. It is measured by the clock of the database.
	claimed = `statement_timestamp() + interval '15 seconds'`

	insertReplay = `
INSERT INTO replays (id, period_from, period_to, dry_run, reason, actor, request_id, revision,
    requested_at, status, users, events, differences, sums, position, changed_at, at_once, holder,
    held_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, '{}', '', $11, $12, $13, ` + claimed + `)`

	takeReplay = `
UPDATE replays SET holder = $1, held_until = ` + claimed + `
WHERE id = (
    SELECT id FROM replays WHERE status = 'running' AND held_until <= statement_timestamp()
    ORDER BY held_until LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING id::text`

	keepReplay = `
UPDATE replays SET held_until = ` + claimed + `
WHERE id = $1 AND holder = $2 AND status = 'running'`

	leaveReplay = `
UPDATE replays SET held_until = statement_timestamp(), at_once = false
WHERE id = $1 AND holder = $2 AND status = 'running'`
)

// Replays is the repository of replays.
type Replays struct{ store *Store }

var (
	_ application.Repository = Replays{}
	_ command.Replays        = Replays{}
	_ query.ReplayReader     = Replays{}
)

// Replays returns the repository of replays.
func (s *Store) Replays() Replays { return Replays{store: s} }

func (r Replays) Create(
	ctx context.Context,
	request change.Request,
	wanted application.Creation,
	fn func(revision int64, small bool) (replay.Replay, change.Outcome, error),
) error {
	return r.store.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		var (
			revision int64
			small    bool
		)

		if err := tx.QueryRow(ctx, selectRevision).Scan(&revision); err != nil {
			return change.Outcome{}, err
		}

		period := wanted.Period
		if err := tx.QueryRow(ctx, selectSmall, period.From, period.To, wanted.Small).
			Scan(&small); err != nil {
			return change.Outcome{}, err
		}

		made, outcome, err := fn(revision, small)
		if err != nil {
			return outcome, err
		}

		s := made.Snapshot()
		_, err = tx.Exec(
			ctx,
			insertReplay,
			s.ID,
			s.Period.From,
			s.Period.To,
			s.DryRun,
			s.Reason,
			s.Actor,
			s.RequestID,
			s.Revision,
			s.RequestedAt,
			string(s.Status),
			s.ChangedAt,
			s.AtOnce,
			wanted.Holder,
		)

		return outcome, err
	})
}

func (r Replays) Replay(ctx context.Context, id string) (replay.Snapshot, error) {
	found, err := readReplay(ctx, r.store.pool, ` WHERE id = $1`, id)
	return found, mapped("read a replay", err)
}

func (r Replays) Update(
	ctx context.Context,
	claim application.Claim,
	fn func(*replay.Replay) error,
) error {
	return r.store.begin(ctx, "update a replay", func(tx pgx.Tx) error {
		found, err := lockReplay(ctx, tx, claim)
		if err != nil {
			return err
		}

		if err := fn(&found); err != nil {
			return err
		}

		return saveReplay(ctx, tx, found.Snapshot())
	})
}

// Change locks the row of the replay: the step that is being made ends before.
func (r Replays) Change(
	ctx context.Context,
	request change.Request,
	id string,
	fn func(*replay.Replay) (change.Outcome, error),
) error {
	return r.store.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		found, err := readReplay(ctx, tx, ` WHERE id = $1 FOR UPDATE`, id)
		if err != nil {
			return change.Outcome{}, err
		}

		changed := replay.Restore(found)

		outcome, err := fn(&changed)
		if err != nil {
			return outcome, err
		}

		return outcome, saveReplay(ctx, tx, changed.Snapshot())
	})
}

func (r Replays) Take(
	ctx context.Context,
	holder string,
) (claim application.Claim, found bool, err error) {
	claim.Holder = holder

	err = r.store.pool.QueryRow(ctx, takeReplay, holder).Scan(&claim.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return claim, false, nil
	}

	return claim, err == nil, mapped("take a replay", err)
}

func (r Replays) Keep(ctx context.Context, claim application.Claim) error {
	tag, err := r.store.pool.Exec(ctx, keepReplay, claim.ID, claim.Holder)
	if err == nil && tag.RowsAffected() == 0 {
		return application.ErrLost
	}

	return mapped("keep a replay", err)
}

func (r Replays) Leave(ctx context.Context, claim application.Claim) error {
	_, err := r.store.pool.Exec(ctx, leaveReplay, claim.ID, claim.Holder)
	return mapped("leave a replay", err)
}

func (r Replays) Differences(
	ctx context.Context,
	id string,
	number int64,
	limit int,
) ([]application.Difference, error) {
	found, err := collect(
		ctx,
		r.store.pool,
		scanDifference,
		selectDifferences,
		id,
		number,
		limit,
	)

	return found, mapped("read differences", err)
}

func (r Replays) Replays(
	ctx context.Context,
	limit int,
	after query.Position,
) ([]replay.Snapshot, error) {
	list, err := byTime[replay.Snapshot]{
		sql:   selectReplay,
		id:    "replays.id",
		ids:   uuids,
		time:  "requested_at",
		order: newestFirst(),
		scan:  scanReplay,
	}.page(ctx, r.store.pool, conditions{}, limit, after)

	return list, mapped("list replays", err)
}
