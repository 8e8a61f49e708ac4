package broker

import (
	"context"
	"sync"

	"github.com/apache/pulsar-client-go/pulsar"
)

// intake is one consumer of the library.
type intake struct {
	client   *Client
	consumer pulsar.Consumer
	inbox    chan pulsar.ConsumerMessage
	parts    *partitions
	gone     chan struct{} // closed when the library has closed the consumer
	cause    error         // why, once gone is closed
	once     sync.Once
}

// subscribe creates a consumer of the library.
func (c *Consumer) subscribe(ctx context.Context) (*intake, error) {
	in := &intake{
		client: c.client,
		inbox:  make(chan pulsar.ConsumerMessage, c.cfg.MaxBatch),
		parts:  &partitions{active: map[int32]bool{}},
		gone:   make(chan struct{}),
	}

	consumer, err := create(ctx, c.client, func() (pulsar.Consumer, error) {
		return c.library.Subscribe(pulsar.ConsumerOptions{
			Topic:                       c.cfg.Topic,
			SubscriptionName:            c.cfg.Subscription,
			Type:                        pulsar.Failover,
			MessageChannel:              in.inbox,
			SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
			ReceiverQueueSize:           c.cfg.Queue,
			BackOffPolicyFunc:           capped,
			EventListener:               in.parts,
			AckWithResponse:             true,
			Interceptors:                pulsar.ConsumerInterceptors{in},
		})
	}, pulsar.Consumer.Close)
	if err != nil {
		return nil, err
	}

	in.consumer = consumer

	return in, nil
}

// BeforeConsume is called by the library.
func (*intake) BeforeConsume(pulsar.ConsumerMessage) {}

// OnAcknowledge is called by the library.
func (*intake) OnAcknowledge(pulsar.Consumer, pulsar.MessageID) {}

// OnNegativeAcksSend is called by the library.
func (*intake) OnNegativeAcksSend(pulsar.Consumer, []pulsar.MessageID) {}

// OnConsumerClose is called by the library, also when it closes the consumer itself.
func (in *intake) OnConsumerClose(_ pulsar.Consumer, err error) {
	in.once.Do(func() {
		in.cause = err
		close(in.gone)
	})
}
