package pulsar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	application "tributary/bff/internal/application/command"
	"tributary/bff/internal/domain/command"
	"tributary/contracts"
	"tributary/platform/broker"
	"tributary/platform/process"
	"tributary/platform/sealed"
)

const (
	// answerTimeout keeps the answer to a caller within 2 s, whatever the broker does. The client
	// checks for sends that exceed sendTimeout only periodically, so sendTimeout alone is not
	// enough.
	answerTimeout = 1700 * time.Millisecond
	sendTimeout   = 1500 * time.Millisecond
	maxPending    = 5000
)

// Publisher publishes each type of command to its topic, with the user's id as key: commands of a
// user stay in order. It is safe for concurrent use.
type Publisher struct {
	ring   *sealed.Ring
	topics []*topic
}

// topic is where commands of a type are published.
type topic struct {
	entry

	publisher *broker.Publisher
}

var _ application.Publisher = (*Publisher)(nil)

// New returns a publisher, whose Parts must run. With a ring, account details are sealed; without
// one, they are sent in clear.
func New(client *broker.Client, cfg broker.Config, ring *sealed.Ring) (*Publisher, error) {
	p := &Publisher{ring: ring}
	for _, e := range commands() {
		schema, err := contracts.AvroSchema(e.schema)
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", e.topic, err)
		}

		p.topics = append(p.topics, &topic{
			entry: e,
			publisher: client.NewPublisher(broker.PublisherConfig{
				Topic:       cfg.Topic(e.topic),
				Schema:      schema,
				MaxPending:  maxPending,
				SendTimeout: sendTimeout,
			}),
		})
	}

	return p, nil
}

// Parts returns the parts that must run. When they stop, every command handed over is flushed.
func (p *Publisher) Parts() []process.Part {
	var parts []process.Part
	for _, t := range p.topics {
		parts = append(parts, process.Part{Name: "publisher of " + t.topic, Run: t.publisher.Run})
	}

	return parts
}

// Ready returns nil if all topics can be published to.
func (p *Publisher) Ready(context.Context) error {
	for _, t := range p.topics {
		if err := t.publisher.Ready(); err != nil {
			return err
		}
	}

	return nil
}

// Publish returns nil after the broker has stored the command.
func (p *Publisher) Publish(ctx context.Context, cmd command.Command) error {
	kind := cmd.Stamp().Type()

	i := slices.IndexFunc(p.topics, func(t *topic) bool { return t.kind == kind })
	if i < 0 {
		return fmt.Errorf("no topic for %s", kind)
	}

	return p.topics[i].publish(ctx, cmd, p.seal)
}

// seal returns the text as a JSON string bound to the command's id if there are keys, otherwise the
// object itself.
func (p *Publisher) seal(text, commandID string) (jsontext.Value, error) {
	if p.ring == nil {
		return jsontext.Value(text), nil
	}

	token, err := p.ring.Seal([]byte(text), commandID)
	if err != nil {
		return nil, err
	}

	return json.Marshal(token)
}

// publish waits for the broker's confirmation.
func (t *topic) publish(ctx context.Context, cmd command.Command, hide seal) error {
	stamp := cmd.Stamp()

	message, err := t.message(cmd, hide)
	if err != nil {
		return fmt.Errorf("encode %s: %w", stamp.Type(), err)
	}

	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()

	return faultOf(t.publisher.Publish(ctx, broker.Message{
		Key:        stamp.Caller().UserID(),
		Payload:    message,
		Properties: properties(ctx, stamp, t.version),
		EventTime:  stamp.IssuedAt(),
	}))
}

// faultOf returns the fault of the broker's error.
func faultOf(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, broker.ErrUnavailable):
		return application.ErrBrokerUnavailable.Because(
			err,
			"The broker does not answer; nothing was published by this request.",
		).RetryIn(time.Second)
	case errors.Is(err, broker.ErrRefused):
		return application.ErrRefused.Because(
			err,
			"The broker cannot store a message of this size or shape.",
		)
	}

	return application.ErrOutcomeUnknown.Because(
		err,
		"The broker did not confirm in time; the message may be stored. Retrying with the "+
			"same Idempotency-Key is safe.",
	).RetryIn(time.Second)
}

func (e entry) message(cmd command.Command, hide seal) ([]byte, error) {
	payload, err := e.payload(cmd, hide)
	if err != nil {
		return nil, err
	}

	return encode(cmd.Stamp(), e.version, payload)
}

// properties lets consumers route and trace a command without reading it. The ce_ properties are
// CloudEvents 1.0 in binary form.
func properties(ctx context.Context, stamp command.Stamp, version string) map[string]string {
	list := map[string]string{
		"command_id":     stamp.ID(),
		"command_type":   string(stamp.Type()),
		"content-type":   "application/json",
		"ce_specversion": "1.0",
		"ce_id":          stamp.ID(),
		"ce_type":        "tributary.bff." + string(stamp.Type()) + "." + version,
		"ce_source":      "tributary/bff",
	}
	otel.GetTextMapPropagator().Inject(ctx, propagation.MapCarrier(list))

	return list
}
