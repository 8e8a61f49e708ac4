package eventlog

import (
	"context"
	"time"

	"tributary/commission/internal/application/query"
	"tributary/platform/fault"
)

// ErrExpired is returned for a cursor after which events have been dropped.
var ErrExpired = fault.Define(
	fault.Conflict,
	"events_expired",
	"Events after the cursor have been dropped, since they are older than COMMISSION_EVENTS_KEEP. "+
		"Read the lists again, and the feed without a cursor.",
)

// Cursor is how far a reader of the feed has come. The zero Cursor is before the oldest event that
// is kept.
type Cursor struct {
	Position Position
	Sequence int64 // of the user, in a feed of one user; it has no position
}

// Question is what a reader of the feed asks.
type Question struct {
	Filter Filter
	After  Cursor
	Limit  int
	// Wait is how long to wait for an event if there is none.
	Wait time.Duration
}

// Page is a part of the feed. Next is the cursor of the next page, also if there is no event yet.
type Page struct {
	Events []Event
	Next   Cursor
	More   bool // other events are there already, or may be
}

// Reader reads the log for the feed.
type Reader interface {
	// Page returns the next events of the owner, at most as many as asked for. A page may be empty
	// although events follow, if the filter selects few of them. ErrExpired is returned if the log
	// no longer has what follows the cursor.
	Page(ctx context.Context, owner query.Owner, question Question) (Page, error)
}

// Feed is the log as the callers of the API read it. It is safe for concurrent use.
type Feed struct {
	reader   Reader
	notifier *Notifier
}

// NewFeed returns the feed. Its readers wait while the notifier runs.
func NewFeed(reader Reader, notifier *Notifier) *Feed {
	return &Feed{reader: reader, notifier: notifier}
}

// Handle returns the next page of what the caller may see. If there is none it waits until there
// is, until the time to wait is over, or until stop is closed. query.ErrForeign is returned for the
// events of a user whom the caller may not see.
func (f *Feed) Handle(
	ctx context.Context,
	caller query.Caller,
	q Question,
	stop <-chan struct{},
) (Page, error) {
	owner, err := caller.OwnerOf(q.Filter.UserID)
	if err != nil {
		return Page{}, err
	}

	page, err := f.reader.Page(ctx, owner, q)
	if err != nil || len(page.Events) > 0 || page.More || q.Wait <= 0 {
		return page, err
	}

	timer := time.NewTimer(q.Wait)
	defer timer.Stop()

	for {
		q.After = page.Next

		// It waits before it looks again, so that nothing arrives unnoticed in between.
		woken, leave := f.notifier.wait(owner, q.Filter)

		page, err = f.reader.Page(ctx, owner, q)
		if err != nil || len(page.Events) > 0 || page.More {
			leave()
			return page, err
		}

		select {
		case <-woken:
			continue
		case <-timer.C:
		case <-stop:
		case <-ctx.Done():
		}

		leave()

		return page, nil
	}
}
