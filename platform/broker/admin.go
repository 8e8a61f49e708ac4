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

// Plan is the wanted state of a namespace.
type Plan struct {
	Retention time.Duration // how long acknowledged messages are kept
	Topics    []Topic
}

// Topic is the wanted state of a topic.
type Topic struct {
	Name string // without tenant and namespace, or the full name
	// 0 for a topic without partitions. A topic with more partitions is left as it is.
	Partitions int
	// Durable subscriptions, so that no message is dropped before its first consumer connects.
	Subscriptions []string
	Schema        string        // Avro definition of a JSON payload; empty for no schema
	Retention     time.Duration // replaces the plan's if positive
	// Expiry is after how long a message counts as acknowledged although a subscription has not
	// acknowledged it; 0 for never.
	Expiry time.Duration
}

// The errors of Apply that a retry does not resolve.
var (
	// ErrForbidden is returned if the token may not administer the namespace, as is common on a
	// managed broker.
	ErrForbidden = errors.New("the token has no right to administer the namespace")
	// ErrDiffers is returned if the broker's state differs from the plan in a way that an operator
	// must resolve.
	ErrDiffers = errors.New("the broker differs from the plan")
)

// Admin configures a broker. Its token needs the rights of a namespace administrator.
type Admin struct {
	cfg    Config
	client pulsaradmin.Client
}

// NewAdmin returns an admin client for the broker's HTTP address.
func NewAdmin(c Config, adminURL string) (*Admin, error) {
	client, err := pulsaradmin.NewClient(
		&pulsaradmin.Config{WebServiceURL: adminURL, Token: c.Token},
	)
	if err != nil {
		return nil, fmt.Errorf("PULSAR_ADMIN_URL: %w", err)
	}

	return &Admin{cfg: c, client: client}, nil
}

// Ready returns nil if the broker answers.
func (a *Admin) Ready(ctx context.Context) error {
	return a.client.Brokers().HealthCheckWithTopicVersionWithContext(ctx, utils.TopicVersionV2)
}

// Apply changes the namespace to match the plan and returns one line for each change. It is
// idempotent, may run concurrently, and never removes anything. Errors other than ErrForbidden and
// ErrDiffers may be temporary if the broker has just started.
func (a *Admin) Apply(ctx context.Context, plan Plan) ([]string, error) {
	namespace := a.cfg.Tenant + "/" + a.cfg.Namespace

	changes, err := a.namespace(ctx, namespace, plan.Retention)
	if err != nil {
		return changes, fmt.Errorf("namespace %s: %w", namespace, withForbidden(err))
	}

	for _, t := range plan.Topics {
		done, err := a.topic(ctx, t)

		changes = append(changes, done...)
		if err != nil {
			return changes, fmt.Errorf("topic %s: %w", t.Name, withForbidden(err))
		}
	}

	return changes, nil
}

func (a *Admin) namespace(
	ctx context.Context,
	namespace string,
	retention time.Duration,
) ([]string, error) {
	var changes []string

	existing, err := a.client.Namespaces().GetNamespacesWithContext(ctx, a.cfg.Tenant)
	if status(err) == http.StatusNotFound {
		if err = a.tenant(ctx); err == nil {
			changes = append(changes, "created tenant "+a.cfg.Tenant)
		}
	}

	if err != nil {
		return changes, err
	}

	if !slices.Contains(existing, namespace) {
		err := a.client.Namespaces().CreateNamespaceWithContext(ctx, namespace)
		if ignoreConflict(err) != nil {
			return changes, err
		}

		changes = append(changes, "created namespace "+namespace)
	}

	have, err := a.client.Namespaces().GetRetentionWithContext(ctx, namespace)
	if err != nil {
		return changes, err
	}

	if want := policy(retention); have == nil || *have != want {
		if err := a.client.Namespaces().SetRetentionWithContext(ctx, namespace, want); err != nil {
			return changes, err
		}

		changes = append(
			changes,
			fmt.Sprintf("%s keeps acknowledged messages for %s", namespace, retention),
		)
	}

	name, err := utils.GetNamespaceName(namespace)
	if err != nil {
		return changes, err
	}

	return changes, a.client.Namespaces().SetSchemaCompatibilityStrategyWithContext(
		ctx,
		*name,
		utils.SchemaCompatibilityStrategyFullTransitive,
	)
}

// tenant creates the tenant on all clusters of the broker.
func (a *Admin) tenant(ctx context.Context) error {
	clusters, err := a.client.Clusters().ListWithContext(ctx)
	if err != nil {
		return err
	}

	err = a.client.Tenants().CreateWithContext(
		ctx,
		utils.TenantData{Name: a.cfg.Tenant, AllowedClusters: clusters},
	)

	return ignoreConflict(err)
}

