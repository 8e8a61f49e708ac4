package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Limits of memory and of what the endpoint gets at once.
const (
	concurrency = 16   // requests, and again as many to keys that are behind
	mostBehind  = 1000 // keys; then the feed waits
)

// forwarder sends the events of the feed to the endpoint, those of a key one after the other. If a
// delivery fails, only its key falls behind: it is retried alone, and its later events are read
// from its own feed when their turn comes. So commission keeps what waits, not this program.
type forwarder struct {
	feed     *feed
	endpoint *endpoint
	path     string // of the state
	first    time.Duration
	longest  time.Duration
	log      *slog.Logger

	mu       sync.Mutex
	state    *state
	behind   sync.WaitGroup
	retries  chan struct{} // a place for each key that is being retried
	room     chan struct{} // a place for each key that is behind
	failed   chan error    // what ends the program
	finished context.CancelFunc
}

func newForwarder(f *feed, e *endpoint, path string, log *slog.Logger) (*forwarder, error) {
	s, err := loadState(path)
	if err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}

	return &forwarder{
		feed:     f,
		endpoint: e,
		path:     path,
		first:    time.Second,
		longest:  time.Hour,
		log:      log,
		state:    s,
		retries:  make(chan struct{}, concurrency),
		room:     make(chan struct{}, mostBehind+len(s.Keys)),
		failed:   make(chan error, 1),
	}, nil
}

// run forwards until ctx ends, and returns nil then.
func (f *forwarder) run(ctx context.Context) error {
	ctx, f.finished = context.WithCancel(ctx)
	defer f.behind.Wait()
	defer f.finished()

	for key, p := range f.state.Keys {
		if p.Failing {
			f.retry(ctx, key)
		}
	}

	attempt := 0

	for ctx.Err() == nil {
		p, err := f.feed.all(ctx, f.state.Cursor)
		if errors.Is(err, errExpired) {
			return err
		}

		if err != nil {
			f.log.Warn("the feed cannot be read", "error", err)
			f.pause(ctx, attempt, 0)
			attempt++

			continue
		}

		attempt = 0

		f.forward(ctx, p.Events)

		if ctx.Err() != nil {
			break // the page comes again
		}

		if err := f.save(func() { f.state.Cursor = p.Next }); err != nil {
			return err
		}
	}

	select {
	case err := <-f.failed:
		return err
	default:
		return nil
	}
}

// forward sends the events of a page, each key's in their order, and returns when each is with the
// endpoint or left to the key's own feed.
func (f *forwarder) forward(ctx context.Context, events []event) {
	var keys []string

	byKey := map[string][]event{}

	for _, e := range events {
		if byKey[e.Key] == nil {
			keys = append(keys, e.Key)
		}

		byKey[e.Key] = append(byKey[e.Key], e)
	}

	var wait sync.WaitGroup

	slots := make(chan struct{}, concurrency)

	for _, key := range keys {
		slots <- struct{}{}

		wait.Go(func() {
			f.forwardKey(ctx, key, byKey[key])
			<-slots
		})
	}

	wait.Wait()
}

func (f *forwarder) forwardKey(ctx context.Context, key string, events []event) {
	for _, e := range events {
		if !f.due(e) {
			continue
		}

		err := f.endpoint.deliver(ctx, e)
		if ctx.Err() != nil {
			return
		}

		if err != nil {
			f.fallBehind(ctx, key, e.Sequence-1, events[len(events)-1].Sequence, err)
			return
		}
	}
}

// due reports whether the event is to be delivered now. It is not if its key is behind, or if it
// was delivered when the key was.
func (f *forwarder) due(e event) bool {
	f.mu.Lock()
	defer f.mu.Unlock()

	p := f.state.Keys[e.Key]

	switch {
	case p == nil:
		return true
	case p.Failing:
		p.passed = max(p.passed, e.Sequence)
		return false
	}

	if e.Sequence >= p.Delivered {
		delete(f.state.Keys, e.Key)
	}

	return e.Sequence > p.Delivered
}

// fallBehind leaves the events after delivered to the key's own feed.
func (f *forwarder) fallBehind(
	ctx context.Context,
	key string,
	delivered, passed int64,
	cause error,
) {
	f.log.Warn("a delivery failed", "key", key, "sequence", delivered+1, "error", cause)

	f.mu.Lock()
	f.state.Keys[key] = &position{Delivered: delivered, Failing: true, passed: passed}
	f.mu.Unlock()

	if errors.Is(cause, errGone) {
		f.end(cause)
		return
	}

	f.retry(ctx, key)
}

// end ends the program with the error.
func (f *forwarder) end(err error) {
	select {
	case f.failed <- err:
	default:
	}

	f.finished()
}

// save changes the state and stores it.
func (f *forwarder) save(change func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()

	change()

	if err := f.state.save(f.path); err != nil {
		return fmt.Errorf("save the state: %w", err)
	}

	return nil
}
