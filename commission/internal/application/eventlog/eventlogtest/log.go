// Package eventlogtest has the log of changes in memory, and the contract suite that it and that of
// PostgreSQL pass.
package eventlogtest

import (
	"context"
	"slices"
	"sync"
	"time"

	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/query"
)

// Log is a log of events of users in memory.
type Log struct {
	now func() time.Time

	mu        sync.Mutex
	events    []eventlog.Event
	sequences map[string]int64 // by user: the last one
	seq       int64

	dropped   eventlog.Position
	droppedOf map[string]int64 // by user: the last sequence

	published eventlog.Position
	holder    string
	expires   time.Time
}

// New returns an empty log.
func New(now func() time.Time) *Log {
	return &Log{now: now, sequences: map[string]int64{}, droppedOf: map[string]int64{}}
}

// Append appends the event, which gets its place, its time and its number.
func (l *Log) Append(e eventlog.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.seq++
	l.sequences[e.UserID]++
	e.Place = eventlog.Position{Tx: 1, Seq: l.seq}
	e.At = l.now()
	e.Sequence = l.sequences[e.UserID]
	l.events = append(l.events, e)
}

// Age makes all events older.
func (l *Log) Age(by time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()

	for i := range l.events {
		l.events[i].At = l.events[i].At.Add(-by)
	}
}

// after returns at most limit events that the condition selects.
func (l *Log) after(limit int, selected func(eventlog.Event) bool) []eventlog.Event {
	var found []eventlog.Event

	for _, e := range l.events {
		if len(found) < limit && selected(e) {
			found = append(found, e)
		}
	}

	return found
}

// Read implements relay.Log.
func (l *Log) Read(
	_ context.Context,
	after eventlog.Position,
	limit int,
) ([]eventlog.Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.after(limit, func(e eventlog.Event) bool {
		return eventlog.Compare(e.Place, after) > 0
	}), nil
}

// Lead implements relay.Log.
func (l *Log) Lead(
	_ context.Context,
	holder string,
	lease time.Duration,
) (position eventlog.Position, leads bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.holder != holder && l.now().Before(l.expires) {
		return position, false, nil
	}

	l.holder = holder
	l.expires = l.now().Add(lease)

	return l.published, true, nil
}

// Advance implements relay.Log.
func (l *Log) Advance(
	_ context.Context,
	holder string,
	position eventlog.Position,
	lease time.Duration,
) (leads bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.holder != holder {
		return false, nil
	}

	l.expires = l.now().Add(lease)

	if eventlog.Compare(position, l.published) > 0 {
		l.published = position
	}

	return true, nil
}

// Resign implements relay.Log.
func (l *Log) Resign(_ context.Context, holder string) error {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.holder == holder {
		l.holder = ""
		l.expires = time.Time{}
	}

	return nil
}

// Page implements eventlog.Reader.
func (l *Log) Page(
	_ context.Context,
	owner query.Owner,
	q eventlog.Question,
) (eventlog.Page, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	user, limited := owner.UserID()
	page := eventlog.Page{Next: q.After}

	expired := eventlog.Compare(l.dropped, q.After.Position) > 0
	if limited {
		expired = l.droppedOf[user] > q.After.Sequence
	}

	if expired && q.After != (eventlog.Cursor{}) {
		return page, eventlog.ErrExpired
	}

	for _, e := range l.events {
		cursor := eventlog.Cursor{Position: e.Place}
		follows := eventlog.Compare(e.Place, q.After.Position) > 0

		if limited {
			cursor = eventlog.Cursor{Sequence: e.Sequence}
			follows = e.UserID == user && e.Sequence > q.After.Sequence
		}

		switch {
		case !follows:
			continue
		case !q.Filter.Matches(e.Type):
		case len(page.Events) == q.Limit:
			page.More = true
			return page, nil
		default:
			page.Events = append(page.Events, e)
		}

		page.Next = cursor
	}

	return page, nil
}

// Latest implements eventlog.Heads.
func (l *Log) Latest(context.Context) (eventlog.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if len(l.events) == 0 {
		return eventlog.Position{}, nil
	}

	return l.events[len(l.events)-1].Place, nil
}

// Heads implements eventlog.Heads.
func (l *Log) Heads(
	ctx context.Context,
	after eventlog.Position,
	limit int,
) ([]eventlog.Head, error) {
	events, err := l.Read(ctx, after, limit)

	var heads []eventlog.Head
	for _, e := range events {
		heads = append(heads, eventlog.Head{Place: e.Place, UserID: e.UserID, Type: e.Type})
	}

	return heads, err
}

// Prepare implements eventlog.Partitions: nothing is missing.
func (l *Log) Prepare(context.Context) error { return nil }

// Expire implements eventlog.Partitions.
func (l *Log) Expire(_ context.Context, before time.Time) (dropped int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	for len(l.events) > 0 {
		day := l.events[0].At.Truncate(24 * time.Hour)
		end := slices.IndexFunc(l.events, func(e eventlog.Event) bool {
			return !e.At.Truncate(24 * time.Hour).Equal(day)
		})

		if end < 0 {
			end = len(l.events)
		}

		last := l.events[end-1].Place
		if day.AddDate(0, 0, 1).After(before) || eventlog.Compare(last, l.published) > 0 {
			break
		}

		for _, e := range l.events[:end] {
			l.droppedOf[e.UserID] = e.Sequence
		}

		l.dropped = last
		l.events = l.events[end:]
		dropped++
	}

	return dropped, nil
}
