package rest

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
)

// liabilityBody is what is owed to all users in a currency.
type liabilityBody struct {
	Currency       string          `json:"currency" doc:"ISO 4217." example:"USD"`
	Users          int64           `json:"users" doc:"How many users have a balance in the currency." example:"300"`
	Owed           string          `json:"owed" doc:"What the programme owes: pending, available and in_payout, in major units." example:"175.00"`
	OwedMinor      httpapi.Integer `json:"owed_minor" doc:"owed in minor units." example:"17500"`
	Pending        string          `json:"pending" doc:"Earned but not yet approved." example:"25.00"`
	PendingMinor   httpapi.Integer `json:"pending_minor" doc:"pending in minor units." example:"2500"`
	Available      string          `json:"available" doc:"Available for payout, less what is overdrawn." example:"150.00"`
	AvailableMinor httpapi.Integer `json:"available_minor" doc:"available in minor units." example:"15000"`
	InPayout       string          `json:"in_payout" doc:"Set aside for requested payouts." example:"0.00"`
	InPayoutMinor  httpapi.Integer `json:"in_payout_minor" doc:"in_payout in minor units." example:"0"`
	Paid           string          `json:"paid" doc:"Paid out." example:"75.00"`
	PaidMinor      httpapi.Integer `json:"paid_minor" doc:"paid in minor units." example:"7500"`
	Overdrawn      string          `json:"overdrawn" doc:"The part of available that users owe the programme: the sum of the balances below zero, which clawbacks after a payout leave." example:"-3.00"`
	OverdrawnMinor httpapi.Integer `json:"overdrawn_minor" doc:"overdrawn in minor units." example:"-300"`
}

func liabilityBodyOf(l query.Liability) liabilityBody {
	return liabilityBody{
		Currency:       l.Currency.String(),
		Users:          l.Users,
		Owed:           l.Owed().String(),
		OwedMinor:      httpapi.Integer(l.Owed().Minor()),
		Pending:        l.Pending.String(),
		PendingMinor:   httpapi.Integer(l.Pending.Minor()),
		Available:      l.Available.String(),
		AvailableMinor: httpapi.Integer(l.Available.Minor()),
		InPayout:       l.InPayout.String(),
		InPayoutMinor:  httpapi.Integer(l.InPayout.Minor()),
		Paid:           l.Paid.String(),
		PaidMinor:      httpapi.Integer(l.Paid.Minor()),
		Overdrawn:      l.Overdrawn.String(),
		OverdrawnMinor: httpapi.Integer(l.Overdrawn.Minor()),
	}
}

// agesBody is pending money of a currency by the time at which it becomes available.
type agesBody struct {
	Currency    string          `json:"currency" doc:"ISO 4217." example:"USD"`
	Bucket      string          `json:"bucket" enum:"due,within_7_days,within_30_days,within_60_days,within_90_days,later,held,approval" doc:"When it becomes available, from now on; each bucket begins where the one before ends. held: once an operator releases it. approval: once a second person approves the adjustment."`
	Count       int64           `json:"count" doc:"The number of commissions." example:"12"`
	Amount      string          `json:"amount" doc:"Their sum in major units." example:"25.00"`
	AmountMinor httpapi.Integer `json:"amount_minor" doc:"amount in minor units." example:"2500"`
}

type liabilitiesInput struct {
	Currency string    `query:"currency" pattern:"^[A-Z]{3}$" doc:"Only this currency, ISO 4217." example:"USD"`
	AsOf     time.Time `query:"as_of" doc:"The moment: what was posted before it counts. Now, if it is absent."`
}

type ageingInput struct {
	Currency string `query:"currency" pattern:"^[A-Z]{3}$" doc:"Only this currency, ISO 4217." example:"USD"`
}

type liabilitiesAnswer struct {
	Body struct {
		Data []liabilityBody `json:"data" doc:"A row for each currency."`
	}
}

type ageingAnswer struct {
	Body struct {
		Data []agesBody `json:"data" doc:"A row for each currency and bucket that has commissions."`
	}
}

func registerLiabilities(api huma.API, liabilities *query.GetLiabilities) {
	totals := readOperation(huma.Operation{
		OperationID: "get-liabilities",
		Path:        "/liabilities",
		Summary:     "Get what is owed",
		Description: "Returns the sums of all balances by currency, now or as of a past moment: for the end of a " +
			"month, as_of is the beginning of the next.",
		Tags: []string{"Payouts"},
	})
	totals.Security = auth.Require(auth.Operator, auth.Finance)
	huma.Register(
		api,
		totals,
		func(ctx context.Context, in *liabilitiesInput) (*liabilitiesAnswer, error) {
			rows, err := liabilities.Totals(ctx, callerOf(ctx), in.Currency, in.AsOf)
			if err != nil {
				return nil, err
			}

			answer := &liabilitiesAnswer{}
			answer.Body.Data = bodiesOf(rows, liabilityBodyOf)

			return answer, nil
		},
	)

	ageing := readOperation(huma.Operation{
		OperationID: "get-ageing",
		Path:        "/liabilities/ageing",
		Summary:     "Get when pending money becomes available",
		Description: "Returns what is pending, by currency and by the time at which it becomes available. The sums " +
			"of a currency are pending of GET /liabilities.",
		Tags: []string{"Payouts"},
	})
	ageing.Security = auth.Require(auth.Operator, auth.Finance)
	huma.Register(api, ageing, func(ctx context.Context, in *ageingInput) (*ageingAnswer, error) {
		rows, err := liabilities.Ageing(ctx, callerOf(ctx), in.Currency)
		if err != nil {
			return nil, err
		}

		answer := &ageingAnswer{}

		answer.Body.Data = make([]agesBody, len(rows))
		for i, row := range rows {
			answer.Body.Data[i] = agesBody{
				Currency:    row.Currency.String(),
				Bucket:      string(row.Bucket),
				Count:       row.Count,
				Amount:      row.Amount.String(),
				AmountMinor: httpapi.Integer(row.Amount.Minor()),
			}
		}

		return answer, nil
	})
}
