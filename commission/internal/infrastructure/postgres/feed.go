package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/effect"
)

var (
	_ eventlog.Reader = (*EventLog)(nil)
	_ eventlog.Heads  = (*EventLog)(nil)
)

// scanned is how many events a page looks at if its filter selects only some types.
const scanned = 2000

const (
	selectDropped     = `SELECT (tx, seq) > ($1, $2) FROM dropped_events`
	selectUserDropped = `SELECT EXISTS (SELECT FROM event_sequences
    WHERE user_id = $1 AND rule_id IS NULL AND sequence > $2)`

	selectLatest = `
SELECT tx, seq FROM commission_events WHERE tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx DESC, seq DESC LIMIT 1`

	selectHeads = `
SELECT tx, seq, coalesce(user_id, ''), type FROM commission_events
WHERE (tx, seq) > ($1, $2) AND tx < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY tx, seq LIMIT $3`
)

// Page implements eventlog.Reader.
func (l *EventLog) Page(
	ctx context.Context,
	owner query.Owner,
	q eventlog.Question,
) (eventlog.Page, error) {
	limit := q.Limit + 1
	if len(q.Filter.Types) > 0 {
		limit = max(limit, scanned)
	}

	rows, err := l.scan(ctx, owner, q.After, limit)
	if err != nil {
		return eventlog.Page{}, mapped("read the feed", err)
	}

	page := eventlog.Page{Next: q.After, More: len(rows) == limit}

	var selected []logRow
	for i := range rows {
		if !q.Filter.Matches(rows[i].Type) {
			page.Next = cursorOf(owner, &rows[i])
			continue
		}

		if len(selected) == q.Limit {
			page.More = true
			break
		}

		selected = append(selected, rows[i])
		page.Next = cursorOf(owner, &rows[i])
	}

	page.Events, err = l.complete(ctx, selected, nil)

	return page, mapped("read the things of the feed", err)
}

// scan returns the rows after the cursor.
func (l *EventLog) scan(
	ctx context.Context,
	owner query.Owner,
	after eventlog.Cursor,
	limit int,
) ([]logRow, error) {
	var (
		rows []logRow
		err  error
	)
	if user, limited := owner.UserID(); limited {
		rows, err = collect(
			ctx, l.store.pool, scanLog, selectLogOfUser, user, after.Sequence, limit,
		)
	} else {
		at := after.Position
		rows, err = collect(ctx, l.store.pool, scanLog, selectLog, at.Tx, at.Seq, limit)
	}

	if err != nil {
		return nil, err
	}

	// Looked at last, so that nothing can be dropped in between.
	expired, err := l.expired(ctx, owner, after)
	if err == nil && expired {
		err = eventlog.ErrExpired
	}

	return rows, err
}

// expired reports whether events after the cursor have been dropped.
func (l *EventLog) expired(
	ctx context.Context,
	owner query.Owner,
	after eventlog.Cursor,
) (expired bool, err error) {
	if after == (eventlog.Cursor{}) {
		return false, nil // from whatever there is
	}

	if user, limited := owner.UserID(); limited {
		err = l.store.pool.QueryRow(ctx, selectUserDropped, user, after.Sequence).Scan(&expired)
		return expired, err
	}

	at := after.Position
	err = l.store.pool.QueryRow(ctx, selectDropped, at.Tx, at.Seq).Scan(&expired)

	return expired, err
}

func cursorOf(owner query.Owner, r *logRow) eventlog.Cursor {
	if _, limited := owner.UserID(); limited {
		return eventlog.Cursor{Sequence: r.sequence}
	}

	return eventlog.Cursor{Position: r.place}
}

// Latest implements eventlog.Heads.
func (l *EventLog) Latest(ctx context.Context) (eventlog.Position, error) {
	list, err := collect(ctx, l.store.pool, pgx.RowToStructByPos[eventlog.Position], selectLatest)
	if err != nil || len(list) == 0 {
		return eventlog.Position{}, mapped("read the end of the log", err)
	}

	return list[0], nil
}

// Heads implements eventlog.Heads.
func (l *EventLog) Heads(
	ctx context.Context,
	after eventlog.Position,
	limit int,
) ([]eventlog.Head, error) {
	list, err := collect(ctx, l.store.pool, scanHead, selectHeads, after.Tx, after.Seq, limit)
	return list, mapped("read the log", err)
}

func scanHead(row pgx.CollectableRow) (eventlog.Head, error) {
	var (
		h    eventlog.Head
		kind string
	)

	err := row.Scan(&h.Place.Tx, &h.Place.Seq, &h.UserID, &kind)
	h.Type = effect.Type(kind)

	return h, err
}
