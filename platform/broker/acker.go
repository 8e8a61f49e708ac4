package broker

import (
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

// acker acknowledges cumulatively, newest message per partition, on a goroutine of its own: the client's acknowledging takes no
// context and may block through a broker restart, which must not hold up consumption. What is not acknowledged comes again.
type acker struct {
	consumer pulsar.Consumer
	mu       sync.Mutex
	newest   map[int32]pulsar.MessageID
	wake     chan struct{}
	done     chan struct{}
}

const ackStopTimeout = 5 * time.Second

func newAcker(consumer pulsar.Consumer) *acker {
	a := &acker{consumer: consumer, newest: map[int32]pulsar.MessageID{}, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go a.run()
	return a
}

// add notes that the batch, and with it everything before it in its partitions, is handled.
func (a *acker) add(batch []pulsar.Message) {
	a.mu.Lock()
	for _, m := range batch {
		a.newest[m.ID().PartitionIdx()] = m.ID()
	}
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *acker) run() {
	defer close(a.done)
	for range a.wake {
		a.mu.Lock()
		newest := a.newest
		a.newest = map[int32]pulsar.MessageID{}
		a.mu.Unlock()
		for _, id := range newest {
			_ = a.consumer.AckIDCumulative(id) // not acknowledged means delivered again, which is harmless
		}
	}
}

// stop acknowledges the rest and waits for it, but not for ever.
func (a *acker) stop() {
	close(a.wake)
	timer := time.NewTimer(ackStopTimeout)
	defer timer.Stop()
	select {
	case <-a.done:
	case <-timer.C:
	}
}
