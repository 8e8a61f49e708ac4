package broker_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"tributary/platform/broker"
)

// giveTo delivers an entry of a partition.
func (c *consumer) giveTo(ctx context.Context, partition int32, entry int64) {
	m := pulsar.ConsumerMessage{Message: message{id: pulsar.NewMessageID(1, entry, -1, partition)}}
	select {
	case c.options.MessageChannel <- m:
	case <-ctx.Done():
	}
}

// place is the origin of a message.
type place struct {
	partition int32
	entry     int64
}

// batches hands the consumer's batches to the test, and the test's answers back.
type batches struct {
	subject  *broker.Consumer
	consumer *consumer
	begun    chan int   // messages of each batch, as it begins
	answers  chan error // of each batch
}

// consuming starts a consumer in the bubble. It stops at the end of the test.
func consuming(t *testing.T, cfg broker.ConsumerConfig) *batches {
	t.Helper()

	fake := &library{ack: func(pulsar.MessageID) error { return nil }}
	b := &batches{begun: make(chan int, 100), answers: make(chan error)}
	cfg.Topic = "t"
	cfg.Subscription = "s"

	b.subject = broker.WithLibrary(fake).NewConsumer(cfg)
	stop := running(t, func(ctx context.Context) error {
		return b.subject.Run(ctx, func(ctx context.Context, batch []broker.Received) error {
			b.begun <- len(batch)

			select {
			case err := <-b.answers:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	t.Cleanup(stop)
	b.consumer = fake.consumer(0)

	return b
}

// deliver delivers a number of messages of each partition.
func (b *batches) deliver(t *testing.T, messages int64, partitions ...int32) {
	t.Helper()

	for _, p := range partitions {
		for entry := range messages {
			b.consumer.giveTo(t.Context(), p, entry)
		}
	}
}

// expect waits until the bubble is idle, and a millisecond for the periodic look, and compares the
// sizes of the batches that have begun since.
func (b *batches) expect(t *testing.T, when string, want ...int) {
	t.Helper()
	synctest.Wait()
	time.Sleep(time.Millisecond)
	synctest.Wait()

	for _, size := range want {
		select {
		case got := <-b.begun:
			if got != size {
				t.Fatalf("%s: a batch of %d messages began, want %d", when, got, size)
			}
		default:
			t.Fatalf("%s: no batch began, want one of %d messages", when, size)
		}
	}

	select {
	case got := <-b.begun:
		t.Fatalf("%s: a batch of %d messages began, want none besides %v", when, got, want)
	default:
	}
}

// The number of batches follows the load: messages that arrive while a batch is handled form the
// next one, whatever their partition, and a second batch begins only for half of a full one.
func TestBatchesFollowTheLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := consuming(t, broker.ConsumerConfig{MaxBatch: 10, Workers: 4})

		begin := time.Now()

		b.deliver(t, 1, 0)

		if size := <-b.begun; size != 1 || time.Since(begin) > 0 {
			t.Fatalf("a batch of %d began after %v, want the lone message at once", size, time.Since(begin))
		}

		b.deliver(t, 1, 1, 2, 3, 4)
		b.expect(t, "four of other partitions beside it")

		b.answers <- nil
		b.expect(t, "the first batch is done", 4)

		b.deliver(t, 3, 1, 2)
		b.deliver(t, 4, 5)
		b.expect(t, "four of a free partition, six of taken ones")
		b.deliver(t, 1, 6)
		b.expect(t, "five of free partitions", 5)

		b.answers <- nil
		b.answers <- nil
		b.expect(t, "both are done", 6)
	})
}

// A consumer is behind if a batch leaves enough for another one, not if it merely has all it may.
func TestBehindIsWhatAFullBatchWaitsFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := consuming(t, broker.ConsumerConfig{MaxBatch: 4, Workers: 1})

		b.deliver(t, 1, 0)
		b.expect(t, "the first", 1)
		b.deliver(t, 7, 1)

		b.answers <- nil
		b.expect(t, "a full batch", 4)
		b.answers <- nil

		time.Sleep(10 * time.Millisecond) // fewer than before gather as long
		b.expect(t, "the rest", 3)

		if b.subject.Behind() {
			t.Error("behind after a batch that left three of four, want not")
		}

		b.deliver(t, 8, 2)

		b.answers <- nil
		b.expect(t, "a full batch before another", 4)
		b.answers <- nil
		b.expect(t, "the other", 4)

		if !b.subject.Behind() {
			t.Error("not behind after a batch that left four of four, want behind")
		}

		if b.subject.Behind() {
			t.Error("still behind without a batch since, want not")
		}

		b.answers <- nil
		synctest.Wait()
	})
}

// A batch smaller than the one before waits a moment for messages published together with its own,
// and no longer.
func TestASmallerBatchGathersAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := consuming(t, broker.ConsumerConfig{MaxBatch: 10, Workers: 4})

		b.deliver(t, 1, 0)
		b.expect(t, "a lone message", 1)
		b.deliver(t, 4, 1)

		b.answers <- nil
		b.expect(t, "the rest", 4)
		b.answers <- nil

		b.deliver(t, 3, 2)
		b.expect(t, "fewer than before")
		b.deliver(t, 1, 3)
		b.expect(t, "as many as before", 4)
		b.answers <- nil

		begin := time.Now()

		b.deliver(t, 1, 3)
		b.expect(t, "fewer than before, again")

		if size := <-b.begun; size != 1 || time.Since(begin) > 10*time.Millisecond {
			t.Errorf("a batch of %d began after %v, want 1 after 10 ms", size, time.Since(begin))
		}

		b.answers <- nil
		b.deliver(t, 1, 3)
		b.expect(t, "as many as before, which is one", 1)
	})
}

