package broker

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

const (
	// How long a message waits for others of its partition.
	batchDelay = 5 * time.Millisecond
	// A batch waits that long for the receipt of the one before: under load batches grow.
	receiptDelay = 10 * time.Millisecond
	// The library looks at a partition that often, idle or not.
	libraryDelay = time.Second
)

// producers produce for a topic, each of them the library's for one partition. The library's
// own producer of a partitioned topic looks at all partitions in every batching delay: with one of
// 10 ms an idle service with 24 partitions took 2 % of a core. Here a partition is flushed when
// something waits.
type producers struct {
	all   []*producer
	route func(*pulsar.ProducerMessage, uint32) int
}

// producer is a producer of the library whose messages are flushed together after a moment.
type producer struct {
	pulsar.Producer

	mu       sync.Mutex
	flushing bool // a flush is to come, or in progress
	more     bool // something was sent after it began
}

// openProducers returns producers for all partitions of a topic, or none and an error. had is the
// number of partitions that the topic had before, 0 if that is not known. A topic that had some and
// has none is being deleted: a producer for it would create it again, without any, and whoever
// wants to create it with its partitions would be refused.
func openProducers(
	client pulsar.Client,
	options pulsar.ProducerOptions,
	had int64,
) (*producers, error) {
	topics, err := client.TopicPartitions(options.Topic)
	switch {
	case err != nil:
		return nil, err
	case had > 1 && len(topics) == 1 && !strings.HasSuffix(topics[0], "-partition-0"):
		return nil, errDeleted
	}

	options.BatchingMaxPublishDelay = libraryDelay
	options.PartitionsAutoDiscoveryInterval = math.MaxInt64 // the publisher looks by itself

	p := &producers{all: make([]*producer, len(topics)), route: byKey(options)}
	errs := make([]error, len(topics))

	var opening sync.WaitGroup
	for i, topic := range topics {
		own := options
		own.Topic = topic

		opening.Go(func() {
			opened, err := client.CreateProducer(own)
			if err != nil {
				errs[i] = err // and opened is no producer, but not nil
				return
			}

			p.all[i] = &producer{Producer: opened}
		})
	}

	opening.Wait()

	if err := cmp.Or(errs...); err != nil {
		p.all = slices.DeleteFunc(p.all, func(one *producer) bool { return one == nil })
		p.Close()

		return nil, err
	}

	return p, nil
}

// byKey returns the library's choice of a partition for a message, by the hash of its key.
func byKey(options pulsar.ProducerOptions) func(*pulsar.ProducerMessage, uint32) int {
	javaString := func(key string) uint32 {
		var hash uint32
		for i := range len(key) {
			hash = 31*hash + uint32(key[i])
		}

		return hash
	}

	const most = 1000 // the library's default

	return pulsar.NewDefaultRouter(
		javaString,
		most,
		most,
		options.BatchingMaxPublishDelay,
		false,
	)
}

// SendAsync passes the message to the producer of its partition.
func (p *producers) SendAsync(
	ctx context.Context,
	m *pulsar.ProducerMessage,
	done func(pulsar.MessageID, *pulsar.ProducerMessage, error),
) {
	to := p.all[p.route(m, uint32(len(p.all)))] //nolint:gosec // partitions are few
	to.SendAsync(ctx, m, done)
	to.flushSoon()
}

// FlushWithCtx waits until all messages are confirmed.
func (p *producers) FlushWithCtx(ctx context.Context) error {
	for _, one := range p.all {
		if err := one.FlushWithCtx(ctx); err != nil {
			return err
		}
	}

	return nil
}

// Close closes all producers. A flush that is still to come ends by itself.
func (p *producers) Close() {
	var closing sync.WaitGroup
	for _, one := range p.all {
		closing.Go(one.Close)
	}

	closing.Wait()
}

// flushSoon lets a message that was just sent be flushed.
func (p *producer) flushSoon() {
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.flushing {
		p.more = true
		return
	}

	p.flushing = true
	time.AfterFunc(batchDelay, p.flush)
}

// flush flushes, and again if something was sent meanwhile.
func (p *producer) flush() {
	p.begin()
	p.flushNow()

	p.mu.Lock()
	defer p.mu.Unlock()

	if p.flushing = p.more; p.more {
		time.AfterFunc(batchDelay, p.flush)
	}
}

func (p *producer) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.more = false
}

// flushNow waits a moment for the receipt. If the library does not get to it, its own delay
// flushes.
func (p *producer) flushNow() {
	//nolint:forbidigo // it has its own end, and flushes for all who have sent
	ctx, cancel := context.WithTimeout(context.Background(), receiptDelay)
	defer cancel()

	defer func() { _ = recover() }() // the library panics in a flush while it closes

	_ = p.FlushWithCtx(ctx)
}
