package broker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"

	"tributary/platform/broker"
	"tributary/platform/brokertest"
)

// read collects the payloads of a topic by key, repeats included, until it has as many distinct
// ones as wanted.
func read(t *testing.T, cfg broker.Config, want int) map[string][]string {
	t.Helper()
	got, different := map[string][]string{}, map[string]bool{}
	enough := make(chan struct{})
	client := brokertest.Client(t, cfg)
	c := client.NewConsumer(broker.ConsumerConfig{Topic: cfg.Topic(topic), Subscription: "kept"})

	stop := brokertest.Run(t, func(ctx context.Context) error {
		return c.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			for _, m := range batch {
				got[m.Key] = append(got[m.Key], string(m.Payload))
				different[m.Key+"/"+string(m.Payload)] = true
			}

			if len(different) >= want {
				select {
				case <-enough:
				default:
					close(enough)
				}
			}

			return nil
		})
	})
	select {
	case <-enough:
	case <-time.After(30 * time.Second):
		t.Error("messages are missing")
	}

	stop()

	return got
}

// inOrder reports whether the first occurrences of the numbers are in order.
func inOrder(values []string) bool {
	next := 0
	for _, v := range values {
		var n int
		if _, err := fmt.Sscan(v, &n); err != nil || n > next {
			return false
		}

		next = max(next, n+1)
	}

	return true
}

// Every confirmed message is in the topic, whatever happens to the connection.
func TestNothingConfirmedIsLostWhenTheBrokerGoesAway(t *testing.T) {
	t.Parallel()
	direct := brokertest.Namespace(t, plan(8, "kept"))
	proxy := brokertest.NewProxy(t, direct)
	p := publisher(t, direct, brokertest.Client(t, proxy.Config))

	const keys, each = 16, 200

	var mu sync.Mutex
	confirmed := map[string]bool{}

	var answers sync.WaitGroup

	send := func(key string, n int) {
		answers.Add(1)
		p.Send(t.Context(), broker.Message{Key: key, Payload: fmt.Append(nil, n)}, func(err error) {
			defer answers.Done()

			if err == nil {
				mu.Lock()
				confirmed[fmt.Sprintf("%s/%d", key, n)] = true
				mu.Unlock()
			} else if !errors.Is(err, broker.ErrUnavailable) && !errors.Is(err, broker.ErrUnknown) {
				t.Errorf("Send = %v", err)
			}
		})
	}
	for n := range each {
		for k := range keys {
			send(fmt.Sprint(k), n)
		}

		switch n {
		case 60:
			proxy.Cut()
		case 140:
			proxy.Heal()
		}
	}

	answers.Wait()

	if len(confirmed) < keys*each/4 {
		t.Fatalf("only %d of %d were confirmed: the outage did not end", len(confirmed), keys*each)
	}

	got := read(t, direct, len(confirmed))
	for name := range confirmed {
		key, n, _ := strings.Cut(name, "/")
		if !slices.Contains(got[key], n) {
			t.Errorf("%s was confirmed and is not there", name)
		}
	}
}

func TestPublishingFailsFastWhileTheBrokerIsAwayAndComesBack(t *testing.T) {
	t.Parallel()

	for name, outage := range map[string]struct{ begin, end func(*brokertest.Proxy) }{
		"connections refused": {(*brokertest.Proxy).Cut, (*brokertest.Proxy).Heal},
		"packets dropped":     {(*brokertest.Proxy).Freeze, (*brokertest.Proxy).Thaw},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := brokertest.Namespace(t, plan(2, "kept"))
			proxy := brokertest.NewProxy(t, direct)
			p := publisher(t, direct, brokertest.Client(t, proxy.Config))
			outage.begin(proxy)

			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()

			if err := p.Publish(ctx, broker.Message{Key: "a", Payload: []byte("0")}); !errors.Is(err, broker.ErrUnknown) {
				t.Fatalf("Publish during the outage = %v, want ErrUnknown", err)
			}

			if p.Ready() == nil {
				t.Error("Ready = nil a second after the broker stopped answering")
			}

			began := time.Now()

			for range 100 {
				if err := p.Publish(t.Context(), broker.Message{Key: "a"}); !errors.Is(err, broker.ErrUnavailable) {
					t.Fatalf(
						"Publish when the broker is known to be away = %v, want ErrUnavailable",
						err,
					)
				}
			}

			if took := time.Since(began); took > time.Second {
				t.Errorf("100 refusals took %s", took)
			}

			outage.end(proxy)
			eventually(t, p.Ready)

			if err := p.Publish(
				t.Context(),
				broker.Message{Key: "a", Payload: []byte("1")},
			); err != nil {
				t.Fatalf("Publish after the outage = %v", err)
			}
		})
	}
}

