package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/httpapi"
)

type payoutBody struct {
	PayoutRow

	Covered *bool `json:"covered" doc:"Whether the money that it set aside is still there: false if clawbacks since have taken more than was left available. The newest payouts of a user lose their cover first. Null unless it is requested."`

	Details accountDetails `json:"account_details,omitempty" doc:"The account to pay to. Present only in the answer for a single payout, for callers who may read it, if it can be opened."`

	position query.Position // in a list
}

// PayoutRow is a payout, as events have it too. The account details are personal and left out.
type PayoutRow struct {
	ID           string     `json:"id" format:"uuid" doc:"The id of the payout, which is the command_id of its request."`
	UserID       string     `json:"user_id" doc:"The user who is paid." example:"user123"`
	Amount       string     `json:"amount" doc:"Major units." example:"150.00"`
	AmountMinor  int64      `json:"amount_minor" doc:"amount in minor units." example:"15000"`
	Currency     string     `json:"currency" doc:"ISO 4217." example:"USD"`
	Method       string     `json:"payment_method" doc:"How the user is paid." example:"paypal"`
	Status       string     `json:"status" enum:"requested,rejected,completed,failed,cancelled" doc:"requested: the amount is set aside. rejected: it was not available. completed: paid. failed, cancelled: available again."`
	Reason       *string    `json:"reason" doc:"Why it was rejected, or the reason of the last change by an operator; the latter is null for partners." example:"checked with the bank"`
	RequestedAt  time.Time  `json:"requested_at" doc:"When the user requested it."`
	CreatedAt    time.Time  `json:"created_at" doc:"When the payout was created."`
	UpdatedAt    time.Time  `json:"updated_at" doc:"When it was changed last, or created."`
	ClosedAt     *time.Time `json:"closed_at" doc:"When it was rejected, completed, failed or cancelled. Null before."`
	ConflictedAt *time.Time `json:"conflicted_at" doc:"When a different request with the same Idempotency-Key, and so the same command_id, arrived. It had no effect. Null if there was none."`

	BatchID           *string    `json:"batch_id" doc:"The batch that pays it. Null for none."`
	ExternalReference *string    `json:"external_reference" doc:"The name of the payment at the bank or provider. Null if there is none." example:"4711"`
	PaidAt            *time.Time `json:"paid_at" doc:"When it was paid. Null unless it is completed."`
	FailureCode       *string    `json:"failure_code" doc:"Why the payment did not succeed, as in the request that said so. Null unless it failed." example:"account_closed"`

	Version int `json:"version" doc:"The number of the version, which every change increases. Send it as If-Match to change the payout." example:"1"`
}

// accountDetails is the JSON object that the partner sent.
type accountDetails struct{ jsontext.Value }

// Schema documents it.
func (accountDetails) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

func (b PayoutRow) version() int { return b.Version }

func payoutBodyOf(p payout.Snapshot) payoutBody { return payoutBody{PayoutRow: payoutRowOf(p)} }

func payoutRowOf(p payout.Snapshot) PayoutRow {
	return PayoutRow{
		ID:           p.ID,
		UserID:       p.UserID,
		Amount:       p.Amount.String(),
		AmountMinor:  p.Amount.Minor(),
		Currency:     p.Amount.Currency().String(),
		Method:       p.Method,
		Status:       string(p.Status),
		Reason:       optional(p.Reason),
		RequestedAt:  p.RequestedAt,
		CreatedAt:    p.CreatedAt,
		UpdatedAt:    p.UpdatedAt,
		ClosedAt:     optionalTime(p.ClosedAt),
		ConflictedAt: optionalTime(p.ConflictedAt),

		BatchID:           optional(p.BatchID),
		ExternalReference: optional(p.ExternalReference),
		PaidAt:            optionalTime(p.PaidAt),
		FailureCode:       optional(string(p.FailureCode)),

		Version: p.Version,
	}
}

