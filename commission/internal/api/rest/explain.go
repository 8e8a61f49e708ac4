package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/api/wire"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/decision"
	"tributary/platform/identifier"
)

type explanationAnswer struct {
	Body wire.Explanation
}

func registerExplain(api huma.API, explain *query.Explain) {
	const about = "Returns the versions considered and why each was not selected, the inputs, the " +
		"arithmetic, the unrounded value, the rounding and the history; for an adjustment, its " +
		"actor and reason, and what a replay compared. The answer contains everything needed to " +
		"recompute the decision: " +
		"`explain` in the repository does it offline."
	huma.Register(
		api,
		readOperation(huma.Operation{
			OperationID: "explain-commission",
			Path:        "/commissions/{id}/explain",
			Summary:     "Explain a commission",
			Description: about,
			Tags:        []string{"Commissions"},
			Errors:      []int{http.StatusNotFound},
		}),
		func(ctx context.Context, in *commissionInput) (*explanationAnswer, error) {
			found, err := explain.Commission(ctx, callerOf(ctx), string(in.ID))
			if err != nil {
				return nil, err
			}

			return &explanationAnswer{Body: explanationFor(ctx, found)}, nil
		},
	)
	huma.Register(
		api,
		readOperation(huma.Operation{
			OperationID: "explain-decision",
			Path:        "/decisions/{event_id}/explain",
			Summary:     "Explain a decision",
			Description: about,
			Tags:        []string{"Decisions"},
			Errors:      []int{http.StatusNotFound},
		}),
		func(ctx context.Context, in *decisionInput) (*explanationAnswer, error) {
			if !identifier.Readable(in.EventID) {
				return nil, decision.ErrNotFound
			}

			found, err := explain.Decision(ctx, callerOf(ctx), in.EventID)
			if err != nil {
				return nil, err
			}

			return &explanationAnswer{Body: explanationFor(ctx, found)}, nil
		},
	)
}