func (a *Admin) topic(ctx context.Context, t Topic) ([]string, error) {
	var changes []string

	name, err := utils.GetTopicName(a.cfg.Topic(t.Name))
	if err != nil {
		return nil, err
	}

	err = a.client.Topics().CreateWithContext(ctx, *name, t.Partitions)
	if err == nil {
		changes = append(changes, fmt.Sprintf("created topic %s", t.Name))
	} else if ignoreConflict(err) != nil {
		return nil, err
	}

	if err := a.partitions(ctx, *name, t.Partitions); err != nil {
		return changes, err
	}

	changed, err := a.retention(ctx, *name, t)
	if err != nil {
		return changes, fmt.Errorf("retention: %w", err)
	}

	if changed {
		changes = append(
			changes,
			fmt.Sprintf("%s keeps acknowledged messages for %s", t.Name, t.Retention),
		)
	}

	changed, err = a.expiry(ctx, *name, t.Expiry)
	if err != nil {
		return changes, fmt.Errorf("expiry: %w", err)
	}

	if changed {
		changes = append(changes, fmt.Sprintf("%s keeps unread messages for %s", t.Name, t.Expiry))
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

	return changes, a.schema(ctx, *name, t.Schema)
}

// partitions refuses a topic with fewer partitions: adding some moves keys to other partitions,
// which an operator must decide.
func (a *Admin) partitions(ctx context.Context, name utils.TopicName, want int) error {
	meta, err := a.client.Topics().GetMetadataWithContext(ctx, name)
	if err != nil {
		return err
	}

	if meta.Partitions < want {
		return fmt.Errorf(
			"%w: %d partitions where %d are expected (a service created it before this command "+
				"ran?); once it is empty, delete it and run this again",
			ErrDiffers,
			meta.Partitions,
			want,
		)
	}

	return nil
}

func (a *Admin) retention(
	ctx context.Context,
	name utils.TopicName,
	t Topic,
) (changed bool, err error) {
	if t.Retention <= 0 {
		return false, nil
	}

	want := policy(t.Retention)

	have, err := a.client.Topics().GetRetentionWithContext(ctx, name, false)
	if err != nil {
		return false, err
	}

	if have != nil && *have == want {
		return false, nil
	}

	return true, a.client.Topics().SetRetentionWithContext(ctx, name, want)
}

func (a *Admin) expiry(
	ctx context.Context,
	name utils.TopicName,
	expiry time.Duration,
) (changed bool, err error) {
	if expiry <= 0 {
		return false, nil
	}

	want := int(expiry / time.Second)

	have, err := a.client.Topics().GetMessageTTLWithContext(ctx, name)
	if err != nil || have == want {
		return false, err
	}

	return true, a.client.Topics().SetMessageTTLWithContext(ctx, name, want)
}

// policy sets no limit in bytes: the broker requires one above its backlog quota, which varies.
func policy(retention time.Duration) utils.RetentionPolicies {
	return utils.RetentionPolicies{
		RetentionTimeInMinutes: int(retention / time.Minute),
		RetentionSizeInMB:      -1,
	}
}

// subscription creates a durable subscription at the oldest message, unless it exists.
func (a *Admin) subscription(
	ctx context.Context,
	topic utils.TopicName,
	subscription string,
) (existed bool, err error) {
	list, err := a.client.Subscriptions().ListWithContext(ctx, topic)
	if err == nil && slices.Contains(list, subscription) {
		return true, nil
	}

	err = a.client.Subscriptions().CreateWithContext(ctx, topic, subscription, utils.Earliest)

	return status(err) == http.StatusConflict, ignoreConflict(err)
}

// schema registers the definition in the same form in which a publisher declares it, so that only
// one version exists.
func (a *Admin) schema(ctx context.Context, topic utils.TopicName, definition string) error {
	if definition == "" {
		return nil
	}

	declared, err := jsonSchema(definition)
	if err != nil {
		return err
	}

	client, ok := a.client.Schemas().(interface {
		CreateSchemaByPayloadWithContext(context.Context, string, utils.PostSchemaPayload) error
	})
	if !ok {
		return errors.New("the admin client cannot register schemas")
	}

	payload := utils.PostSchemaPayload{
		SchemaType: "JSON",
		Schema:     declared.GetSchemaInfo().Schema,
		Properties: map[string]string{},
	}

	err = client.CreateSchemaByPayloadWithContext(ctx, topic.String(), payload)
	if status(err) == http.StatusConflict {
		return fmt.Errorf("%w: the schema is not compatible: %w", ErrDiffers, err)
	}

	return err
}

// status returns the HTTP status of the broker's refusal, or 0 for any other error.
func status(err error) int {
	var answer rest.Error
	if errors.As(err, &answer) {
		return answer.Code
	}

	return 0
}

// ignoreConflict returns nil if the broker answers that something exists already, and err
// otherwise.
func ignoreConflict(err error) error {
	if status(err) == http.StatusConflict {
		return nil
	}

	return err
}

// withForbidden wraps an error about missing rights in ErrForbidden.
func withForbidden(err error) error {
	if code := status(err); code == http.StatusUnauthorized || code == http.StatusForbidden {
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}

	return err
}
