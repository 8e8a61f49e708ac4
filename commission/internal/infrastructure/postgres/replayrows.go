package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

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

	updateReplay = `
UPDATE replays SET status = $2, failure = nullif($3, ''), total_users = $4, total_events = $5,
    users = $6, events = $7, differences = $8, sums = $9::jsonb, position = $10, changed_at = $11,
    ended_at = $12, version = $13, held_until = ` + claimed + `
WHERE id = $1`

	selectDifferences = `
SELECT user_id, event_id, occurred_at, currency, expected_minor, booked_minor
FROM replay_differences WHERE replay_id = $1 AND number >= $2 ORDER BY number LIMIT $3`
)

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

func readReplay(
	ctx context.Context,
	from querier,
	condition, id string,
	args ...any,
) (replay.Snapshot, error) {
	return readOne(ctx, from, scanReplay, replay.ErrNotFound, selectReplay+condition, id, args...)
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
