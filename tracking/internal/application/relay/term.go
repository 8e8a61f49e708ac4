package relay

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"tributary/platform/fault"
	"tributary/tracking/internal/domain/event"
)

// term is one period of leading. It ends when the lease is lost, the broker fails or the relay
// stops. The next term starts again at the saved position; late answers for an old term go to its
// own window and change nothing.
type term struct {
	*Relay

	window  *window
	pages   chan []event.Entry
	from    int64
	refused atomic.Bool // the broker refused the last new event
}

func newTerm(r *Relay, position int64) *term {
	r.position.Store(position)
	w := newWindow(r.limits.WindowRows, r.limits.SaveRows, position)
	w.firstAlone = r.trouble.Load() != nil

	return &term{
		Relay:  r,
		window: w,
		pages:  make(chan []event.Entry, 1),
		from:   position,
	}
}

// run reads, sends and saves concurrently until one of them ends. The first error is the reason.
func (t *term) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var parts sync.WaitGroup
	for _, part := range []func(context.Context) error{t.read, t.send, t.save} {
		parts.Go(func() {
			if err := part(ctx); err != nil {
				cancel(err)
			}
		})
	}

	parts.Wait()

	return context.Cause(ctx)
}

// read reads pages of the log, one ahead of the page being sent. At the end of the log it gathers:
// under load commits follow each other too fast to read each alone.
func (t *term) read(ctx context.Context) error {
	after := t.from
	for {
		page, err := t.needs.Log.Page(ctx, after, t.limits.PageRows)
		if err != nil {
			return err
		}

		if len(page) == 0 {
			if !t.waitForMore(ctx) {
				return nil
			}

			continue
		}

		select {
		case t.pages <- page:
			after = page[len(page)-1].Seq
		case <-ctx.Done():
			return nil
		}

		if len(page) < t.limits.PageRows {
			wait(ctx, t.limits.Gather)
		}
	}
}

func (t *term) waitForMore(ctx context.Context) bool {
	timer := time.NewTimer(t.limits.Poll)
	defer timer.Stop()

	select {
	case <-t.wake:
	case <-timer.C:
	case <-ctx.Done():
		return false
	}

	return true
}

// send hands events to the broker while the window has room. The broker's first failure ends the
// term.
func (t *term) send(ctx context.Context) error {
	for {
		select {
		case page := <-t.pages:
			for _, entry := range page {
				if err := t.sendOne(ctx, entry); err != nil || ctx.Err() != nil {
					return err
				}
			}
		case <-t.window.changed:
			if failure := t.window.progress().failure; failure != nil {
				return failure
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (t *term) sendOne(ctx context.Context, entry event.Entry) error {
	for {
		place, ok := t.window.add(entry.Seq, entry.Event.Size(), t.limits.WindowBytes)
		if ok {
			refused, failure := t.window.offer(func() {
				t.needs.Publisher.Send(
					ctx,
					entry,
					func(err error) { t.window.settle(place, judge(entry, err)) },
				)
			})
			t.refused.Store(refused != nil)

			if refused == nil {
				return failure
			}

			// Events in flight may still be confirmed; sending them again would only burden a
			// recovering broker.
			t.note(ctx, "the broker accepts no events for now", refused)
			wait(ctx, t.limits.Poll)

			if failure = t.window.progress().failure; failure != nil || ctx.Err() != nil {
				return failure
			}

			continue
		}

		select {
		case <-t.window.changed:
			if failure := t.window.progress().failure; failure != nil {
				return failure
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// judge returns a refusal if err means that the broker never accepts the event, and err otherwise.
func judge(entry event.Entry, err error) error {
	if fault.Is(err, neverTaken) {
		return &refusal{seq: entry.Seq, id: entry.Event.ID(), cause: err}
	}

	return err
}

// save saves the position and renews the lease, at its interval or as soon as enough events are
// confirmed, and detects a standstill. At the end it saves once more.
func (t *term) save(ctx context.Context) error {
	tick := time.NewTicker(t.limits.Save)
	defer tick.Stop()
	renewed := t.needs.Now()
	moved := t.needs.Now()
	total := int64(0)

	saved := t.from
	for {
		select {
		case <-tick.C:
		case <-t.window.due:
		case <-ctx.Done():
			return t.saveLast(ctx, saved)
		}

		p, now := t.window.progress(), t.needs.Now()
		t.position.Store(p.position)
		t.sent.Store(int64(p.inFlight))

		if p.total != total || p.inFlight == 0 {
			moved = now
		}

		if p.total != total || (p.inFlight == 0 && !t.refused.Load()) {
			t.calm(p.position)
		}

		total = p.total

		if now.Sub(moved) > t.limits.Stuck {
			return errStuck
		}

		if p.position == saved && now.Sub(renewed) < t.limits.Lease/3 {
			continue
		}

		leads, err := t.needs.Log.Advance(ctx, t.needs.Holder, p.position, t.limits.Lease)
		switch {
		case err != nil && now.Sub(renewed) > t.limits.Lease:
			return err
		case err != nil: // the lease still holds; try again at the next tick
		case !leads:
			return errDeposed
		default:
			saved, renewed = p.position, now
		}
	}
}

// saveLast waits a moment for events in flight to be confirmed, and saves the position.
func (t *term) saveLast(ctx context.Context, saved int64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.limits.Lease/2)
	defer cancel()

	p := t.window.progress()
	for ; p.inFlight > 0 && p.failure == nil && ctx.Err() == nil; p = t.window.progress() {
		wait(ctx, lastLook)
	}

	t.position.Store(p.position)

	if p.position == saved || ctx.Err() != nil {
		return nil
	}

	_, err := t.needs.Log.Advance(ctx, t.needs.Holder, p.position, t.limits.Lease)

	return err
}

const lastLook = 5 * time.Millisecond
