package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	plog "github.com/apache/pulsar-client-go/pulsar/log"

	letters "tributary/commission/internal/infrastructure/pulsar"
	"tributary/contracts"
	"tributary/platform/broker"
)

// box is an open dead-letter topic. Messages that are read but not acknowledged stay in it.
type box struct {
	client    pulsar.Client
	consumer  pulsar.Consumer
	producers map[string]pulsar.Producer
}

type letter struct {
	message pulsar.Message
	id      string
	topic   string // the topic of origin, without the partition
	reason  string
	at      string
}

const (
	patience = 10 * time.Second
	quiet    = 2 * time.Second // without another message, the topic is read to its end
)

func open(cfg broker.Config, topic string) (*box, error) {
	options := pulsar.ClientOptions{
		URL:                   cfg.ServiceURL,
		ConnectionTimeout:     patience,
		OperationTimeout:      patience,
		TLSTrustCertsFilePath: cfg.TrustFile,
		Logger:                plog.NewLoggerWithSlog(slog.New(slog.DiscardHandler)),
	}
	if cfg.Token != "" {
		options.Authentication = pulsar.NewAuthenticationToken(cfg.Token)
	}

	client, err := pulsar.NewClient(options)
	if err != nil {
		return nil, err
	}

	consumer, err := client.Subscribe(pulsar.ConsumerOptions{
		Topic:                       topic,
		SubscriptionName:            contracts.Operator,
		Type:                        pulsar.Shared,
		SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
	})
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("%s: %w", topic, err)
	}

	return &box{client: client, consumer: consumer, producers: map[string]pulsar.Producer{}}, nil
}

func (b *box) close() {
	for _, p := range b.producers {
		p.Close()
	}

	b.consumer.Close()
	b.client.Close()
}

// each calls fn once for every message that is waiting now. Messages that arrive meanwhile are left
// alone, above all those that were redriven and refused again: they would be read endlessly.
func (b *box) each(ctx context.Context, fn func(letter) error) error {
	last, err := b.consumer.GetLastMessageIDs()
	if err != nil {
		return err
	}

	// partitions that are not read to their end, and their ends
	open := map[string]pulsar.MessageID{}
	for _, end := range last {
		open[end.Topic()] = end
	}

	for len(open) > 0 {
		waiting, cancel := context.WithTimeout(ctx, quiet)
		m, err := b.consumer.Receive(waiting)
		cancel()

		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}

		if err != nil {
			return err
		}

		end, wanted := open[m.Topic()]
		if !wanted || after(m.ID(), end) {
			delete(open, m.Topic())
			continue
		}

		p := m.Properties()

		l := letter{
			message: m,
			id:      m.ID().String(),
			topic:   withoutPartition(p[letters.PropertyTopic]),
			reason:  p[letters.PropertyReason],
			at:      p[letters.PropertyAt],
		}
		if err := fn(l); err != nil {
			return err
		}
	}

	return nil
}

// after reports whether a is a later message of the same topic than b.
func after(a, b pulsar.MessageID) bool {
	return cmp.Or(
		cmp.Compare(a.LedgerID(), b.LedgerID()),
		cmp.Compare(a.EntryID(), b.EntryID()),
	) > 0
}

func withoutPartition(topic string) string {
	return regexp.MustCompile(`-partition-[0-9]+$`).ReplaceAllString(topic, "")
}

// redrive publishes the message to its topic unchanged and then acknowledges it. If it fails in
// between, the message is still in the box.
func (b *box) redrive(ctx context.Context, l letter) error {
	if l.topic == "" {
		return fmt.Errorf("%s does not name its topic of origin", l.id)
	}

	producer := b.producers[l.topic]
	if producer == nil {
		options := pulsar.ProducerOptions{Topic: l.topic}
		if strings.HasSuffix(l.topic, "/"+contracts.TrackingEvents) {
			text, err := contracts.AvroSchema(contracts.TrackingEventV1)
			if err != nil {
				return err
			}

			if options.Schema, err = pulsar.NewJSONSchemaWithValidation(text, nil); err != nil {
				return err
			}
		}

		made, err := b.client.CreateProducer(options)
		if err != nil {
			return fmt.Errorf("%s: %w", l.topic, err)
		}

		producer = made
		b.producers[l.topic] = made
	}

	properties := maps.Clone(l.message.Properties())
	for _, name := range []string{
		letters.PropertyTopic, letters.PropertyReason, letters.PropertyAt,
		letters.PropertyMessage,
	} {
		delete(properties, name)
	}

	_, err := producer.Send(ctx, &pulsar.ProducerMessage{
		Key:        l.message.Key(),
		Payload:    l.message.Payload(),
		Properties: properties,
		EventTime:  l.message.EventTime(),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", l.topic, err)
	}

	return b.consumer.Ack(l.message)
}
