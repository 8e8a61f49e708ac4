package relay

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"tributary/platform/broker"
)

// term is one period of leading. It ends when the lease is lost, the broker fails or the relay
// stops. The next term starts again at the saved position; late answers for an old term go to its
// own window and change nothing.
type term[P comparable, E Entry[P]] struct {
	*Relay[P, E]

	window  *window[P]
	pages   chan []E
	from    P
	refused atomic.Bool // the broker refused the last new entry

	confirmed atomic.Int64 // how long the broker took to confirm the last page, in nanoseconds
}

func newTerm[P comparable, E Entry[P]](r *Relay[P, E], position P) *term[P, E] {
	r.position.Store(&position)
	w := newWindow(r.limits.WindowRows, r.limits.SaveRows, position)
	w.firstAlone = r.trouble.Load() != nil

	return &term[P, E]{
		Relay:  r,
		window: w,
		pages:  make(chan []E, 1),
		from:   position,
	}
}

// run reads, sends and saves concurrently until one of them ends. The first error is the reason.
func (t *term[P, E]) run(ctx context.Context) error {
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
func (t *term[P, E]) read(ctx context.Context) error {
	after := t.from
	last := t.deps.Now() // when the page before was read

	for {
		page, err := t.deps.Log.Read(ctx, after, t.limits.PageRows)
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
			after = page[len(page)-1].Position()
		case <-ctx.Done():
			return nil
		}

		now := t.deps.Now()
		wait(ctx, t.pause(len(page), now.Sub(last)))
		last = now
	}
}

// pause returns how long to wait after a page whose entries came within the given time.
func (t *term[P, E]) pause(entries int, within time.Duration) time.Duration {
	switch {
	case t.deps.Behind != nil && t.deps.Behind():
		return t.limits.Rest
	case entries < t.limits.PageRows:
		return t.limits.gather(entries, within, time.Duration(t.confirmed.Load()))
	}

	return 0
}

func (t *term[P, E]) waitForMore(ctx context.Context) bool {
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

// send hands entries to the broker while the window has room. The broker's first failure ends the
// term.
func (t *term[P, E]) send(ctx context.Context) error {
	for {
		select {
		case page := <-t.pages:
			if err := t.sendPage(ctx, page); err != nil || ctx.Err() != nil {
				return err
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

// sendPage hands over the entries of a page and notes when the last of them is confirmed.
func (t *term[P, E]) sendPage(ctx context.Context, page []E) error {
	begin := t.deps.Now()
	last := len(page) - 1

	for _, entry := range page[:last] {
		if err := t.sendOne(ctx, entry, nil); err != nil || ctx.Err() != nil {
			return err
		}
	}

	return t.sendOne(ctx, page[last], func() { t.confirmed.Store(int64(t.deps.Now().Sub(begin))) })
}

// sendOne hands over an entry as soon as there is room. confirmed, if it is not nil, is called once
// the broker has stored it.
func (t *term[P, E]) sendOne(ctx context.Context, entry E, confirmed func()) error {
	for {
		place, ok := t.window.add(entry.Position(), entry.Size(), t.limits.WindowBytes)
		if ok {
			refused, failure := t.window.offer(func() {
				t.deps.Publisher.Send(
					ctx,
					entry,
					func(err error) {
						if err == nil && confirmed != nil {
							confirmed()
						}

						t.window.answer(place, outcome[P](entry, err))
					},
				)
			})
			t.refused.Store(refused != nil)

			if refused == nil {
				return failure
			}

			// Entries in flight may still be confirmed; sending them again would only burden a
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

// outcome returns a refusal if err means that the broker never accepts the entry, and err
// otherwise.
func outcome[P comparable, E Entry[P]](entry E, err error) error {
	if errors.Is(err, broker.ErrRefused) {
		return &refusal[P]{position: entry.Position(), id: entry.ID(), cause: err}
	}

	return err
}

// save saves the position and renews the lease, at its interval or as soon as enough entries are
// confirmed, and detects a standstill. At the end it saves once more.
func (t *term[P, E]) save(ctx context.Context) error {
	tick := time.NewTicker(t.limits.Save)
	defer tick.Stop()
	renewed := t.deps.Now()
	moved := t.deps.Now()
	total := int64(0)

	saved := t.from
	for {
		select {
		case <-tick.C:
		case <-t.window.due:
		case <-ctx.Done():
			return t.saveLast(ctx, saved)
		}

		p, now := t.window.progress(), t.deps.Now()
		t.position.Store(&p.position)
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

		leads, err := t.deps.Log.Advance(ctx, t.deps.Holder, p.position, t.limits.Lease)
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

// saveLast waits a moment for entries in flight to be confirmed, and saves the position.
func (t *term[P, E]) saveLast(ctx context.Context, saved P) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.limits.Lease/2)
	defer cancel()

	p := t.window.progress()
	for ; p.inFlight > 0 && p.failure == nil && ctx.Err() == nil; p = t.window.progress() {
		wait(ctx, lastLook)
	}

	t.position.Store(&p.position)

	if p.position == saved || ctx.Err() != nil {
		return nil
	}

	_, err := t.deps.Log.Advance(ctx, t.deps.Holder, p.position, t.limits.Lease)

	return err
}

const lastLook = 5 * time.Millisecond