// A batch that fails or is slow delays its own partitions only.
func TestAStalledBatchHoldsUpNoOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := consuming(t, broker.ConsumerConfig{MaxBatch: 10, Workers: 3})

		b.deliver(t, 1, 0)
		b.expect(t, "the first", 1)
		b.answers <- errors.New("held")

		b.deliver(t, 1, 1)
		b.expect(t, "a message beside one that is held", 1)

		begin := time.Now()

		b.deliver(t, 1, 2)
		b.expect(t, "a message beside one that is handled")

		for <-b.begun != 1 { // the held batch is retried meanwhile
			continue
		}

		for len(b.begun) == 0 && time.Since(begin) < time.Second {
			time.Sleep(10 * time.Millisecond)
		}

		if waited := time.Since(begin); waited > 510*time.Millisecond {
			t.Errorf("a message waited %v for a batch of another partition", waited)
		}
	})
}

// What waits in memory is bounded, whatever comes: two batches for each worker, besides those that
// are handled and the library's channel.
func TestWhatWaitsIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const (
			maxBatch = 10
			workers  = 2
			waiting  = 2 * maxBatch * workers
			bound    = maxBatch*workers + waiting + maxBatch
		)

		b := consuming(t, broker.ConsumerConfig{MaxBatch: maxBatch, Workers: workers})
		ctx, cancel := context.WithCancel(t.Context())

		var (
			delivering sync.WaitGroup
			taken      atomic.Int64
		)

		delivering.Go(func() {
			for n := int64(0); ctx.Err() == nil; n++ {
				b.consumer.giveTo(ctx, int32(n%4), n/4)
				taken.Add(1)
			}
		})

		time.Sleep(100 * time.Millisecond)
		synctest.Wait()

		// the batches that have begun may be small
		if n := taken.Load(); n < waiting+maxBatch || n > bound {
			t.Errorf(
				"%d messages were taken while none was handled, want %d to %d",
				n,
				waiting+maxBatch,
				bound,
			)
		}

		cancel()
		delivering.Wait()
	})
}

// audit checks what must hold at any time: messages of a partition are handled in order, by one
// batch at a time, and acknowledged only when they are handled.
type audit struct {
	mu      sync.Mutex
	busy    map[int32]bool
	handled map[int32]int64 // messages, which is the next entry
	most    int             // batches at the same time
	now     int
	faults  []string
}

func (a *audit) begin(batch []place) {
	a.mu.Lock()
	defer a.mu.Unlock()

	a.now++
	a.most = max(a.most, a.now)

	next := map[int32]int64{}
	for _, p := range batch {
		if _, known := next[p.partition]; !known {
			next[p.partition] = a.handled[p.partition]
			if a.busy[p.partition] {
				a.faults = append(a.faults, "a partition was in two batches at once")
			}

			a.busy[p.partition] = true
		}

		if p.entry != next[p.partition] {
			a.faults = append(a.faults, "messages of a partition came out of order")
		}

		next[p.partition] = p.entry + 1
	}
}

func (a *audit) end(batch []place, handled bool) {
	a.mu.Lock()
	defer a.mu.Unlock()

	a.now--
	for _, p := range batch {
		a.busy[p.partition] = false
		if handled {
			a.handled[p.partition] = p.entry + 1
		}
	}
}

func (a *audit) acknowledged(id pulsar.MessageID) error {
	a.mu.Lock()
	defer a.mu.Unlock()

	if id.EntryID() >= a.handled[id.PartitionIdx()] {
		a.faults = append(a.faults, "a message was acknowledged before it was handled")
	}

	return nil
}

// Whatever the load, the duration and failures of batches, and the moment when the consumer stops:
// a partition's messages are handled in order, none is left out, and none is acknowledged early.
func TestOrderAndAcknowledgementsHoldUnderAnyLoad(t *testing.T) {
	t.Parallel()

	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) { testAnyLoad(t, seed) })
	}
}

func testAnyLoad(t *testing.T, seed uint64) {
	t.Helper()

	const (
		partitions = 8
		messages   = 400
		workers    = 3
	)

	random := rand.New(rand.NewPCG(seed, 0))
	chance := sync.Mutex{}
	below := func(n int) int {
		chance.Lock()
		defer chance.Unlock()

		return random.IntN(n)
	}

	a := &audit{busy: map[int32]bool{}, handled: map[int32]int64{}}
	fake := &library{ack: a.acknowledged}
	c := broker.WithLibrary(fake).NewConsumer(broker.ConsumerConfig{
		Topic:        "t",
		Subscription: "s",
		MaxBatch:     1 + below(40),
		Workers:      workers,
	})

	stop := running(t, func(ctx context.Context) error {
		return c.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			places := broker.Places(batch, func(p int32, e int64) place { return place{p, e} })
			failed := below(8) == 0

			a.begin(places)
			time.Sleep(time.Duration(below(700)) * time.Millisecond)
			a.end(places, !failed)

			if failed {
				return errors.New("not now")
			}

			return nil
		})
	})

	given := map[int32]int64{}
	pause := 1 + below(20)

	for range messages {
		p := int32(below(partitions))
		fake.consumer(0).giveTo(t.Context(), p, given[p])
		given[p]++

		time.Sleep(time.Duration(below(pause)) * time.Millisecond)
	}

	if seed%2 == 0 { // the others stop under load
		time.Sleep(time.Hour)

		for p, n := range given {
			if a.handled[p] != n {
				t.Errorf("seed %d: %d of %d messages of partition %d were handled", seed, a.handled[p], n, p)
			}
		}
	}

	stop()

	if len(a.faults) > 0 {
		t.Errorf("seed %d: %v", seed, a.faults)
	}

	if a.most > workers {
		t.Errorf("seed %d: %d batches at the same time, want %d at most", seed, a.most, workers)
	}
}
