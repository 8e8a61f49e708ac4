package broker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

const (
	ackSlow        = 10 * time.Second // after which an acknowledgement counts as failed; it goes on
	ackRetry       = 500 * time.Millisecond
	ackStopTimeout = 3 * time.Second
)

// acker acknowledges cumulatively, the newest message of each partition, on a goroutine for each:
// the client library's acknowledging takes no context and may block through a broker restart, which
// must not hold up consumption, nor other partitions. What is not acknowledged comes again.
type acker struct {
	client *Client
	topic  string
	ack    func(pulsar.MessageID) error
	lanes  map[int32]*lane
	open   sync.WaitGroup // lanes that have not ended
}

// lane is what one partition has to acknowledge.
type lane struct {
	mu     sync.Mutex
	newest pulsar.MessageID // handled and not acknowledged; nil for none
	wake   chan struct{}
}

func newAcker(client *Client, topic string, ack func(pulsar.MessageID) error) *acker {
	return &acker{
		client: client,
		topic:  topic,
		ack:    ack,
		lanes:  map[int32]*lane{},
	}
}

// add notes that the batch, and with it everything before it in its partitions, is handled. It is
// called by the goroutine of one worker.
func (a *acker) add(ctx context.Context, batch []pulsar.Message) {
	newest := map[int32]pulsar.MessageID{}
	for _, m := range batch {
		// A redelivery can bring an older message after a newer one.
		if id := m.ID(); newest[id.PartitionIdx()] == nil ||
			at(id).after(at(newest[id.PartitionIdx()])) {
			newest[id.PartitionIdx()] = id
		}
	}

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

// giveBack keeps what could not be acknowledged, unless something newer is waiting.
func (l *lane) giveBack(id pulsar.MessageID) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.newest == nil {
		l.newest = id
	}
}

// run acknowledges until the lane is closed and empty, or closed and failing.
func (a *acker) run(ctx context.Context, l *lane) {
	failures := a.client.metrics.ackFailures.WithLabelValues(a.topic)
	for open := true; open; {
		_, open = <-l.wake
		for id := l.take(); id != nil; id = l.take() {
			slow := time.AfterFunc(ackSlow, failures.Inc)
			err := a.ack(id)
			slow.Stop()

			if err == nil {
				continue
			}

			failures.Inc()
			a.client.logger.LogAttrs(
				ctx,
				slog.LevelDebug,
				"acknowledging failed",
				slog.String("topic", a.topic),
				slog.Any("error", err),
			)

			if !open {
				return
			}

			l.giveBack(id)

			timer := time.NewTimer(ackRetry)
			select {
			case <-timer.C:
			case _, open = <-l.wake:
				timer.Stop()
			}
		}
	}
}

// stop acknowledges the rest and waits for it, but not for ever: what blocks ends when the consumer
// is closed.
func (a *acker) stop() {
	for _, l := range a.lanes {
		close(l.wake)
	}

	within(ackStopTimeout, a.open.Wait)
}
