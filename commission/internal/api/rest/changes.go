package rest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/commission/internal/application/change"
	"tributary/platform/auth"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/strictjson"
)

// ChangeHeaders are embedded (exported, because huma looks into exported embedded structs only) in
// the input of every POST.
type ChangeHeaders struct {
	IdempotencyKey string `header:"Idempotency-Key" minLength:"1" maxLength:"255" doc:"For at least 24 hours the same key with the same request gives the first answer again, with Idempotency-Replayed: true, and with another request 422 idempotency_key_reused. Keys belong to the caller."`
}

// MatchHeader is embedded in the input of what changes one thing.
type MatchHeader struct {
	IfMatch string `header:"If-Match" maxLength:"32" doc:"The ETag that was read: the change is refused if somebody else made one since."`
}

// version reads If-Match; 0 is any.
func (m MatchHeader) version() (int, error) {
	text := strings.TrimSpace(m.IfMatch)
	if text == "" || text == "*" {
		return 0, nil
	}

	unquoted, err := strconv.Unquote(text)
	if err == nil {
		if version, err := strconv.Atoi(unquoted); err == nil && version > 0 {
			return version, nil
		}
	}

	return 0, fault.New(
		fault.Invalid,
		"validation_failed",
		"The request breaks the rules listed in errors.",
		fault.Field{
			Field:   "If-Match",
			Code:    "etag_invalid",
			Message: "must be an ETag of this service",
		},
	)
}

// answered is what a change answers, and whether it was made before; the status is that of the
// operation, also the second time.
type answered[B any] struct {
	Replayed string `header:"Idempotency-Replayed"`
	ETag     string `header:"ETag"`
	Body     B
}

// changing runs a change: it frames the request, and answers a repetition with the body that was
// kept. content is everything that makes the request what it is, without its key.
func changing[R, B any](
	ctx context.Context,
	clock func() time.Time,
	c framed,
	body func(R) B,
	do func(change.Request) (R, error),
) (*answered[B], error) {
	hash, err := hashOf(c.operation, c.content)
	if err != nil {
		return nil, err
	}

	request := change.Request{
		Actor:     actor(ctx),
		RequestID: httpapi.RequestID(ctx),
		Reason:    c.reason,
		Now:       clock().UTC().Truncate(time.Microsecond),
		Key:       c.key,
		Hash:      hash,
		Render:    func(result any) ([]byte, error) { return json.Marshal(body(result.(R))) },
	}
	result, err := do(request)

	var replayed *change.ReplayedError
	if errors.As(err, &replayed) {
		answer := &answered[B]{Replayed: "true"}
		return answer, json.Unmarshal(replayed.Body, &answer.Body)
	}

	if err != nil {
		return nil, err
	}

	return &answered[B]{Body: body(result)}, nil
}

// framed is what a request for a change says.
type framed struct {
	operation string
	key       string
	reason    string
	content   any
}

// hashOf returns the hash of what a request asks for. Numbers that are equal as decimals are equal,
// however they were written.
func hashOf(operation string, content any) ([32]byte, error) {
	text, err := json.Marshal(
		[]any{operation, content},
		json.Deterministic(true),
		json.WithMarshalers(json.MarshalToFunc(canonicalDecimal)),
	)

	return sha256.Sum256(text), err
}

func canonicalDecimal(e *jsontext.Encoder, m httpapi.Decimal) error {
	if number, ok := strictjson.Number(m.Text); ok {
		return e.WriteValue(jsontext.Value(number))
	}

	return e.WriteToken(jsontext.String(m.Text))
}

// actor names the caller; without authentication nobody can be told from anybody else.
func actor(ctx context.Context) string {
	if identity, ok := auth.From(ctx); ok {
		return identity.UserID
	}

	return change.Anonymous
}

// changeOperation completes the description of a changing route.
func changeOperation(op huma.Operation, roles ...auth.Role) huma.Operation {
	op.Method = http.MethodPost
	op.Path = Base + op.Path
	op.Security = auth.Require(roles...)
	op.DefaultStatus = cmp.Or(op.DefaultStatus, http.StatusOK)

	return op
}
