package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/auth"
)

// closingBody is the body of a request that closes a payout.
type closingBody interface {
	// closing returns the reason and what else the body says.
	closing() (string, command.Closing)
}

type completeBody struct {
	Reason            string    `json:"reason" minLength:"1" maxLength:"500" doc:"The reason, kept in the audit log." example:"Paid by bank transfer."`
	ExternalReference string    `json:"external_reference,omitempty" maxLength:"128" doc:"The name of the payment at the bank or provider." example:"4711"`
	PaidAt            time.Time `json:"paid_at,omitzero" doc:"When it was paid: not before it was requested, and at most a day ahead. The time of the request if absent."`
}

func (b completeBody) closing() (string, command.Closing) {
	return b.Reason, command.Closing{
		To:                payout.Completed,
		ExternalReference: b.ExternalReference,
		PaidAt:            b.PaidAt,
	}
}

type failBody struct {
	Reason            string `json:"reason" minLength:"1" maxLength:"500" doc:"The reason, kept in the audit log." example:"The bank sent it back."`
	ExternalReference string `json:"external_reference,omitempty" maxLength:"128" doc:"The name of the payment at the bank or provider." example:"4711"`
	FailureCode       string `json:"failure_code,omitempty" enum:"account_invalid,account_closed,account_blocked,recipient_mismatch,recipient_refused,limit_exceeded,funds_missing,compliance,returned,technical,other" doc:"Why the payment did not succeed; other if absent. The partner can read it."`
}

func (b failBody) closing() (string, command.Closing) {
	return b.Reason, command.Closing{
		To:                payout.Failed,
		ExternalReference: b.ExternalReference,
		FailureCode:       payout.FailureCode(b.FailureCode),
	}
}

type cancelBody struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"The reason, kept in the audit log." example:"Requested twice."`
}

func (b cancelBody) closing() (string, command.Closing) {
	return b.Reason, command.Closing{To: payout.Cancelled}
}

type closeInput[B closingBody] struct {
	ChangeHeaders
	MatchHeader
	PayoutInput
	Body B
}

func registerClosings(api huma.API, uses UseCases) {
	registerClosing[completeBody](api, uses, huma.Operation{
		OperationID: "complete-payout",
		Path:        "/payouts/{id}/complete",
		Summary:     "Complete a payout",
		Description: "The amount was paid. A payout in a batch can be completed once the batch is sent.",
	}, auth.Finance)
	registerClosing[failBody](api, uses, huma.Operation{
		OperationID: "fail-payout",
		Path:        "/payouts/{id}/fail",
		Summary:     "Fail a payout",
		Description: "The payment did not succeed; the amount is available again. A payout in a batch " +
			"can fail while the batch is a draft, which it leaves, and once the batch is sent.",
	}, auth.Finance)
	registerClosing[cancelBody](api, uses, huma.Operation{
		OperationID: "cancel-payout",
		Path:        "/payouts/{id}/cancel",
		Summary:     "Cancel a payout",
		Description: "The payment is not made; the amount is available again. A payout in a batch can be " +
			"cancelled while the batch is a draft, which it leaves.",
	}, auth.Operator, auth.Finance)
}

func registerClosing[B closingBody](
	api huma.API,
	uses UseCases,
	op huma.Operation,
	roles ...auth.Role,
) {
	op.Tags = []string{"Payouts"}
	op.Errors = []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}
	op = changeOperation(op, roles...)
	huma.Register(
		api,
		op,
		func(ctx context.Context, in *closeInput[B]) (*answered[payoutBody], error) {
			reason, closing := in.Body.closing()
			closing.ID = string(in.ID)

			asked := in.asks(op.OperationID, reason, []any{in.ID, in.IfMatch, in.Body})

			return changingVersion(ctx, uses.Now, in.MatchHeader, asked, payoutBodyOf,
				func(r change.Request, version int) (payout.Snapshot, error) {
					closing.Version = version
					return uses.ClosePayout.Handle(ctx, r, closing)
				})
		},
	)
}