// withCover returns the body with what is known of the cover of requested payouts.
func (b payoutBody) withCover(covered map[string]bool) payoutBody {
	if c, known := covered[b.ID]; known {
		b.Covered = &c
	}

	return b
}

// PayoutFilter narrows a list of payouts.
type PayoutFilter struct {
	UserID  string `query:"user_id" maxLength:"128" doc:"Only payouts of this user." example:"user123"`
	Status  string `query:"status" enum:"requested,rejected,completed,failed,cancelled" doc:"Only payouts of this status."`
	BatchID string `query:"batch_id" maxLength:"64" doc:"Only payouts of this batch."`
	CreatedFilter
	UpdatedFilter
}

func (f PayoutFilter) of() query.PayoutFilter {
	return query.PayoutFilter{
		UserID:      f.UserID,
		Status:      f.Status,
		BatchID:     f.BatchID,
		CreatedFrom: f.CreatedFrom,
		CreatedTo:   f.CreatedTo,
		Updated:     f.updated(),
	}
}

type listPayoutsInput struct {
	httpapi.ListInput
	PayoutFilter
}

type payoutList struct {
	Body httpapi.Page[payoutBody]
}

type PayoutInput struct {
	ID resourceID `path:"id" maxLength:"64" doc:"The id of the payout, which is the command_id of its request."`
}

func registerPayouts(api huma.API, uses UseCases) {
	huma.Register(
		api,
		readOperation(huma.Operation{
			OperationID: "list-payouts",
			Path:        "/payouts",
			Summary:     "List payouts",
			Description: "Returns the newest first." + orderOfChanges,
			Tags:        []string{"Payouts"},
		}),
		func(ctx context.Context, in *listPayoutsInput) (*payoutList, error) {
			if err := checkIDs("user_id", in.UserID); err != nil {
				return nil, err
			}

			var cursor timeCursor
			if err := openCursor(ctx, &in.ListInput, in.UserID, &cursor); err != nil {
				return nil, err
			}

			filter := in.of()

			rows, err := uses.ListPayouts.Handle(
				ctx,
				callerOf(ctx),
				filter,
				in.Limit+1,
				query.Position(cursor),
			)
			if err != nil {
				return nil, err
			}

			covered, err := uses.GetCoverage.Handle(ctx, callerOf(ctx), rows...)
			if err != nil {
				return nil, err
			}

			bodies := make([]payoutBody, len(rows))
			for i, row := range rows {
				bodies[i] = payoutBodyOf(payoutFor(ctx, row)).withCover(covered)
				bodies[i].position = filter.Position(row)
			}

			return &payoutList{
				Body: httpapi.NewPage(
					&in.ListInput,
					bodies,
					func(b payoutBody) timeCursor { return timeCursor(b.position) },
				),
			}, nil
		},
	)
	huma.Register(api, readOperation(huma.Operation{
		OperationID: "get-payout",
		Path:        "/payouts/{id}",
		Summary:     "Get a payout",
		Description: "Use the ETag of the answer as If-Match of a change. To finance it shows the account " +
			"to pay to, which the audit notes.",
		Tags:   []string{"Payouts"},
		Errors: []int{http.StatusNotFound},
	}),
		func(ctx context.Context, in *PayoutInput) (*answered[payoutBody], error) {
			found, err := uses.GetPayout.Handle(ctx, callerOf(ctx), string(in.ID))
			if err != nil {
				return nil, err
			}

			covered, err := uses.GetCoverage.Handle(ctx, callerOf(ctx), found)
			if err != nil {
				return nil, err
			}

			body := payoutBodyOf(payoutFor(ctx, found)).withCover(covered)
			if opensAccounts(ctx) {
				opened, err := uses.OpenAccount.Handle(
					ctx,
					readRequest(ctx, uses.Now, "payout read"),
					found,
				)
				if err != nil {
					return nil, err
				}

				body.Details.Value = jsontext.Value(opened.JSON)
			}

			return &answered[payoutBody]{ETag: etag(found.Version), Body: body}, nil
		})
}
