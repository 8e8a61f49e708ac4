package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/platform/httpapi"
)

// shareBody is a payout with what it pays of a commission.
type shareBody struct {
	PayoutID    string     `json:"payout_id" format:"uuid" doc:"The payout."`
	Status      string     `json:"status" enum:"requested,completed,failed,cancelled" doc:"The status of the payout. Only a completed one has paid."`
	Amount      string     `json:"amount" doc:"What the payout pays of the commission, or held until it failed or was cancelled, in major units; negative for a clawback that it nets." example:"10.00"`
	AmountMinor int64      `json:"amount_minor" doc:"amount in minor units." example:"1000"`
	Currency    string     `json:"currency" doc:"ISO 4217." example:"USD"`
	CreatedAt   time.Time  `json:"created_at" doc:"When the payout was created."`
	ClosedAt    *time.Time `json:"closed_at" doc:"When it was completed, failed or cancelled. Null before."`
}

func shareBodyOf(share query.Share) shareBody {
	return shareBody{
		PayoutID:    share.Payout.ID,
		Status:      string(share.Payout.Status),
		Amount:      share.Amount.String(),
		AmountMinor: share.Amount.Minor(),
		Currency:    share.Amount.Currency().String(),
		CreatedAt:   share.Payout.CreatedAt,
		ClosedAt:    optionalTime(share.Payout.ClosedAt),
	}
}

type listSharesInput struct {
	httpapi.ListInput
	ID resourceID `path:"id" maxLength:"64" doc:"The commission's id."`
}

type shareList struct{ Body httpapi.Page[shareBody] }

func registerCommissionPayouts(api huma.API, uses UseCases) {
	huma.Register(api, readOperation(huma.Operation{
		OperationID: "list-commission-payouts",
		Path:        "/commissions/{id}/payouts",
		Summary:     "List the payouts of a commission",
		Description: "Returns the payouts that pay the commission or a part of it, and those that held it and " +
			"failed or were cancelled; the newest first. The amounts of those completed sum to paid.",
		Tags:   []string{"Commissions"},
		Errors: []int{http.StatusNotFound},
	}),
		func(ctx context.Context, in *listSharesInput) (*shareList, error) {
			var cursor timeCursor
			if err := openCursor(ctx, &in.ListInput, "", &cursor); err != nil {
				return nil, err
			}

			rows, err := uses.ListShares.Handle(
				ctx,
				callerOf(ctx),
				string(in.ID),
				in.Limit+1,
				query.Position(cursor),
			)
			if err != nil {
				return nil, err
			}

			bodies := bodiesOf(rows, shareBodyOf)

			return &shareList{Body: httpapi.NewPage(
				&in.ListInput,
				bodies,
				func(b shareBody) timeCursor { return timeCursor{b.CreatedAt, b.PayoutID} },
			)}, nil
		})
}