func TestStoppingDuringAnOutageAnswersEverything(t *testing.T) {
	t.Parallel()
	direct := brokertest.Namespace(t, plan(4, "kept"))
	proxy := brokertest.NewProxy(t, direct)
	client := brokertest.Client(t, proxy.Config)
	p := client.NewPublisher(
		broker.PublisherConfig{Topic: direct.Topic(topic), SendTimeout: time.Minute},
	)
	stop := brokertest.Run(t, p.Run)
	eventually(t, p.Ready)
	proxy.Freeze()

	const n = 100

	answers := make(chan error, 2*n)
	for i := range n {
		p.Send(
			t.Context(),
			broker.Message{Key: fmt.Sprint(i), Payload: []byte("x")},
			func(err error) { answers <- err },
		)
	}

	proxy.Cut()
	stop()

	for range n {
		select {
		case err := <-answers:
			if !errors.Is(err, broker.ErrUnknown) {
				t.Fatalf("Send = %v, want ErrUnknown", err)
			}
		default:
			t.Fatal("a send was never answered")
		}
	}

	if len(answers) != 0 {
		t.Errorf("%d sends were answered twice", len(answers))
	}
}

// The library closes a producer permanently when its topic is deleted; the publisher creates a new
// one.
func TestPublisherSurvivesTheDeletionOfItsTopic(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(2, "kept"))
	p := publisher(t, cfg, brokertest.Client(t, cfg))

	admin, err := broker.NewAdmin(cfg, adminURL())
	if err != nil {
		t.Fatal(err)
	}

	if err := brokertest.NewAdmin(t, cfg).RemoveTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}

	eventually(t, func() error {
		// right after a deletion the broker may not know yet that it has to create the topic again
		_, err := admin.Apply(t.Context(), plan(2, "kept"))
		return err
	})
	eventually(
		t,
		func() error { return p.Publish(t.Context(), broker.Message{Key: "a", Payload: []byte("0")}) },
	)

	if got := read(t, cfg, 1); len(got["a"]) == 0 {
		t.Errorf("after the deletion the topic holds %v", got)
	}
}

// A message above the topic's own limit leaves the library's producer deaf permanently. The
// publisher creates a new one, and other messages are published again.
func TestPublisherSurvivesAMessageAboveTheTopicsLimit(t *testing.T) {
	t.Parallel()
	cfg := brokertest.Namespace(t, plan(1, "kept"))
	p := brokertest.Client(
		t,
		cfg,
	).NewPublisher(broker.PublisherConfig{Topic: cfg.Topic(topic), SendTimeout: broker.Unlimited})
	brokertest.Run(t, p.Run)
	eventually(t, p.Ready)

	admin, err := pulsaradmin.NewClient(&pulsaradmin.Config{WebServiceURL: adminURL()})
	if err != nil {
		t.Fatal(err)
	}

	name, err := utils.GetTopicName(cfg.Topic(topic))
	if err != nil {
		t.Fatal(err)
	}

	if err := admin.Topics().SetMaxMessageSizeWithContext(t.Context(), *name, 1000); err != nil {
		t.Fatal(err)
	}

	large := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		return p.Publish(ctx, broker.Message{Key: "a", Payload: make([]byte, 5000)})
	}
	eventually(t, func() error { // the limit takes effect with a delay
		if large() == nil {
			return errors.New("the broker takes the large message")
		}

		return nil
	})
	small := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		return p.Publish(ctx, broker.Message{Key: "a", Payload: []byte("0")})
	}
	eventually(t, small)
}

func TestConsumerGoesOnAfterAnOutage(t *testing.T) {
	t.Parallel()
	direct := brokertest.Namespace(t, plan(4, "kept"))
	proxy := brokertest.NewProxy(t, direct)
	p := publisher(t, direct, brokertest.Client(t, direct))

	const keys, half = 8, 50
	publish := func(from int) {
		for n := from; n < from+half; n++ {
			for k := range keys {
				if err := p.Publish(
					t.Context(),
					broker.Message{Key: fmt.Sprint(k), Payload: fmt.Append(nil, n)},
				); err != nil {
					t.Error(err)
				}
			}
		}
	}
	publish(0)
	seen, different := map[string][]string{}, map[string]bool{}
	first, all := make(chan struct{}), make(chan struct{})
	c := brokertest.Client(t, proxy.Config).NewConsumer(
		broker.ConsumerConfig{Topic: direct.Topic(topic), Subscription: "kept", MaxBatch: 20},
	)
	stop := brokertest.Run(t, func(ctx context.Context) error {
		return c.Run(ctx, func(_ context.Context, batch []broker.Received) error {
			for _, m := range batch {
				seen[m.Key] = append(seen[m.Key], string(m.Payload))
				different[m.Key+"/"+string(m.Payload)] = true
			}

			switch n := len(different); {
			case n == 2*half*keys:
				closeOnce(all)
			case n >= half*keys/2:
				closeOnce(first)
			}

			return nil
		})
	})
	<-first
	proxy.Cut()
	publish(half)
	proxy.Heal()

	select {
	case <-all:
	case <-time.After(30 * time.Second):
		t.Fatalf("%d of %d messages came", len(different), 2*half*keys)
	}

	stop()

	for key, values := range seen {
		if !inOrder(values) {
			t.Errorf("key %s came as %v", key, values)
		}
	}

	admin := brokertest.NewAdmin(t, direct)
	eventually(t, func() error {
		if n, err := admin.Backlog(t.Context(), topic, "kept"); err != nil || n != 0 {
			return fmt.Errorf("backlog %d, %w", n, err)
		}

		return nil
	})
}

func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}
