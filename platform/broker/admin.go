package broker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/apache/pulsar-client-go/pulsaradmin"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/rest"
	"github.com/apache/pulsar-client-go/pulsaradmin/pkg/utils"
)

// Plan is what a namespace should hold.
type Plan struct {
	Retention time.Duration // how long messages are kept that every subscription has acknowledged
	Topics    []Topic
}

// Topic is what a topic should be like.
type Topic struct {
	Name          string   // without tenant and namespace
	Partitions    int      // 0 for a topic without partitions
	Subscriptions []string // durable ones, so that no message is dropped before its first consumer comes
	Schema        string   // Avro definition of a JSON payload; empty for none
}

// Admin sets a broker up. It needs the rights of a namespace administrator.
type Admin struct {
	cfg    Config
	client pulsaradmin.Client
}

// NewAdmin makes an admin client for the broker's HTTP address.
func NewAdmin(c Config, adminURL string) (*Admin, error) {
	client, err := pulsaradmin.NewClient(&pulsaradmin.Config{WebServiceURL: adminURL, Token: c.Token})
	if err != nil {
		return nil, fmt.Errorf("PULSAR_ADMIN_URL: %w", err)
	}
	return &Admin{cfg: c, client: client}, nil
}

// Ready is nil when the broker answers and knows the tenant.
func (a *Admin) Ready(ctx context.Context) error {
	_, err := a.client.Tenants().ListWithContext(ctx)
	return err
}

// Apply brings the namespace to the plan and returns what it changed, a line each. It may run any number of times and never removes
// anything.
func (a *Admin) Apply(ctx context.Context, plan Plan) ([]string, error) {
	var changes []string
	namespace := a.cfg.Tenant + "/" + a.cfg.Namespace
	created, err := a.namespace(ctx, namespace, plan.Retention)
	if err != nil {
		return nil, fmt.Errorf("namespace %s: %w", namespace, err)
	}
	changes = append(changes, created...)
	for _, t := range plan.Topics {
		done, err := a.topic(ctx, t)
		changes = append(changes, done...)
		if err != nil {
			return changes, fmt.Errorf("topic %s: %w", t.Name, err)
		}
	}
	return changes, nil
}

func (a *Admin) namespace(ctx context.Context, namespace string, retention time.Duration) ([]string, error) {
	var changes []string
	existing, err := a.client.Namespaces().GetNamespacesWithContext(ctx, a.cfg.Tenant)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(existing, namespace) {
		if err := a.client.Namespaces().CreateNamespaceWithContext(ctx, namespace); ignore(err, http.StatusConflict) != nil {
			return nil, err
		}
		changes = append(changes, "created namespace "+namespace)
	}
	minutes := int(retention / time.Minute)
	have, err := a.client.Namespaces().GetRetentionWithContext(ctx, namespace)
	if err != nil {
		return changes, err
	}
	if have == nil || have.RetentionTimeInMinutes != minutes {
		policy := utils.RetentionPolicies{RetentionTimeInMinutes: minutes, RetentionSizeInMB: -1}
		if err := a.client.Namespaces().SetRetentionWithContext(ctx, namespace, policy); err != nil {
			return changes, err
		}
		changes = append(changes, fmt.Sprintf("%s keeps messages for %s", namespace, retention))
	}
	name, err := utils.GetNamespaceName(namespace)
	if err != nil {
		return changes, err
	}
	return changes, a.client.Namespaces().SetSchemaCompatibilityStrategyWithContext(ctx, *name, utils.SchemaCompatibilityStrategyFullTransitive)
}

func (a *Admin) topic(ctx context.Context, t Topic) ([]string, error) {
	var changes []string
	name, err := utils.GetTopicName(a.cfg.Topic(t.Name))
	if err != nil {
		return nil, err
	}
	err = a.client.Topics().CreateWithContext(ctx, *name, t.Partitions)
	if err == nil {
		changes = append(changes, fmt.Sprintf("created topic %s with %d partitions", t.Name, t.Partitions))
	} else if ignore(err, http.StatusConflict) != nil {
		return nil, err
	}
	if t.Partitions > 0 {
		meta, err := a.client.Topics().GetMetadataWithContext(ctx, *name)
		if err != nil {
			return changes, err
		}
		if meta.Partitions != t.Partitions {
			return changes, fmt.Errorf("it has %d partitions where %d are expected; give PULSAR_TOPIC another name or create it anew", meta.Partitions, t.Partitions)
		}
	}
	for _, s := range t.Subscriptions {
		existed, err := a.subscription(ctx, *name, s)
		if err != nil {
			return changes, fmt.Errorf("subscription %s: %w", s, err)
		}
		if !existed {
			changes = append(changes, fmt.Sprintf("created subscription %s on %s", s, t.Name))
		}
	}
	if t.Schema == "" {
		return changes, nil
	}
	payload := utils.PostSchemaPayload{SchemaType: "JSON", Schema: t.Schema}
	if err := a.client.Schemas().CreateSchemaByPayload(name.String(), payload); err != nil {
		return changes, fmt.Errorf("schema (is it incompatible with the one that the topic has?): %w", err)
	}
	return changes, nil
}

// subscription creates a durable subscription at the oldest message, unless it is there.
func (a *Admin) subscription(ctx context.Context, topic utils.TopicName, subscription string) (existed bool, err error) {
	list, err := a.client.Subscriptions().ListWithContext(ctx, topic)
	if err == nil && slices.Contains(list, subscription) {
		return true, nil
	}
	err = a.client.Subscriptions().CreateWithContext(ctx, topic, subscription, utils.Earliest)
	return false, ignore(err, http.StatusConflict)
}

// RemoveNamespace drops the namespace with all its topics. It is for tests.
func (a *Admin) RemoveNamespace(ctx context.Context) error {
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
		if err := a.client.Topics().DeleteWithContext(ctx, *t, true, i >= len(partitioned)); ignore(err, http.StatusNotFound) != nil {
			return err
		}
	}
	return a.client.Namespaces().DeleteNamespaceWithContext(ctx, namespace)
}

// ignore drops the broker's answer with the HTTP status.
func ignore(err error, status int) error {
	var answer rest.Error
	if errors.As(err, &answer) && answer.Code == status {
		return nil
	}
	return err
}
