package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
)

type actionInput struct {
	ChangeHeaders
	MatchHeader
	ID   resourceID `path:"id" maxLength:"64" doc:"The commission's id."`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Kept in the audit." example:"goodwill"`
	}
}

type adjustmentInput struct {
	ChangeHeaders
	Body struct {
		UserID     string          `json:"user_id" minLength:"1" maxLength:"128" doc:"The user whose balance changes." example:"user123"`
		CampaignID string          `json:"campaign_id,omitempty" maxLength:"128" doc:"The campaign of the adjustment."`
		Amount     httpapi.Decimal `json:"amount" doc:"Major units, not 0; a negative amount reduces the balance. A JSON number is accepted too." example:"\"-12.50\""`
		Currency   string          `json:"currency" example:"USD" doc:"ISO 4217."`
		Reason     string          `json:"reason" minLength:"1" maxLength:"500" doc:"Kept in the audit." example:"goodwill"`
	}
}

func registerActions(api huma.API, uses UseCases, clock func() time.Time) {
	for _, a := range []struct {
		action               commission.Action
		summary, description string
	}{
		{commission.Approve, "Approve a commission", "Approves a pending earning before " +
			"its time; its amount becomes available."},
		{commission.Hold, "Hold a commission", "Holds a pending earning: it is not approved until it is released."},
		{commission.Release, "Release a commission", "Returns a held earning to pending."},
		{commission.Reject, "Reject a commission", "Rejects a pending or held earning " +
			"permanently, with its clawbacks."},
	} {
		op := changeOperation(huma.Operation{
			OperationID: string(a.action) + "-commission",
			Path:        "/commissions/{id}/" + string(a.action),
			Summary:     a.summary,
			Description: a.description,
			Tags:        []string{"Commissions"},
			Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
		}, auth.Operator)
		huma.Register(
			api,
			op,
			func(ctx context.Context, in *actionInput) (*answered[commissionBody], error) {
				asked := in.asks(op.OperationID, in.Body.Reason, []any{in.ID, in.IfMatch, in.Body})

				return changingVersion(ctx, clock, in.MatchHeader, asked, bodyOf,
					func(r change.Request, version int) (commission.Snapshot, error) {
						act := command.Action{ID: string(in.ID), Version: version, Action: a.action}
						return uses.ActOnCommission.Handle(ctx, r, act)
					})
			},
		)
	}

	op := changeOperation(huma.Operation{
		OperationID: "create-adjustment",
		Path:        "/adjustments",
		Summary:     "Adjust a balance",
		Description: "Increases or reduces a balance outside of the rules. The amount is available at once; above " +
			"ADJUSTMENT_SECOND_PERSON_ABOVE it is pending until another operator approves it.",
		Tags: []string{"Commissions"},
	}, auth.Operator)
	op.DefaultStatus = 201
	huma.Register(
		api,
		op,
		func(ctx context.Context, in *adjustmentInput) (*answered[commissionBody], error) {
			asked := in.asks(op.OperationID, in.Body.Reason, in.Body)

			return withETag(
				changing(
					ctx,
					clock,
					asked,
					bodyOf,
					func(r change.Request) (commission.Snapshot, error) {
						return uses.Adjust.Handle(ctx, r, command.Adjustment{
							UserID:     in.Body.UserID,
							CampaignID: in.Body.CampaignID,
							Amount:     in.Body.Amount.Text,
							Currency:   in.Body.Currency,
						})
					},
				),
			)
		},
	)
}

// versioned is an answer about something whose changes are counted.
type versioned interface{ version() int }

// withETag adds the version to the answer of a change.
func withETag[B versioned](answer *answered[B], err error) (*answered[B], error) {
	if answer != nil {
		answer.ETag = etag(answer.Body.version())
	}

	return answer, err
}
