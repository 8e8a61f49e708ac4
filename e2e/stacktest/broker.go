package stacktest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"testing"

	"github.com/apache/pulsar-client-go/pulsar"
	plog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/jackc/pgx/v5"
)

// Message is one message of a topic.
type Message struct {
	Key        string
	Payload    string
	Properties map[string]string
}

// Messages reads all messages of the topic, with new readers.
func (s *Stack) Messages(t *testing.T, topic string) []Message {
	t.Helper()

	client, err := pulsar.NewClient(
		pulsar.ClientOptions{
			URL:    s.Pulsar,
			Logger: plog.NewLoggerWithSlog(slog.New(slog.DiscardHandler)),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	partitions, err := client.TopicPartitions(s.topic(topic))
	if err != nil {
		t.Fatalf("partitions of %s: %v", topic, err)
	}

	var all []Message
	for _, partition := range partitions {
		reader, err := client.CreateReader(
			pulsar.ReaderOptions{Topic: partition, StartMessageID: pulsar.EarliestMessageID()},
		)
		if err != nil {
			t.Fatalf("read %s: %v", partition, err)
		}

		for reader.HasNext() {
			message, err := reader.Next(t.Context())
			if err != nil {
				t.Fatalf("read %s: %v", partition, err)
			}

			all = append(
				all,
				Message{
					Key:        message.Key(),
					Payload:    string(message.Payload()),
					Properties: message.Properties(),
				},
			)
		}

		reader.Close()
	}

	return all
}

func (s *Stack) topic(name string) string {
	return "persistent://" + s.Tenant + "/" + s.Namespace + "/" + name
}

// Traces returns what requests leave behind: the number of rows in the databases and the last
// message of every partition.
func (s *Stack) Traces(ctx context.Context) (map[string]string, error) {
	found := make(map[string]string)
	for _, table := range []struct{ url, name string }{
		{s.TrackingDB, "events"}, {s.CommissionDB, "decisions"}, {s.CommissionDB, "commissions"},
	} {
		rows, err := Count(ctx, table.url, "SELECT count(*) FROM "+table.name)
		if err != nil {
			return nil, err
		}

		found["rows of "+table.name] = fmt.Sprint(rows)
	}

	var partitions []string
	if err := s.admin(ctx, "", &partitions); err != nil {
		return nil, err
	}

	for _, partition := range partitions {
		var id struct{ LedgerID, EntryID int64 }

		name := path.Base(partition)
		if err := s.admin(ctx, "/"+name+"/lastMessageId", &id); err != nil {
			return nil, err
		}

		found["last message of "+name] = fmt.Sprintf("%d:%d", id.LedgerID, id.EntryID)
	}

	return found, nil
}

// admin requests the broker's data about the topics of the namespace.
func (s *Stack) admin(ctx context.Context, about string, v any) error {
	url := s.PulsarAdmin + "/admin/v2/persistent/" + s.Tenant + "/" + s.Namespace + about

	answer, err := Send(ctx, Request{URL: url})
	if err != nil {
		return err
	}

	if answer.Status != http.StatusOK {
		return fmt.Errorf("%s answers %d %s", url, answer.Status, answer.Body)
	}

	return json.Unmarshal([]byte(answer.Body), v)
}

// Topics, without tenant and namespace.
const (
	TrackingEvents  = "tracking-events"
	CampaignAccepts = "bff-campaign-accept-v1"
	EvidenceUploads = "bff-evidence-upload-v1"
	PaymentRequests = "bff-payment-request-v1"
)

// Count reads one number from a database.
func Count(ctx context.Context, url, query string, args ...any) (int64, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}

	defer func() { _ = conn.Close(ctx) }()

	var n int64
	err = conn.QueryRow(ctx, query, args...).Scan(&n)

	return n, err
}
