package pulsar_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
	"tributary/bff/internal/domain/payment"
	"tributary/bff/internal/infrastructure/pulsar"
)

// published is the folder of the contracts that producers and consumers share.
const published = "../../../../contracts"

func file(t *testing.T, name string) []byte {
	t.Helper()

	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}

	return text
}

// golden is a golden message, read without the code under test.
type golden struct {
	CommandID   string    `json:"command_id"`
	CommandType string    `json:"command_type"`
	UserID      string    `json:"user_id"`
	IssuedAt    time.Time `json:"issued_at"`
	Identity    struct {
		Subject   string    `json:"subject"`
		Issuer    string    `json:"issuer"`
		TokenID   string    `json:"token_id"`
		Roles     []string  `json:"roles"`
		ExpiresAt time.Time `json:"expires_at"`
		Verified  bool      `json:"verified"`
	} `json:"identity"`
	IdempotencyKey string `json:"idempotency_key"`
	RequestHash    string `json:"request_hash"`
	Payload        struct {
		CampaignID     string         `json:"campaign_id"`
		AcceptedTerms  bool           `json:"accepted_terms"`
		EvidenceType   string         `json:"evidence_type"`
		FileURL        string         `json:"file_url"`
		Metadata       jsontext.Value `json:"metadata"`
		Amount         string         `json:"amount"`
		Currency       string         `json:"currency"`
		PaymentMethod  string         `json:"payment_method"`
		AccountDetails jsontext.Value `json:"account_details"`
	} `json:"payload"`
}

func (g golden) stamp(t *testing.T) command.Stamp {
	t.Helper()

	from, err := caller.New(caller.Snapshot{
		UserID:    g.UserID,
		Subject:   g.Identity.Subject,
		Issuer:    g.Identity.Issuer,
		TokenID:   g.Identity.TokenID,
		Roles:     g.Identity.Roles,
		ExpiresAt: g.Identity.ExpiresAt,
		Verified:  g.Identity.Verified,
	})
	if err != nil {
		t.Fatal(err)
	}

	s, err := command.NewStamp(
		g.CommandID,
		command.Type(g.CommandType),
		from,
		g.IdempotencyKey,
		g.IssuedAt,
	)
	if err != nil {
		t.Fatal(err)
	}

	return s.WithRequestHash(g.RequestHash)
}

// encoded returns the message of the command that the golden message describes.
func (g golden) encoded(t *testing.T) []byte {
	t.Helper()
	p := g.Payload

	var (
		message []byte
		err     error
	)
	switch command.Type(g.CommandType) {
	case campaign.AcceptType:
		a, fault := campaign.NewAcceptance(
			g.stamp(t),
			p.CampaignID,
			p.AcceptedTerms,
			string(p.Metadata),
		)
		if fault != nil {
			t.Fatal(fault)
		}

		message, err = pulsar.Encode(a, nil)
	case evidence.UploadType:
		u, fault := evidence.NewUpload(
			g.stamp(t),
			evidence.Input{
				CampaignID: p.CampaignID,
				Kind:       p.EvidenceType,
				FileURL:    p.FileURL,
				Metadata:   string(p.Metadata),
			},
		)
		if fault != nil {
			t.Fatal(fault)
		}

		message, err = pulsar.Encode(u, nil)
	case payment.RequestType:
		r, fault := payment.NewRequest(
			g.stamp(t),
			payment.Input{
				Amount:         p.Amount,
				Currency:       p.Currency,
				Method:         p.PaymentMethod,
				AccountDetails: string(p.AccountDetails),
			},
		)
		if fault != nil {
			t.Fatal(fault)
		}

		message, err = pulsar.Encode(r, nil)
	}

	if err != nil {
		t.Fatal(err)
	}

	return message
}

// This service publishes exactly the golden messages that consumers test against, except for white
// space.
func TestGoldenMessages(t *testing.T) {
	t.Parallel()

	for _, topic := range pulsar.Topics() {
		names, err := filepath.Glob(filepath.Join(published, "golden", topic, "*.json"))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d golden messages, %v", topic, len(names), err)
		}

		for _, name := range names {
			text := file(t, name)

			var g golden
			if err := json.Unmarshal(text, &g); err != nil {
				t.Fatal(err)
			}

			if g.Payload.AccountDetails.Kind() == jsontext.KindString {
				continue // sealed: random by nature, see TestAccountDetailsAreSealed
			}

			want, got := jsontext.Value(text), jsontext.Value(g.encoded(t))
			if err := errors.Join(want.Compact(), got.Compact()); err != nil {
				t.Fatal(err)
			}

			if !bytes.Equal(got, want) {
				t.Errorf("%s: published as\n%s\nwant\n%s", name, got, want)
			}
		}
	}
}

// schema returns the published schema of the topic's messages.
func schema(t *testing.T, topic string) *jsonschema.Schema {
	t.Helper()

	parsed, err := jsonschema.UnmarshalJSON(
		bytes.NewReader(file(t, filepath.Join(published, "schemas", topic+".schema.json"))),
	)
	if err != nil {
		t.Fatal(err)
	}

	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()

	if err := compiler.AddResource(topic, parsed); err != nil {
		t.Fatal(err)
	}

	compiled, err := compiler.Compile(topic)
	if err != nil {
		t.Fatal(err)
	}

	return compiled
}

// conforms fails the test unless the message satisfies the topic's schema.
func conforms(t *testing.T, topic string, message []byte) {
	t.Helper()

	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}

	if err := schema(t, topic).Validate(parsed); err != nil {
		t.Errorf("%s: %v", topic, err)
	}
}
