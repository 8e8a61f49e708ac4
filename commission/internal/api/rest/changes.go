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

// ChangeHeaders are embedded in the input of every POST. They are exported because huma reads only
// exported embedded structs.
type ChangeHeaders struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"For at least 24 hours the same key with the same request returns the first answer again, with Idempotency-Replayed: true; with another request it returns 422 idempotency_key_reused. Keys belong to the caller."`
}

// asks returns the request for a change. content is everything that identifies it, except its key.
func (h ChangeHeaders) asks(operation, reason string, content any) changeRequest {
	return changeRequest{
		operation: operation,
		key:       h.IdempotencyKey,
		reason:    reason,
		content:   content,
	}
}

// MatchHeader is embedded in the input of a change to an existing resource.
type MatchHeader struct {
	IfMatch string `header:"If-Match" maxLength:"32" doc:"The ETag that was read. The change is refused if the resource was changed since."`
}

// version returns the version of If-Match; 0 is any version.
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

	return 0, fault.Fields{{
		Field:   "If-Match",
		Code:    fault.ErrInvalidValue,
		Message: "must be an ETag of this service",
	}}.Err()
}

// answered is the answer of a change. Replayed reports whether the change was made before; the
// status is that of the operation in both cases.
type answered[B any] struct {
	Replayed string `header:"Idempotency-Replayed"`
	ETag     string `header:"ETag"`
	Body     B
}

// changing runs a change for the request, and answers a repetition with the stored body.
func changing[R, B any](
	ctx context.Context,
	clock func() time.Time,
	asked changeRequest,
	body func(R) B,
	do func(change.Request) (R, error),
) (*answered[B], error) {
	hash, err := hashOf(asked.operation, asked.content)
	if err != nil {
		return nil, err
	}

	request := change.Request{
		Actor:     actor(ctx),
		RequestID: httpapi.RequestID(ctx),
		Reason:    asked.reason,
		Now:       clock().UTC().Truncate(time.Microsecond),
		Key:       asked.key,
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

// changingVersion is changing for something that exists, of which the caller may have named the
// version: 0 is any. The answer has its new version as the ETag.
func changingVersion[R any, B versioned](
	ctx context.Context,
	clock func() time.Time,
	match MatchHeader,
	asked changeRequest,
	body func(R) B,
	do func(r change.Request, version int) (R, error),
) (*answered[B], error) {
	version, err := match.version()
	if err != nil {
		return nil, err
	}

	return withETag(changing(ctx, clock, asked, body, func(r change.Request) (R, error) {
		return do(r, version)
	}))
}

// changeRequest is what a request for a change consists of, beside its caller.
type changeRequest struct {
	operation string
	key       string
	reason    string
	content   any
}

// hashOf returns the hash of a request. Numbers that are equal as decimals are equal, whatever
// their spelling.
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

// actor returns the name of the caller, or "anonymous" without authentication.
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
