package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/command"
	"tributary/platform/auth"
)

// Idempotent is embedded in the input of every command. It is exported because huma reads only
// exported fields.
type Idempotent struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Identifies the command across retries: the same caller and key have the same command_id. With another content the answer is 422 idempotency_key_reused, or 202 if this replica does not remember the first request. Only the first takes effect; conflicted_at of the payment shows the conflict."`
}

func (i Idempotent) key() string { return i.IdempotencyKey }

// commandInput is the input of a command's route.
type commandInput[T any] interface {
	*T
	key() string
	// content returns what the request asks for, as JSON.
	content() any
	// request returns the request for the command.
	request(from command.Origin) command.Request
}

// registerCommand adds the route of a command. Operations have what all commands share.
func registerCommand[T any, In commandInput[T]](
	api huma.API,
	submitter *command.Submitter,
	op huma.Operation,
) {
	op.Method = http.MethodPost
	op.DefaultStatus = http.StatusAccepted
	op.Security = auth.Require(auth.Partner)

	huma.Register(api, op, func(ctx context.Context, body *T) (*receipt, error) {
		in := In(body)

		from, err := originOf(ctx, in.key(), in.content)
		if err != nil {
			return nil, err
		}

		got, err := submitter.Submit(ctx, in.request(from))
		if err != nil {
			return nil, err
		}

		return receiptOf(got), nil
	})
}

// originOf returns where a request for a command comes from, with the canonical text of its content
// where there is a key.
func originOf(
	ctx context.Context,
	key string,
	content func() any,
) (command.Origin, error) {
	from, err := callerOf(ctx)
	if err != nil || key == "" {
		return command.Origin{Caller: from}, err
	}

	text, err := canonical(content())

	return command.Origin{Caller: from, IdempotencyKey: key, Content: text}, err
}

// receipt is the answer to every command.
type receipt struct {
	Body struct {
		CommandID   string      `json:"command_id" format:"uuid" doc:"The id of the command. Consumers act on an id only once."`
		CommandType commandType `json:"command_type" doc:"The type of the command."`
		Status      string      `json:"status" enum:"submitted" doc:"The broker has stored the command; its outcome is decided later."`
		UserID      string      `json:"user_id" doc:"The user of the token." example:"user123"`
		SubmittedAt string      `json:"submitted_at" format:"date-time" doc:"When the command was accepted."`
	}
}

func receiptOf(r command.Receipt) *receipt {
	out := &receipt{}
	out.Body.CommandID = r.CommandID
	out.Body.CommandType = commandType(r.CommandType)
	out.Body.Status = "submitted"
	out.Body.UserID = r.UserID
	out.Body.SubmittedAt = r.SubmittedAt.UTC().Format(time.RFC3339Nano)

	return out
}
