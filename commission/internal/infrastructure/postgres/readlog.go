package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/domain/effect"
	platform "tributary/platform/postgres"
	"tributary/platform/relay"
)

// EventLog reads the log of changes, and keeps the row of its relay.
type EventLog struct {
	store *Store
	lease *platform.Lease
}

var _ relay.Log[eventlog.Position, eventlog.Event] = (*EventLog)(nil)

// EventLog returns the log of changes.
func (s *Store) EventLog() *EventLog {
	return &EventLog{store: s, lease: platform.NewLease(s.pool, "relay", "tx", "seq")}
}

const (
	selectLogged = `SELECT tx, seq, at, coalesce(user_id, ''), coalesce(rule_id::text, ''), sequence,
    type, coalesce(event_id, ''), coalesce(commission_id::text, ''), coalesce(payout_id::text, ''),
    caused_by, coalesce(cause_id, ''), coalesce(actor, ''), coalesce(status, ''),
    coalesce(version, 0), changed_at, coalesce(state, ''), coalesce(previous_status, ''),
    coalesce(previous_version, 0)
FROM commission_events`

	// A transaction that still runs may have written rows between those that are visible. All
	// transactions before the oldest of them have ended: what they wrote is visible, or never will
	// be. Rows of later ones wait.
	selectLog = selectLogged + `
WHERE (tx, seq) > ($1, $2) AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx, seq LIMIT $3`

	// An event of a user is written under the user's lock, after the one before was committed.
	// Whoever sees it sees all before it.
	selectLogOfUser = selectLogged + `
WHERE user_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`
)

const selectHeld = `
SELECT coalesce(extract(epoch FROM clock_timestamp() - (
    SELECT at FROM commission_events WHERE tx >= pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY tx, seq LIMIT 1
)), 0)::bigint`

// Held returns for how long the oldest event has waited that is committed, and that readers do not
// see yet because an earlier transaction still runs, in whole seconds. It returns 0 without one.
func (l *EventLog) Held(ctx context.Context) (time.Duration, error) {
	var seconds int64

	err := l.store.pool.QueryRow(ctx, selectHeld).Scan(&seconds)

	return time.Duration(max(seconds, 0)) * time.Second, mapped("look at the end of the log", err)
}

type logRow struct {
	logged

	place    eventlog.Position
	at       time.Time
	ruleID   string
	sequence int64
}

func scanLog(row pgx.CollectableRow) (logRow, error) {
	var (
		r                           logRow
		eventID, commission, payout string
		kind, by                    string
		changed                     *time.Time
	)

	err := row.Scan(
		&r.place.Tx,
		&r.place.Seq,
		&r.at,
		&r.UserID,
		&r.ruleID,
		&r.sequence,
		&kind,
		&eventID,
		&commission,
		&payout,
		&by,
		&r.cause.ID,
		&r.cause.Actor,
		&r.status,
		&r.version,
		&changed,
		&r.state,
		&r.PreviousStatus,
		&r.PreviousVersion,
	)

	r.Type = effect.Type(kind)
	r.SubjectID = eventID + commission + payout + r.ruleID // one of them
	r.cause.Kind = change.CauseKind(by)
	r.changedAt = utc(changed)
	r.at = r.at.UTC()

	if r.cause.ID == "" {
		r.cause.ID = r.SubjectID
	}

	return r, err
}

// Read implements relay.Log.
func (l *EventLog) Read(
	ctx context.Context,
	after eventlog.Position,
	limit int,
) ([]eventlog.Event, error) {
	rows, err := collect(ctx, l.store.pool, scanLog, selectLog, after.Tx, after.Seq, limit)
	if err != nil {
		return nil, mapped("read the log of changes", err)
	}

	if len(rows) < limit {
		l.store.recent.caughtUp()
	}

	events, err := l.complete(ctx, rows, l.store.recent)

	return events, mapped("read the things of the log of changes", err)
}

func (l *EventLog) Lead(
	ctx context.Context,
	holder string,
	lease time.Duration,
) (position eventlog.Position, leads bool, err error) {
	leads, err = l.lease.Take(ctx, holder, lease, &position.Tx, &position.Seq)
	l.store.recent.serve(leads || err != nil)

	return position, leads, err
}

func (l *EventLog) Advance(
	ctx context.Context,
	holder string,
	position eventlog.Position,
	lease time.Duration,
) (leads bool, err error) {
	return l.lease.Advance(ctx, holder, lease, position.Tx, position.Seq)
}

func (l *EventLog) Resign(ctx context.Context, holder string) error {
	return l.lease.Resign(ctx, holder)
}
