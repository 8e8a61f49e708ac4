// Package contracts is the published language of the services: which topics there are, what their messages look like, and golden
// messages that the producer's and the consumer's tests share.
package contracts

import (
	"embed"
	"io/fs"
	"time"

	"tributary/platform/broker"
)

// The topics, without tenant and namespace.
const (
	TrackingEvents           = "tracking-events"
	TrackingEventsDeadLetter = "tracking-events-dlq"
	CampaignAccept           = "bff-campaign-accept-v1"
	EvidenceUpload           = "bff-evidence-upload-v1"
	PaymentRequest           = "bff-payment-request-v1"
	PaymentRequestDeadLetter = "bff-payment-request-v1-dlq"
)

// The durable subscriptions.
const (
	Commission      = "commission"       // of the commission service
	CampaignService = "campaign-service" // of a service to come: keeps accepted campaigns until it does
	EvidenceService = "evidence-service" // of a service to come: keeps evidence until it does
	Operator        = "operator"         // of the people who look at dead letters
)

const (
	partitions = 8                  // of the event and command topics: the most replicas of a consumer that can share the work
	retention  = 7 * 24 * time.Hour // of messages that every subscription has acknowledged
)

//go:embed schemas golden
var files embed.FS

// Schema gives the text of a file in schemas/, such as tracking-event-v1.schema.json.
func Schema(name string) ([]byte, error) { return fs.ReadFile(files, "schemas/"+name) }

// Golden gives the golden messages of a schema, by file name.
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

// Plan is what the broker has to hold. trackingTopic replaces tracking-events where PULSAR_TOPIC names another. Every topic has a durable
// subscription, so that nothing published is dropped before the first consumer comes. Commands carry no broker schema: their
// metadata is a JSON object of any shape, which Avro cannot describe truthfully; their JSON Schemas are tested on both sides.
func Plan(trackingTopic string) (broker.Plan, error) {
	schema, err := Schema("tracking-event-v1.avsc")
	if err != nil {
		return broker.Plan{}, err
	}
	return broker.Plan{Retention: retention, Topics: []broker.Topic{
		{Name: trackingTopic, Partitions: partitions, Subscriptions: []string{Commission}, Schema: string(schema)},
		{Name: TrackingEventsDeadLetter, Subscriptions: []string{Operator}},
		{Name: CampaignAccept, Partitions: partitions, Subscriptions: []string{CampaignService}},
		{Name: EvidenceUpload, Partitions: partitions, Subscriptions: []string{EvidenceService}},
		{Name: PaymentRequest, Partitions: partitions, Subscriptions: []string{Commission}},
		{Name: PaymentRequestDeadLetter, Subscriptions: []string{Operator}},
	}}, nil
}
