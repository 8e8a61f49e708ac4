package broker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"tributary/platform/broker"
)

// library is a fake of the client library that shows its known faults.
type library struct {
	pulsar.Client

	mu        sync.Mutex
	producers []*producer
	consumers []*consumer
	send      func(answer func(error))
	ack       func(id pulsar.MessageID) error
	newest    []pulsar.TopicMessageID
	partition int32
	refused   error // of producers and consumers
	topics    []string
}

func (l *library) CreateProducer(pulsar.ProducerOptions) (pulsar.Producer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.refused != nil {
		return nil, l.refused
	}

	p := &producer{library: l}
	l.producers = append(l.producers, p)

	return p, nil
}

func (l *library) Subscribe(o pulsar.ConsumerOptions) (pulsar.Consumer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.refused != nil {
		return nil, l.refused
	}

	c := &consumer{library: l, options: o}
	l.consumers = append(l.consumers, c)
	o.EventListener.BecameActive(c, o.Topic, l.partition)

	return c, nil
}

func (l *library) made() (producers, consumers int) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return len(l.producers), len(l.consumers)
}

func (l *library) consumer(n int) *consumer {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.consumers[n]
}

func (l *library) TopicPartitions(topic string) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.topics != nil {
		return l.topics, nil
	}

	return []string{topic}, nil
}

// repartition changes the partitions of the topic.
func (l *library) repartition(topics ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics = topics
}

func (*library) Close() {}

type producer struct {
	pulsar.Producer

	library *library
}

func (p *producer) SendAsync(
	_ context.Context,
	m *pulsar.ProducerMessage,
	done func(pulsar.MessageID, *pulsar.ProducerMessage, error),
) {
	p.library.send(func(err error) { done(nil, m, err) })
}

func (*producer) FlushWithCtx(context.Context) error { return nil }

func (*producer) Close() {}

type consumer struct {
	pulsar.Consumer

	library *library
	options pulsar.ConsumerOptions
}

func (c *consumer) AckIDCumulative(id pulsar.MessageID) error { return c.library.ack(id) }

func (c *consumer) GetLastMessageIDs() ([]pulsar.TopicMessageID, error) { return c.library.newest, nil }

func (c *consumer) Close() {}

func (c *consumer) deliver(entries ...int64) {
	for _, e := range entries {
		id := pulsar.NewMessageID(1, e, -1, c.library.partition)
		c.options.MessageChannel <- pulsar.ConsumerMessage{Message: message{id: id}}
	}
}

type message struct {
	pulsar.Message

	id pulsar.MessageID
}

func (m message) ID() pulsar.MessageID        { return m.id }
func (message) Topic() string                 { return "t-partition-0" }
func (message) Key() string                   { return "k" }
func (message) Payload() []byte               { return nil }
func (message) Properties() map[string]string { return nil }
func (message) EventTime() time.Time          { return time.Time{} }
func (message) PublishTime() time.Time        { return time.Time{} }

type topicMessageID struct {
	pulsar.MessageID

	topic string
}

func (id topicMessageID) Topic() string { return id.topic }

// running starts run in the bubble and stops it at the end of the test.
func running(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())

	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	synctest.Wait()

	return func() {
		cancel()

		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	}
}

func TestEverySendIsAnsweredOnce(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		send func(answer func(error))
		want error // nil for success
	}{
		"confirmed":                      {func(answer func(error)) { answer(nil) }, nil},
		"confirmed twice":                {func(answer func(error)) { answer(nil); answer(errors.New("late")) }, nil},
		"never answered":                 {func(func(error)) {}, broker.ErrUnknown},
		"timed out":                      {func(answer func(error)) { answer(pulsar.ErrSendTimeout) }, broker.ErrUnknown},
		"closed while pending":           {func(answer func(error)) { answer(pulsar.ErrProducerClosed) }, broker.ErrUnknown},
		"topic deleted":                  {func(answer func(error)) { answer(errors.Join(pulsar.ErrTopicNotfound, errors.New("x"))) }, broker.ErrUnknown},
		"send on a closed channel":       {func(func(error)) { panic("send on closed channel") }, broker.ErrUnavailable},
		"queue full":                     {func(answer func(error)) { answer(pulsar.ErrSendQueueIsFull) }, broker.ErrUnavailable},
		"too large":                      {func(answer func(error)) { answer(pulsar.ErrMessageTooLarge) }, broker.ErrRefused},
		"something new of the library's": {func(answer func(error)) { answer(errors.New("surprise")) }, broker.ErrUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := &library{send: c.send}
				client := broker.WithLibrary(fake)
				p := client.NewPublisher(broker.PublisherConfig{Topic: "t"})
				stop := running(t, p.Run)

				var answers []error
				p.Send(
					t.Context(),
					broker.Message{Payload: []byte("x")},
					func(err error) { answers = append(answers, err) },
				)
				stop()

				if len(answers) != 1 || !errors.Is(answers[0], c.want) {
					t.Errorf("answered with %v, want %v once", answers, c.want)
				}

				client.Close()
			})
		})
	}
}

func TestAProducerThatIsGoneIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := &library{send: func(answer func(error)) { answer(pulsar.ErrProducerFenced) }}
		p := broker.WithLibrary(fake).NewPublisher(broker.PublisherConfig{Topic: "t"})
		stop := running(t, p.Run)
		p.Send(t.Context(), broker.Message{}, func(error) {})
		time.Sleep(time.Second)

		if made, _ := fake.made(); made != 2 || p.Ready() != nil {
			t.Errorf("%d producers were made, Ready = %v; want a second one", made, p.Ready())
		}

		stop()
	})
}

func TestPendingMessagesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var answer func(error)
		fake := &library{send: func(a func(error)) { answer = a }}
		client := broker.WithLibrary(fake)
		refusing := client.NewPublisher(broker.PublisherConfig{Topic: "t", MaxPending: 1})

		blocking := client.NewPublisher(
			broker.PublisherConfig{Topic: "t", MaxPending: 1, Block: true},
		)
		for name, p := range map[string]*broker.Publisher{"refusing": refusing, "blocking": blocking} {
			stop := running(t, p.Run)

			var first, second error
			p.Send(t.Context(), broker.Message{}, func(err error) { first = err })
			firstAnswer := answer
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			began := time.Now()
			p.Send(ctx, broker.Message{}, func(err error) { second = err })
			cancel()

			if !errors.Is(second, broker.ErrUnavailable) ||
				(time.Since(began) > 0) != (name == "blocking") {
				t.Errorf(
					"%s: with one pending the second got %v after %s",
					name,
					second,
					time.Since(began),
				)
			}

			firstAnswer(nil)
			p.Send(t.Context(), broker.Message{}, func(err error) { second = err })
			answer(nil)

			if first != nil || second != nil {
				t.Errorf("%s: answers %v, %v after there is room", name, first, second)
			}

			stop()
		}
	})
}

// A failed acknowledgement is retried, a blocked one delays nothing, and an older message does not
// replace a newer one.
func TestAcknowledging(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			mu    sync.Mutex
			acked []int64
		)
		block, failures := make(chan struct{}), 2
		fake := &library{}
		fake.ack = func(id pulsar.MessageID) error {
			if id.EntryID() == 9 {
				<-block
				return errors.New("consumer is closed")
			}

			mu.Lock()
			defer mu.Unlock()

			if failures > 0 {
				failures--
				return errors.New("connection closed")
			}

			acked = append(acked, id.EntryID())

			return nil
		}

		var handled []string
		c := broker.WithLibrary(
			fake,
		).NewConsumer(broker.ConsumerConfig{Topic: "t", Subscription: "s"})
		stop := running(t, func(ctx context.Context) error {
			return c.Run(ctx, func(_ context.Context, batch []broker.Received) error {
				for _, m := range batch {
					handled = append(handled, m.ID())
				}

				return nil
			})
		})

		for _, entry := range []int64{3, 1} { // 1 arrives while acknowledging 3 fails
			fake.consumer(0).deliver(entry)
			time.Sleep(100 * time.Millisecond)
		}

		for _, entry := range []int64{4, 4, 9, 5, 6} {
			// 4 arrives again, as after a crash of the broker
			time.Sleep(5 * time.Second)
			fake.consumer(0).deliver(entry)
		}

		synctest.Wait()
		mu.Lock()
		if want := []int64{3, 4, 4}; !slices.Equal(acked, want) || len(handled) != 7 {
			t.Errorf(
				"acknowledged %v of handled %v, want %v before the one that blocks",
				acked,
				handled,
				want,
			)
		}

		mu.Unlock()
		close(block)
		stop()
	})
}

// A consumer that stops under load handles nothing after an unhandled message, since an
// acknowledgement would cover both. Which goroutine notices the end first is chance, hence the
// repetitions.
func TestStoppingUnderLoadLeavesNothingOut(t *testing.T) {
	t.Parallel()

	for range 1000 {
		synctest.Test(t, func(t *testing.T) {
			fake := &library{ack: func(pulsar.MessageID) error { return nil }}
			c := broker.WithLibrary(
				fake,
			).NewConsumer(broker.ConsumerConfig{Topic: "t", Subscription: "s", MaxBatch: 1})
			ctx, cancel := context.WithCancel(t.Context())
			handled := 0
			stop := running(t, func(context.Context) error {
				return c.Run(ctx, func(_ context.Context, batch []broker.Received) error {
					if want := pulsar.NewMessageID(
						1,
						int64(handled),
						-1,
						0,
					).String(); batch[0].ID() != want {
						t.Errorf(
							"%s was handled after %d messages, want %s",
							batch[0].ID(),
							handled,
							want,
						)
					}

					if handled == 0 {
						synctest.Wait() // until every queue is full
						cancel()
					}

					handled++

					return nil
				})
			})

			for entry := range int64(20) {
				select {
				case fake.consumer(0).options.MessageChannel <- pulsar.ConsumerMessage{Message: message{id: pulsar.NewMessageID(1, entry, -1, 0)}}:
				case <-ctx.Done():
				}
			}

			stop()
		})
	}
}

func TestTheLibraryIsQuiet(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer

	logger := slog.New(
		broker.Quiet(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})),
	).With("topic", "t")
	for range 100 {
		logger.Info("Reconnecting to broker")
		logger.Warn("Connection was closed")
		logger.Error("Failed to create consumer at reconnect")
	}

	if lines := strings.Count(out.String(), "\n"); lines != 1 ||
		!strings.Contains(out.String(), "level=WARN") {
		t.Errorf("logged %d lines: %s", lines, out.String())
	}
}
