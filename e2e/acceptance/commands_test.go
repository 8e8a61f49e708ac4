package acceptance_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/e2e/stacktest"
)

// receipt is the answer to every command.
type receipt struct {
	CommandID   string    `json:"command_id"`
	CommandType string    `json:"command_type"`
	Status      string    `json:"status"`
	UserID      string    `json:"user_id"`
	SubmittedAt time.Time `json:"submitted_at"`
}

// command is the message of a request.
type command struct {
	CommandID     string    `json:"command_id"`
	CommandType   string    `json:"command_type"`
	SchemaVersion string    `json:"schema_version"`
	UserID        string    `json:"user_id"`
	IssuedAt      time.Time `json:"issued_at"`
	Identity      struct {
		Subject   string    `json:"subject"`
		Issuer    string    `json:"issuer"`
		TokenID   string    `json:"token_id"`
		Roles     []string  `json:"roles"`
		ExpiresAt time.Time `json:"expires_at"`
		Verified  bool      `json:"verified"`
	} `json:"identity"`
	IdempotencyKey string         `json:"idempotency_key"`
	Payload        map[string]any `json:"payload"`
}

// asked returns the requested commands, unchanged.
func asked() []struct{ path, body, topic, kind, payload string } {
	return []struct{ path, body, topic, kind, payload string }{
		{
			"/api/v1/campaigns/camp123/accept",
			`{"accepted_terms": true, "metadata": {"source": "mobile_app"}}`,
			stacktest.CampaignAccepts,
			"campaign.accept",
			`{"campaign_id": "camp123", "accepted_terms": true, "metadata": {"source": "mobile_app"}}`,
		},
		{
			"/api/v1/evidence/upload",
			`{"campaign_id": "camp123", "evidence_type": "photo", "file_url": "https://example.com/photo.jpg", "metadata": {"description": "Product photo"}}`,
			stacktest.EvidenceUploads,
			"evidence.upload",
			`{"campaign_id": "camp123", "evidence_type": "photo", "file_url": "https://example.com/photo.jpg", "metadata": {"description": "Product photo"}}`,
		},
		{
			"/api/v1/payments/request",
			`{"amount": 150.00, "currency": "USD", "payment_method": "paypal", "account_details": {"email": "user@example.com"}}`,
			stacktest.PaymentRequests,
			"payment.request",
			`{"amount": "150.00", "currency": "USD", "payment_method": "paypal", "account_details": {"email": "user@example.com"}}`,
		},
	}
}

// The message must be there for a later reader: two of the three topics have no consumer yet.
func TestCommandsArePublished(t *testing.T) {
	t.Parallel()

	for _, c := range asked() {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			user := stacktest.Unique("user")
			token := stack.Token(t, user)

			var got receipt
			answer := stacktest.Want(
				t,
				202,
				stacktest.Request{URL: stack.BFF + c.path, Body: c.body, Token: token},
				&got,
			)

			want := receipt{
				CommandID:   got.CommandID,
				CommandType: c.kind,
				Status:      "submitted",
				UserID:      user,
				SubmittedAt: got.SubmittedAt,
			}
			if diff := cmp.Diff(want, got); diff != "" || len(got.CommandID) != 36 ||
				time.Since(got.SubmittedAt).Abs() > time.Minute {
				t.Fatalf("answer %s; differences from the contract:\n%s", answer.Body, diff)
			}

			checkCommand(t, c.topic, c.payload, token, got)
		})
	}
}

// checkCommand reads the topic from its beginning and compares its single message with the answer.
func checkCommand(t *testing.T, topic, payload, token string, answered receipt) {
	t.Helper()

	var found []stacktest.Message
	for _, m := range stack.Messages(t, topic) {
		if strings.Contains(m.Payload, answered.CommandID) {
			found = append(found, m)
		}
	}

	if len(found) != 1 {
		t.Fatalf(
			"%s holds %d messages with command_id %s, want 1",
			topic,
			len(found),
			answered.CommandID,
		)
	}

	message := found[0]

	var got command
	if err := json.Unmarshal([]byte(message.Payload), &got); err != nil {
		t.Fatalf("payload %s: %v", message.Payload, err)
	}

	want := command{
		CommandID:     answered.CommandID,
		CommandType:   answered.CommandType,
		SchemaVersion: "v1",
		UserID:        answered.UserID,
		IssuedAt:      answered.SubmittedAt,
	}
	want.Identity.Subject, want.Identity.TokenID = answered.UserID, got.Identity.TokenID
	want.Identity.Roles = []string{"partner"}
	want.Identity.ExpiresAt = got.Identity.ExpiresAt

	want.Identity.Verified = true
	if err := json.Unmarshal([]byte(payload), &want.Payload); err != nil {
		t.Fatal(err)
	}

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("message differs from the contract:\n%s", diff)
	}

	if message.Key != answered.UserID || got.Identity.TokenID == "" ||
		!got.Identity.ExpiresAt.After(time.Now()) {
		t.Errorf(
			"message with key %q and identity %+v, want the user as key, the token's id and its expiry",
			message.Key,
			got.Identity,
		)
	}

	signature := token[strings.LastIndex(token, ".")+1:]
	for name, value := range message.Properties {
		if strings.Contains(value, signature) {
			t.Errorf("property %s holds the token", name)
		}
	}

	if strings.Contains(message.Payload, signature) {
		t.Error("the message holds the token")
	}
}

func TestRetryWithKeyIsTheSameCommand(t *testing.T) {
	t.Parallel()
	c, token := asked()[0], stack.Token(t, stacktest.Unique("user"))
	request := stacktest.Request{
		URL:    stack.BFF + c.path,
		Body:   c.body,
		Token:  token,
		Header: map[string]string{"Idempotency-Key": "tap-1"},
	}

	var first, again, other receipt
	stacktest.Want(t, 202, request, &first)
	stacktest.Want(t, 202, request, &again)
	request.Token = stack.Token(t, stacktest.Unique("user"))
	stacktest.Want(t, 202, request, &other)

	if first.CommandID != again.CommandID || first.CommandID == other.CommandID {
		t.Fatalf(
			"command ids %s, again %s, of another caller %s; want the first two alike and the third not",
			first.CommandID,
			again.CommandID,
			other.CommandID,
		)
	}
}

func TestGeneratedTokenIsTaken(t *testing.T) {
	t.Parallel()
	generate := exec.CommandContext(
		t.Context(),
		"go",
		"run",
		"./cmd/generate-jwt",
		"-user",
		"user123",
		"-lifetime",
		"5m",
	)
	generate.Dir = filepath.Join(stack.Root, "bff")
	generate.Env = append(
		generate.Environ(),
		"JWT_SECRET_KEY="+stack.Secret,
		"JWT_ALGORITHM=HS256",
		"JWT_ISSUER=",
		"JWT_AUDIENCE=",
	)

	output, err := generate.Output()
	if err != nil {
		t.Fatalf("generate-jwt: %v", err)
	}

	token := strings.TrimSuffix(string(output), "\n")
	if strings.Count(token, ".") != 2 || strings.ContainsAny(token, " \n") {
		t.Fatal("generate-jwt printed something beside the token")
	}

	var got receipt
	stacktest.Want(
		t,
		202,
		stacktest.Request{URL: stack.BFF + asked()[0].path, Body: asked()[0].body, Token: token},
		&got,
	)

	if got.UserID != "user123" {
		t.Fatalf("user_id = %q, want that of the token", got.UserID)
	}
}
