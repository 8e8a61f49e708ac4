package pulsar

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"tributary/bff/internal/application/acceptcampaign"
	"tributary/bff/internal/application/requestpayment"
	"tributary/bff/internal/application/submit"
	"tributary/bff/internal/application/uploadevidence"
	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
	"tributary/bff/internal/domain/payment"
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

// Publisher publishes each kind of command to its topic, with the user's id as key: commands of a
// user stay in order. It is safe for concurrent use.
type Publisher struct {
	accept, upload, payment *broker.Publisher
	ring                    *sealed.Ring
}

var (
	_ acceptcampaign.Publisher = (*Publisher)(nil)
	_ uploadevidence.Publisher = (*Publisher)(nil)
	_ requestpayment.Publisher = (*Publisher)(nil)
)

// New returns a publisher, whose Parts must run. With a ring, account details are sealed; without
// one, they are sent in clear.
func New(client *broker.Client, cfg broker.Config, ring *sealed.Ring) (*Publisher, error) {
	p := &Publisher{ring: ring}
	for _, t := range []struct {
		publisher     **broker.Publisher
		topic, schema string
	}{
		{&p.accept, contracts.CampaignAccept, contracts.CampaignAcceptV1},
		{&p.upload, contracts.EvidenceUpload, contracts.EvidenceUploadV1},
		{&p.payment, contracts.PaymentRequest, contracts.PaymentRequestV1},
	} {
		schema, err := contracts.AvroSchema(t.schema)
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", t.topic, err)
		}

		*t.publisher = client.NewPublisher(broker.PublisherConfig{
			Topic:       cfg.Topic(t.topic),
			Schema:      schema,
			MaxPending:  maxPending,
			SendTimeout: sendTimeout,
		})
	}

	return p, nil
}

// Parts returns the parts that must run. When they stop, every command handed over is flushed.
func (p *Publisher) Parts() []process.Part {
	return []process.Part{
		{Name: "publisher of " + contracts.CampaignAccept, Run: p.accept.Run},
		{Name: "publisher of " + contracts.EvidenceUpload, Run: p.upload.Run},
		{Name: "publisher of " + contracts.PaymentRequest, Run: p.payment.Run},
	}
}

// Ready returns nil if all topics can be published to.
func (p *Publisher) Ready(context.Context) error {
	for _, publisher := range []*broker.Publisher{p.accept, p.upload, p.payment} {
		if err := publisher.Ready(); err != nil {
			return err
		}
	}

	return nil
}

// PublishAcceptance returns nil after the broker has stored the command.
func (p *Publisher) PublishAcceptance(ctx context.Context, a campaign.Acceptance) error {
	payload, err := encodeAcceptance(a)
	return publish(ctx, p.accept, a.Stamp(), payload, err)
}

// PublishUpload returns nil after the broker has stored the command.
func (p *Publisher) PublishUpload(ctx context.Context, u evidence.Upload) error {
	payload, err := encodeUpload(u)
	return publish(ctx, p.upload, u.Stamp(), payload, err)
}

// PublishPayment returns nil after the broker has stored the command.
func (p *Publisher) PublishPayment(ctx context.Context, r payment.Request) error {
	details, err := p.details(r)
	if err != nil {
		return err
	}

	payload, err := encodePayment(r, details)

	return publish(ctx, p.payment, r.Stamp(), payload, err)
}

// details returns the account details for the message: a JSON string bound to the command's id if
// sealed, otherwise the object itself.
func (p *Publisher) details(r payment.Request) (jsontext.Value, error) {
	clear := r.AccountDetails().Reveal()
	if p.ring == nil {
		return jsontext.Value(clear), nil
	}

	text, err := p.ring.Seal([]byte(clear), r.Stamp().ID())
	if err != nil {
		return nil, err
	}

	return json.Marshal(text)
}

// publish waits for the broker's confirmation.
func publish(
	ctx context.Context,
	to *broker.Publisher,
	stamp command.Stamp,
	payload []byte,
	err error,
) error {
	if err != nil {
		return fmt.Errorf("encode %s: %w", stamp.Type(), err)
	}

	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()

	return faultOf(to.Publish(ctx, broker.Message{
		Key:        stamp.Caller().UserID(),
		Payload:    payload,
		Properties: properties(ctx, stamp),
		EventTime:  stamp.IssuedAt(),
	}))
}

// faultOf returns the fault of the broker's error.
func faultOf(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, broker.ErrUnavailable):
		return submit.ErrBrokerUnavailable.Because(
			err,
			"The broker does not answer; nothing was published by this request.",
		).RetryIn(time.Second)
	case errors.Is(err, broker.ErrRefused):
		return submit.ErrRefused.Because(
			err,
			"The broker cannot store a message of this size or shape.",
		)
	}

	return submit.ErrOutcomeUnknown.Because(
		err,
		"The broker did not confirm in time; the message may be stored. Retrying with the "+
			"same Idempotency-Key is safe.",
	).RetryIn(time.Second)
}

// properties lets consumers route and trace a command without reading it. The ce_ properties are
// CloudEvents 1.0 in binary form.
func properties(ctx context.Context, stamp command.Stamp) map[string]string {
	list := map[string]string{
		"command_id":     stamp.ID(),
		"command_type":   string(stamp.Type()),
		"content-type":   "application/json",
		"ce_specversion": "1.0",
		"ce_id":          stamp.ID(),
		"ce_type":        "tributary.bff." + string(stamp.Type()) + ".v1",
		"ce_source":      "tributary/bff",
	}
	otel.GetTextMapPropagator().Inject(ctx, propagation.MapCarrier(list))

	return list
}
