package eventlog

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/effect"
)

// Head is what a waiting reader has to know of an event.
type Head struct {
	Place  Position
	UserID string // "" for an event of a rule
	Type   effect.Type
}

// Heads reads the log for those who wait.
type Heads interface {
	// Latest returns the position of the newest event that readers see, zero for none.
	Latest(ctx context.Context) (Position, error)
	// Heads returns at most limit events after the position, in order.
	Heads(ctx context.Context, after Position, limit int) ([]Head, error)
}

// Notifier tells waiting readers that there are events for them. However many wait, it reads each
// event once; while no caller waits it reads nothing.
type Notifier struct {
	heads  Heads
	every  time.Duration
	logger *slog.Logger

	mu      sync.Mutex
	arrived chan struct{}        // has one value if a caller waits
	ofUser  map[string]waitersOf // by user
	ofAll   waitersOf            // those who see everything
	fresh   map[*waiter]struct{} // came since the last look
}

type waitersOf map[*waiter]struct{}

type waiter struct {
	filter Filter
	userID string // "" for one who sees everything
	woken  chan struct{}
	done   bool
}

// NewNotifier returns a notifier that looks for events at the interval, while Run runs.
func NewNotifier(heads Heads, every time.Duration, logger *slog.Logger) *Notifier {
	return &Notifier{
		heads:   heads,
		every:   every,
		logger:  logger,
		arrived: make(chan struct{}, 1),
		ofUser:  map[string]waitersOf{},
		ofAll:   waitersOf{},
		fresh:   map[*waiter]struct{}{},
	}
}

// wait returns a channel that is closed when there may be an event that the filter selects for the
// owner. The caller looks for events once more, and then waits. leave ends the wait.
func (n *Notifier) wait(owner query.Owner, filter Filter) (woken <-chan struct{}, leave func()) {
	user, limited := owner.UserID()
	w := &waiter{filter: filter, userID: user, woken: make(chan struct{})}

	n.mu.Lock()
	defer n.mu.Unlock()

	n.fresh[w] = struct{}{}
	if !limited {
		n.ofAll[w] = struct{}{}
	} else {
		if n.ofUser[user] == nil {
			n.ofUser[user] = waitersOf{}
		}

		n.ofUser[user][w] = struct{}{}
	}

	select {
	case n.arrived <- struct{}{}:
	default:
	}

	return w.woken, func() {
		n.mu.Lock()
		defer n.mu.Unlock()

		n.remove(w)
	}
}

func (n *Notifier) remove(w *waiter) {
	delete(n.fresh, w)
	delete(n.ofAll, w)

	if list := n.ofUser[w.userID]; list != nil {
		delete(list, w)

		if len(list) == 0 {
			delete(n.ofUser, w.userID)
		}
	}
}

// wake ends the wait of a reader.
func (n *Notifier) wake(w *waiter) {
	if !w.done {
		w.done = true
		close(w.woken)
		n.remove(w)
	}
}

// Run looks for events while readers wait, until ctx ends. It returns nil: every error is retried.
func (n *Notifier) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-n.arrived:
			n.watch(ctx)
		}
	}

	return nil
}

// watch looks for events until no caller waits. Those who came before it knew the newest event are
// woken once: they may have missed it.
func (n *Notifier) watch(ctx context.Context) {
	tick := time.NewTicker(n.every)
	defer tick.Stop()

	var (
		position Position
		known    bool
	)

	for n.waiting() {
		if !known {
			early := n.early()

			latest, err := n.heads.Latest(ctx)
			if known = err == nil; known {
				position = latest
				n.wakeAll(early)
			}

			n.note(ctx, err)
		} else {
			next, err := n.look(ctx, position)
			position = next
			n.note(ctx, err)
		}

		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (n *Notifier) note(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		n.logger.DebugContext(ctx, "cannot look for events; will retry", "error", err)
	}
}

func (n *Notifier) waiting() bool {
	n.mu.Lock()
	defer n.mu.Unlock()

	return len(n.ofAll)+len(n.ofUser) > 0
}

// early returns those who came since the last call.
func (n *Notifier) early() []*waiter {
	n.mu.Lock()
	defer n.mu.Unlock()

	out := make([]*waiter, 0, len(n.fresh))
	for w := range n.fresh {
		out = append(out, w)
	}

	n.fresh = map[*waiter]struct{}{}

	return out
}

func (n *Notifier) wakeAll(list []*waiter) {
	n.mu.Lock()
	defer n.mu.Unlock()

	for _, w := range list {
		n.wake(w)
	}
}

// headsAtOnce is how many events are read at once.
const headsAtOnce = 2000

// look wakes those whom the events after the position concern, and returns the position of the last
// one.
func (n *Notifier) look(ctx context.Context, position Position) (Position, error) {
	for {
		heads, err := n.heads.Heads(ctx, position, headsAtOnce)
		if err != nil {
			return position, err
		}

		n.mu.Lock()
		for _, head := range heads {
			n.wakeFor(head)
		}

		n.mu.Unlock()

		if len(heads) > 0 {
			position = heads[len(heads)-1].Place
		}

		if len(heads) < headsAtOnce {
			return position, nil
		}
	}
}

func (n *Notifier) wakeFor(head Head) {
	for _, list := range []waitersOf{n.ofAll, n.ofUser[head.UserID]} {
		for w := range list {
			if w.filter.Matches(head.Type) {
				n.wake(w)
			}
		}
	}
}
