// Package contracts is the published language of the services: their topics, the schemas of their
// messages, and golden messages that the tests of producers and consumers share.
package contracts

import (
	"embed"
	"io/fs"
	"time"

	"tributary/platform/broker"
)

// Topics, without tenant and namespace.
const (
	TrackingEvents           = "tracking-events"
	TrackingEventsDeadLetter = "tracking-events-dlq"
	CampaignAccept           = "bff-campaign-accept-v1"
	EvidenceUpload           = "bff-evidence-upload-v1"
	PaymentRequest           = "bff-payment-request-v1"
	PaymentRequestDeadLetter = "bff-payment-request-v1-dlq"
	CommissionEvents         = "commission-events"
)

// Durable subscriptions.
const (
	Commission = "commission" // of the commission service
	// Of a future service; it keeps accepted campaigns until then.
	CampaignService = "campaign-service"
	EvidenceService = "evidence-service" // of a future service; it keeps evidence until then
	// Of a future service that informs users of what happened to their money.
	NotificationService = "notification-service"
	Operator            = "operator" // of the operators who inspect dead letters
)

// Schemas. Each has a JSON Schema, an Avro description and golden messages of its name. A change
// that old consumers could not read requires a new version on a topic of its own.
const (
	TrackingEventV1  = "tracking-event-v1"
	CampaignAcceptV1 = "bff-campaign-accept-v1"
	EvidenceUploadV1 = "bff-evidence-upload-v1"
	PaymentRequestV1 = "bff-payment-request-v1"

	CommissionEventV1 = "commission-event-v1"
)

// Schemas returns the names of the schemas.
func Schemas() []string {
	return []string{
		TrackingEventV1,
		CampaignAcceptV1,
		EvidenceUploadV1,
		PaymentRequestV1,
		CommissionEventV1,
	}
}

const (
	// Partitions of the event and command topics: the largest number of replicas of a consumer that
	// can share the work.
	partitions = 8
	retention  = 7 * 24 * time.Hour // how long acknowledged messages are kept

	// Events are numerous, and tracking's database has all of them, so acknowledged ones are
	// removed sooner.
	eventRetention = time.Hour
)

//go:embed schemas golden openapi asyncapi.yaml
var files embed.FS

// AsyncAPI returns the AsyncAPI 3.0 document of all topics, in YAML.
func AsyncAPI() ([]byte, error) { return fs.ReadFile(files, "asyncapi.yaml") }

// Schema returns the text of a file in schemas/, such as tracking-event-v1.schema.json.
func Schema(name string) ([]byte, error) { return fs.ReadFile(files, "schemas/"+name) }

// Golden returns the golden messages of a schema, by file name.
func Golden(schema string) (map[string][]byte, error) {
	folder := "golden/" + schema

	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, err
	}

	messages := map[string][]byte{}
	for _, e := range entries {
		text, err := fs.ReadFile(files, folder+"/"+e.Name())
		if err != nil {
			return nil, err
		}

		messages[e.Name()] = text
	}

	return messages, nil
}

// Plan returns the required state of the broker. trackingTopic replaces tracking-events if
// PULSAR_TOPIC names another topic. Every topic has a durable subscription, so that no published
// message is dropped before the first consumer connects. The events of commission are too many to
// wait for their first consumer without an end: its database has what is older.
func Plan(trackingTopic string) (broker.Plan, error) {
	avro := map[string]string{}
	for _, schema := range Schemas() {
		text, err := AvroSchema(schema)
		if err != nil {
			return broker.Plan{}, err
		}

		avro[schema] = text
	}

	return broker.Plan{Retention: retention, Topics: []broker.Topic{
		{
			Name:          trackingTopic,
			Partitions:    partitions,
			Subscriptions: []string{Commission},
			Schema:        avro[TrackingEventV1],
			Retention:     eventRetention,
		},
		{Name: TrackingEventsDeadLetter, Subscriptions: []string{Operator}},
		{
			Name:          CampaignAccept,
			Partitions:    partitions,
			Subscriptions: []string{CampaignService},
			Schema:        avro[CampaignAcceptV1],
		},
		{
			Name:          EvidenceUpload,
			Partitions:    partitions,
			Subscriptions: []string{EvidenceService},
			Schema:        avro[EvidenceUploadV1],
		},
		{
			Name:          PaymentRequest,
			Partitions:    partitions,
			Subscriptions: []string{Commission},
			Schema:        avro[PaymentRequestV1],
		},
		{Name: PaymentRequestDeadLetter, Subscriptions: []string{Operator}},
		{
			Name:          CommissionEvents,
			Partitions:    partitions,
			Subscriptions: []string{NotificationService},
			Expiry:        retention,
			Schema:        avro[CommissionEventV1],
		},
	}}, nil
}
