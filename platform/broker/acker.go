package broker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

const (
	// an acknowledgement that takes longer counts as failed; it continues
	ackSlow  = 10 * time.Second
	ackRetry = 500 * time.Millisecond
	// Between acknowledgements of a partition. Each is a command with an answer, and covers all
	// messages before it.
	ackPause       = 100 * time.Millisecond
	ackStopTimeout = 3 * time.Second
)

// acker acknowledges cumulatively, up to the newest handled message of each partition, on one
// goroutine for each partition: the client library's acknowledgement takes no context and may block
// while a broker restarts, which must not delay consumption or other partitions. Messages that are
// not acknowledged are delivered again.
type acker struct {
	client *Client
	topic  string
	ack    func(pulsar.MessageID) error
	open   sync.WaitGroup // lanes that are running
	stops  chan struct{}  // closed by stop

	mu    sync.Mutex
	lanes map[int32]*lane
}

// lane is the pending acknowledgement of one partition.
type lane struct {
	mu     sync.Mutex
	newest pulsar.MessageID // handled and not acknowledged; nil if there is no such message
	wake   chan struct{}
}

func newAcker(client *Client, topic string, ack func(pulsar.MessageID) error) *acker {
	return &acker{
		client: client,
		topic:  topic,
		ack:    ack,
		lanes:  map[int32]*lane{},
		stops:  make(chan struct{}),
	}
}

// add records that the batch, and with it everything before it in its partitions, is handled. It is
// safe for concurrent use. It must not be called after stop.
func (a *acker) add(ctx context.Context, batch []pulsar.Message) {
	newest := map[int32]pulsar.MessageID{}
	for _, m := range batch {
		// A redelivery can bring an older message after a newer one.
		if id := m.ID(); newest[id.PartitionIdx()] == nil ||
			at(id).after(at(newest[id.PartitionIdx()])) {
			newest[id.PartitionIdx()] = id
		}
	}

	a.mu.Lock()
	defer a.mu.Unlock()

	for partition, id := range newest {
		l := a.lanes[partition]
		if l == nil {
			l = &lane{wake: make(chan struct{}, 1)}
			a.lanes[partition] = l
			a.open.Add(1)
			a.client.calls.Go(func() {
				defer a.open.Done()
				a.run(ctx, l)
			})
		}

		l.put(id)
	}
}

func (l *lane) put(id pulsar.MessageID) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.newest != nil && !at(id).after(at(l.newest)) {
		return
	}

	l.newest = id
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) take() pulsar.MessageID {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := l.newest
	l.newest = nil

	return id
}

// giveBack restores an id that could not be acknowledged, unless a newer one is pending.
func (l *lane) giveBack(id pulsar.MessageID) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.newest == nil {
		l.newest = id
	}
}

// run acknowledges until the acker is stopped and either the lane is empty or acknowledging fails.
func (a *acker) run(ctx context.Context, l *lane) {
	for open := true; open; {
		select {
		case <-l.wake:
		case <-a.stops:
			open = false
		}

		for id := l.take(); id != nil; id = l.take() {
			pause := ackPause
			if !a.acknowledge(ctx, id) {
				if !open {
					return
				}

				l.giveBack(id)

				pause = ackRetry
			}

			if open {
				open = a.rest(pause)
			}
		}
	}
}

// acknowledge reports whether it succeeded.
func (a *acker) acknowledge(ctx context.Context, id pulsar.MessageID) bool {
	failures := a.client.metrics.ackFailures.WithLabelValues(a.topic)

	slow := time.AfterFunc(ackSlow, failures.Inc)
	defer slow.Stop()

	err := a.ack(id)
	if err == nil {
		return true
	}

	failures.Inc()
	a.client.logger.LogAttrs(
		ctx,
		slog.LevelDebug,
		"acknowledging failed",
		slog.String("topic", a.topic),
		slog.Any("error", err),
	)

	return false
}

// rest waits for d. It returns false if the acker is stopped.
func (a *acker) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()

	select {
	case <-timer.C:
		return true
	case <-a.stops:
		return false
	}
}

// stop acknowledges the rest and waits for it for a limited time. A blocked acknowledgement ends
// when the consumer is closed.
func (a *acker) stop() {
	close(a.stops)
	within(ackStopTimeout, a.open.Wait)
}
