// Package querytest provides a log in memory, and the contract suite that it and the PostgreSQL log
// pass.
package querytest

import (
	"context"
	"slices"
	"sync"

	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
)

// Log keeps events in memory. The zero Log is empty.
type Log struct {
	mu      sync.Mutex
	entries []event.Entry
}

var _ query.Log = (*Log)(nil)

// Add appends events.
func (l *Log) Add(events ...event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()

	for _, e := range events {
		l.entries = append(l.entries, event.Entry{Seq: int64(len(l.entries) + 1), Event: e})
	}
}

// Entries returns the whole log.
func (l *Log) Entries() []event.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()

	return slices.Clone(l.entries)
}

func (l *Log) Event(_ context.Context, id string) (event.Entry, bool, error) {
	for _, entry := range l.Entries() {
		if entry.Event.ID() == id {
			return entry, true, nil
		}
	}

	return event.Entry{}, false, nil
}

func (l *Log) Events(
	_ context.Context,
	filter query.Filter,
	position int64,
	limit int,
) (page []event.Entry, more bool, err error) {
	for _, entry := range l.Entries() {
		if entry.Seq <= position || !matches(filter, entry.Event.Snapshot()) {
			continue
		}

		if len(page) == limit {
			return page, true, nil
		}

		page = append(page, entry)
	}

	return page, false, nil
}

func matches(f query.Filter, snapshot event.Snapshot) bool {
	return (f.UserID == "" || f.UserID == snapshot.UserID) &&
		(f.CampaignID == "" || f.CampaignID == snapshot.CampaignID) &&
		(f.Type == "" || f.Type == snapshot.Type) &&
		(f.From.IsZero() || !snapshot.OccurredAt.Before(f.From)) &&
		(f.To.IsZero() || snapshot.OccurredAt.Before(f.To))
}
