package brokertest

import (
	"context"
	"errors"
	"net/http"
	"os"
	"testing"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/rest"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"

	"tributary/platform/broker"
)

// Admin asks the broker what no service needs to know.
type Admin struct {
	cfg    broker.Config
	client pulsaradmin.Client
}

// NewAdmin returns an admin of the namespace.
func NewAdmin(tb testing.TB, cfg broker.Config) *Admin {
	tb.Helper()

	client, err := pulsaradmin.NewClient(
		&pulsaradmin.Config{WebServiceURL: os.Getenv("TEST_PULSAR_ADMIN_URL"), Token: cfg.Token},
	)
	if err != nil {
		tb.Fatal(err)
	}

	return &Admin{cfg: cfg, client: client}
}

// SchemaVersions returns the number of versions of the topic's schema. More than one means that two
// parties declare different schemas.
func (a *Admin) SchemaVersions(topic string) (int, error) {
	all, err := a.client.Schemas().GetAllSchemas(a.cfg.Topic(topic))
	return len(all), err
}

// Backlog returns the exact number of messages that the subscription has not acknowledged.
func (a *Admin) Backlog(ctx context.Context, topic, subscription string) (int64, error) {
	name, err := utils.GetTopicName(a.cfg.Topic(topic))
	if err != nil {
		return 0, err
	}

	meta, err := a.client.Topics().GetMetadataWithContext(ctx, *name)
	if err != nil {
		return 0, err
	}

	options := utils.GetStatsOptions{GetPreciseBacklog: true}
	if meta.Partitions == 0 {
		stats, err := a.client.Topics().GetStatsWithOptionWithContext(ctx, *name, options)
		return stats.Subscriptions[subscription].MsgBacklog, err
	}

	stats, err := a.client.Topics().GetPartitionedStatsWithOptionWithContext(
		ctx,
		*name,
		false,
		options,
	)

	return stats.Subscriptions[subscription].MsgBacklog, err
}

// Stored returns the bytes of the partitioned topic.
func (a *Admin) Stored(ctx context.Context, topic string) (int64, error) {
	name, err := utils.GetTopicName(a.cfg.Topic(topic))
	if err != nil {
		return 0, err
	}

	stats, err := a.client.Topics().GetPartitionedStatsWithContext(ctx, *name, false)

	return stats.StorageSize, err
}

// RemoveTopic deletes the topic with its subscriptions and disconnects its clients.
func (a *Admin) RemoveTopic(ctx context.Context, topic string) error {
	name, err := utils.GetTopicName(a.cfg.Topic(topic))
	if err != nil {
		return err
	}

	meta, err := a.client.Topics().GetMetadataWithContext(ctx, *name)
	if err != nil {
		return err
	}

	return a.client.Topics().DeleteWithContext(ctx, *name, true, meta.Partitions == 0)
}

// removeNamespace deletes the namespace with all its topics.
func (a *Admin) removeNamespace(ctx context.Context) error {
	namespace := a.cfg.Tenant + "/" + a.cfg.Namespace

	name, err := utils.GetNamespaceName(namespace)
	if err != nil {
		return err
	}

	partitioned, plain, err := a.client.Topics().ListWithContext(ctx, *name)
	if err != nil {
		return err
	}

	for i, topic := range append(partitioned, plain...) {
		t, err := utils.GetTopicName(topic)
		if err != nil {
			return err
		}

		err = a.client.Topics().DeleteWithContext(ctx, *t, true, i >= len(partitioned))
		if err != nil && !missing(err) {
			return err
		}
	}

	return a.client.Namespaces().DeleteNamespaceWithContext(ctx, namespace)
}

func missing(err error) bool {
	var answer rest.Error
	return errors.As(err, &answer) && answer.Code == http.StatusNotFound
}
