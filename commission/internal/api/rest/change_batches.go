package rest

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/platform/auth"
	"tributary/platform/fault"
	"tributary/platform/money"
)

type makeBatchInput struct {
	ChangeHeaders
	Body struct {
		Currency string    `json:"currency" minLength:"3" maxLength:"3" doc:"ISO 4217." example:"USD"`
		Method   string    `json:"payment_method" minLength:"1" maxLength:"64" doc:"How the payouts are paid." example:"paypal"`
		Cutoff   time.Time `json:"cutoff" doc:"Only payouts that were created until then."`
		Limit    int       `json:"limit,omitempty" minimum:"1" maximum:"5000" default:"5000" doc:"The largest number of payouts."`
		Reason   string    `json:"reason,omitempty" maxLength:"500" doc:"Kept in the audit log." example:"November"`
	}
}

// wanted returns the batch that is asked for.
func (in *makeBatchInput) wanted() (batch.Wanted, error) {
	currency, err := money.ParseCurrency(in.Body.Currency)
	if err != nil {
		var faults fault.Fields
		faults.AddError("currency", err)

		return batch.Wanted{}, faults.Err()
	}

	return batch.Wanted{
		Currency: currency,
		Method:   in.Body.Method,
		Cutoff:   in.Body.Cutoff.UTC().Truncate(time.Microsecond),
		Limit:    in.Body.Limit,
	}, nil
}

type changeBatchInput struct {
	ChangeHeaders
	MatchHeader
	BatchInput
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"The reason, kept in the audit log." example:"checked"`
	}
}

func registerMakeBatch(api huma.API, uses UseCases) {
	op := changeOperation(huma.Operation{
		OperationID: "create-payout-batch",
		Path:        "/payout-batches",
		Summary:     "Make a payout batch",
		Description: "Claims the oldest requested payouts of the currency and method that are in no " +
			"batch. Your own payouts are left out. Two batches never claim the same payout.",
		Tags:   []string{"Payout batches"},
		Errors: []int{http.StatusConflict},
	}, auth.Operator, auth.Finance)
	op.DefaultStatus = http.StatusCreated
	huma.Register(
		api,
		op,
		func(ctx context.Context, in *makeBatchInput) (*answered[batchBody], error) {
			wanted, err := in.wanted()
			if err != nil {
				return nil, err
			}

			reason := in.Body.Reason
			if strings.TrimSpace(reason) == "" {
				reason = "payout batch"
			}

			asked := in.asks(op.OperationID, reason, in.Body)

			return withETag(
				changing(
					ctx,
					uses.Now,
					asked,
					batchBodyOf,
					func(r change.Request) (batch.Snapshot, error) {
						return uses.CreateBatch.Handle(ctx, r, wanted)
					},
				),
			)
		},
	)
}

// changeBatch is a use case that changes a batch.
type changeBatch func(context.Context, change.Request, command.BatchAction) (batch.Snapshot, error)

func registerChangeBatches(api huma.API, uses UseCases) {
	registerChangeBatch(api, uses.Now, uses.ApproveBatch.Handle, huma.Operation{
		OperationID: "approve-payout-batch",
		Path:        "/payout-batches/{id}/approve",
		Summary:     "Approve a payout batch",
		Description: "Fixes the payouts of a draft; its files can be made. With PAYOUT_FOUR_EYES " +
			"another person than its maker must do it, and never one who is paid by it.",
	}, auth.Operator, auth.Finance)
	registerChangeBatch(api, uses.Now, uses.SendBatch.Handle, huma.Operation{
		OperationID: "send-payout-batch",
		Path:        "/payout-batches/{id}/send",
		Summary:     "Note that a payout batch was sent",
		Description: "The bank or provider has the batch. Its results can be entered.",
	}, auth.Finance)
	registerChangeBatch(
		api,
		uses.Now,
		func(ctx context.Context, r change.Request, act command.BatchAction) (batch.Snapshot, error) {
			identity, known := auth.From(ctx)
			recall := !known || identity.Has(auth.Finance)

			return uses.CancelBatch.Handle(ctx, r, act, recall)
		},
		huma.Operation{
			OperationID: "cancel-payout-batch",
			Path:        "/payout-batches/{id}/cancel",
			Summary:     "Cancel a payout batch",
			Description: "Frees its payouts for another batch. Once a file was made, only finance does it: the " +
				"bank must have refused the file as a whole, or its payouts would be paid twice. A batch " +
				"of which a result is known cannot be cancelled.",
		},
		auth.Operator,
		auth.Finance,
	)
}

func registerChangeBatch(
	api huma.API,
	clock func() time.Time,
	handle changeBatch,
	op huma.Operation,
	roles ...auth.Role,
) {
	op.Tags = []string{"Payout batches"}
	op.Errors = []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}
	op = changeOperation(op, roles...)
	huma.Register(
		api,
		op,
		func(ctx context.Context, in *changeBatchInput) (*answered[batchBody], error) {
			asked := in.asks(op.OperationID, in.Body.Reason, []any{in.ID, in.IfMatch, in.Body})

			return changingVersion(ctx, clock, in.MatchHeader, asked, batchBodyOf,
				func(r change.Request, version int) (batch.Snapshot, error) {
					return handle(ctx, r, command.BatchAction{ID: string(in.ID), Version: version})
				})
		},
	)
}
