package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	application "tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/replay"
	"tributary/platform/money"
)

const (
	replayColumns = `id::text, period_from, period_to, dry_run, reason, actor, request_id, revision,
    requested_at, status, failure, total_users, total_events, users, events, differences,
    sums::text, position, changed_at, ended_at, at_once, version`
	selectReplay = `SELECT ` + replayColumns + ` FROM replays`

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

	updateReplay = `
UPDATE replays SET status = $2, failure = nullif($3, ''), total_users = $4, total_events = $5,
    users = $6, events = $7, differences = $8, sums = $9::jsonb, position = $10, changed_at = $11,
    ended_at = $12, version = $13, held_until = ` + claimed + `
WHERE id = $1`

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

	selectDifferences = `
SELECT user_id, event_id, occurred_at, currency, expected_minor, booked_minor
FROM replay_differences WHERE replay_id = $1 AND number >= $2 ORDER BY number LIMIT $3`
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

func scanReplay(row pgx.CollectableRow) (replay.Snapshot, error) {
	var (
		s                       replay.Snapshot
		status, sums            string
		failure                 *string
		totalUsers, totalEvents *int64
		ended                   *time.Time
	)

	p := &s.Progress

	err := row.Scan(
		&s.ID,
		&s.Period.From,
		&s.Period.To,
		&s.DryRun,
		&s.Reason,
		&s.Actor,
		&s.RequestID,
		&s.Revision,
		&s.RequestedAt,
		&status,
		&failure,
		&totalUsers,
		&totalEvents,
		&p.Done.Users,
		&p.Done.Events,
		&p.Differences,
		&sums,
		&p.Position,
		&s.ChangedAt,
		&ended,
		&s.AtOnce,
		&s.Version,
	)
	if err != nil {
		return s, err
	}

	if totalUsers != nil {
		p.Total = &replay.Size{Users: *totalUsers, Events: value(totalEvents)}
	}

	s.Period = replay.Period{From: s.Period.From.UTC(), To: s.Period.To.UTC()}
	s.RequestedAt = s.RequestedAt.UTC()
	s.Status = replay.Status(status)
	s.Failure = value(failure)
	s.ChangedAt = s.ChangedAt.UTC()
	s.EndedAt = utc(ended)
	p.Sums, err = sumsOf(sums)

	return s, err
}

// sumsOf reads sums of minor units by currency.
func sumsOf(text string) (map[money.Currency]money.Total, error) {
	var texts map[string]string
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return nil, err
	}

	sums := map[money.Currency]money.Total{}
	for code, minor := range texts {
		currency, err := money.ParseCurrency(code)
		if err != nil {
			return nil, err
		}

		if sums[currency], err = money.ParseTotal(minor, currency); err != nil {
			return nil, err
		}
	}

	return sums, nil
}

func textOfSums(sums map[money.Currency]money.Total) (string, error) {
	texts := map[string]string{}
	for currency, sum := range sums {
		texts[currency.String()] = sum.Minor()
	}

	text, err := json.Marshal(texts)

	return string(text), err
}

func (r Replays) Replay(ctx context.Context, id string) (replay.Snapshot, error) {
	found, err := readReplay(ctx, r.store.pool, ` WHERE id = $1`, id)
	return found, mapped("read a replay", err)
}

func readReplay(
	ctx context.Context,
	from querier,
	condition, id string,
	args ...any,
) (replay.Snapshot, error) {
	if _, err := uuid.Parse(id); err != nil {
		return replay.Snapshot{}, replay.ErrNotFound
	}

	rows, err := from.Query(ctx, selectReplay+condition, append([]any{id}, args...)...)
	if err != nil {
		return replay.Snapshot{}, err
	}

	found, err := pgx.CollectExactlyOneRow(rows, scanReplay)
	if errors.Is(err, pgx.ErrNoRows) {
		return found, replay.ErrNotFound
	}

	return found, err
}

// lockReplay returns the claimed replay, whose row is locked until the transaction ends. Whoever
// also locks users does it before.
func lockReplay(
	ctx context.Context,
	tx pgx.Tx,
	claim application.Claim,
) (replay.Replay, error) {
	const held = ` WHERE id = $1 AND holder = $2 AND status = 'running' FOR UPDATE`

	found, err := readReplay(ctx, tx, held, claim.ID, claim.Holder)
	if errors.Is(err, replay.ErrNotFound) {
		return replay.Replay{}, application.ErrLost
	}

	return replay.Restore(found), err
}

func saveReplay(ctx context.Context, tx pgx.Tx, s replay.Snapshot) error {
	var totalUsers, totalEvents *int64
	if total := s.Progress.Total; total != nil {
		totalUsers = &total.Users
		totalEvents = &total.Events
	}

	sums, err := textOfSums(s.Progress.Sums)
	if err != nil {
		return err
	}

	_, err = tx.Exec(
		ctx,
		updateReplay,
		s.ID,
		string(s.Status),
		s.Failure,
		totalUsers,
		totalEvents,
		s.Progress.Done.Users,
		s.Progress.Done.Events,
		s.Progress.Differences,
		sums,
		s.Progress.Position,
		s.ChangedAt,
		orNil(s.EndedAt),
		s.Version,
	)

	return err
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

func scanDifference(row pgx.CollectableRow) (application.Difference, error) {
	var (
		d        application.Difference
		snapshot event.Snapshot
		code     string
	)

	err := row.Scan(
		&snapshot.UserID,
		&snapshot.ID,
		&snapshot.OccurredAt,
		&code,
		&d.Expected,
		&d.Posted,
	)
	if err != nil {
		return d, err
	}

	snapshot.OccurredAt = snapshot.OccurredAt.UTC()
	d.Event = event.Restore(snapshot)
	d.Currency, err = money.ParseCurrency(code)

	return d, err
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
