package rest

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/httpapi"
)

// balanceBody is the balance of a user in a currency.
type balanceBody struct {
	Currency       string          `json:"currency" doc:"ISO 4217." example:"USD"`
	Pending        string          `json:"pending" doc:"Earned but not yet approved." example:"25.00"`
	PendingMinor   httpapi.Integer `json:"pending_minor" doc:"pending in minor units." example:"2500"`
	Available      string          `json:"available" doc:"Available for payout. Negative if a clawback followed the payout." example:"150.00"`
	AvailableMinor httpapi.Integer `json:"available_minor" doc:"available in minor units." example:"15000"`
	InPayout       string          `json:"in_payout" doc:"Set aside for requested payouts." example:"0.00"`
	InPayoutMinor  httpapi.Integer `json:"in_payout_minor" doc:"in_payout in minor units." example:"0"`
	Paid           string          `json:"paid" doc:"Paid out." example:"75.00"`
	PaidMinor      httpapi.Integer `json:"paid_minor" doc:"paid in minor units." example:"7500"`
}

func balanceBodyOf(b ledger.Balance) balanceBody {
	return balanceBody{
		Currency:       b.Currency.String(),
		Pending:        b.Pending.String(),
		PendingMinor:   httpapi.Integer(b.Pending.Minor()),
		Available:      b.Available.String(),
		AvailableMinor: httpapi.Integer(b.Available.Minor()),
		InPayout:       b.InPayout.String(),
		InPayoutMinor:  httpapi.Integer(b.InPayout.Minor()),
		Paid:           b.Paid.String(),
		PaidMinor:      httpapi.Integer(b.Paid.Minor()),
	}
}

type balancesBody struct {
	UserID   string        `json:"user_id" doc:"The owner of the balances." example:"user123"`
	Balances []balanceBody `json:"balances" doc:"One balance for each currency; empty for a user who never earned."`
}

type balancesAnswer struct{ Body balancesBody }

type balancesInput struct {
	UserID string `path:"user_id" maxLength:"128" doc:"The owner of the balances." example:"user123"`
}

func registerBalances(api huma.API, balances *query.GetBalances) {
	huma.Register(
		api,
		readOperation(huma.Operation{
			OperationID: "get-balances",
			Path:        "/balances/{user_id}",
			Summary:     "Get a user's balances",
			Description: "Returns one balance for each currency, and an empty list for a user who never earned.",
			Tags:        []string{"Payouts"},
		}),
		func(ctx context.Context, in *balancesInput) (*balancesAnswer, error) {
			if err := checkIDs("user_id", in.UserID); err != nil {
				return nil, err
			}

			list, err := balances.Handle(ctx, callerOf(ctx), in.UserID)
			if err != nil {
				return nil, err
			}

			answer := &balancesAnswer{}

			answer.Body.UserID, answer.Body.Balances = in.UserID, []balanceBody{}
			for _, b := range list {
				answer.Body.Balances = append(answer.Body.Balances, balanceBodyOf(b))
			}

			return answer, nil
		},
	)
}
