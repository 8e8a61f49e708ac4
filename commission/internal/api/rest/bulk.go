package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/platform/auth"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/money"
)

type bulkInput struct {
	ChangeHeaders
	Body struct {
		Action string           `json:"action" enum:"approve,hold,release,reject" doc:"What is done to each commission." example:"approve"`
		Filter CommissionFilter `json:"filter" doc:"The filters of the list of commissions. Of what they match, only commissions whose status allows the action are selected. Clawbacks go with their earning."`
		Reason string           `json:"reason" minLength:"1" maxLength:"500" doc:"Kept in the audit of each commission." example:"month closed"`
		DryRun bool             `json:"dry_run,omitempty" doc:"Changes nothing; returns what would be changed, with a token."`
		Token  string           `json:"token,omitempty" maxLength:"80" doc:"The token of a dry run with the same action and filter; required unless dry_run is true."`
	}
}

// bulkBody is what an action in bulk has changed, or would change.
type bulkBody struct {
	Action string          `json:"action" enum:"approve,hold,release,reject" doc:"What was done, or would be."`
	DryRun bool            `json:"dry_run" doc:"Whether nothing was changed."`
	Count  int             `json:"count" doc:"The number of commissions, without the clawbacks that go with them." example:"120"`
	Totals []bulkTotalBody `json:"totals" doc:"The sums of the commissions, less their clawbacks, one for each currency."`
	Token  string          `json:"token,omitempty" doc:"Of a dry run: send it with the same action and filter to change exactly these commissions."`
}

type bulkTotalBody struct {
	Currency    string          `json:"currency" doc:"ISO 4217." example:"USD"`
	Amount      string          `json:"amount" doc:"The sum in major units." example:"1200.00"`
	AmountMinor httpapi.Integer `json:"amount_minor" doc:"amount in minor units." example:"120000"`
}

func registerBulk(api huma.API, uses UseCases) {
	op := changeOperation(huma.Operation{
		OperationID: "act-on-commissions",
		Path:        "/commissions/bulk",
		Summary:     "Act on many commissions",
		Description: "Approves, holds, releases or rejects all commissions of a filter whose status allows " +
			"it: all of them, or none. First make a dry run and check its count and totals. " +
			"Then send its token: the run changes exactly the commissions of the dry run, " +
			"without those that were created since. If any of them was changed meanwhile, also " +
			"by a run with the same token, the answer is 409 bulk_selection_changed. At most " +
			"5,000 commissions are changed at once. As with a single commission, none of them " +
			"may be the caller's own, nor an adjustment that the caller made and would approve.",
		Tags:   []string{"Commissions"},
		Errors: []int{http.StatusConflict},
	}, auth.Operator)
	huma.Register(
		api,
		op,
		func(ctx context.Context, in *bulkInput) (*answered[bulkBody], error) {
			bulk, err := in.bulk(ctx)
			if err != nil {
				return nil, err
			}

			asked := in.asks(op.OperationID, in.Body.Reason, in.Body)

			return changing(
				ctx,
				uses.Now,
				asked,
				in.answer,
				func(r change.Request) (command.BulkResult, error) {
					if in.Body.DryRun {
						return uses.ActInBulk.DryRun(ctx, r, bulk)
					}

					return uses.ActInBulk.Handle(ctx, r, bulk, in.Body.Token)
				},
			)
		},
	)
}

// bulk returns the action that is asked for.
func (in *bulkInput) bulk(ctx context.Context) (command.Bulk, error) {
	var faults fault.Fields

	switch {
	case in.Body.DryRun && in.Body.Token != "":
		faults.Add("token", fault.ErrNotApplicable, "does not belong to a dry run")
	case !in.Body.DryRun && in.Body.Token == "":
		faults.Add("token", fault.ErrRequired, "is required unless dry_run is true")
	}

	if err := faults.Err(); err != nil {
		return command.Bulk{}, err
	}

	filter, err := in.Body.Filter.of(ctx)

	return command.Bulk{
		Action: commission.Action(in.Body.Action),
		Filter: filter,
		Caller: callerOf(ctx),
	}, err
}

func (in *bulkInput) answer(result command.BulkResult) bulkBody {
	return bulkBody{
		Action: in.Body.Action,
		DryRun: in.Body.DryRun,
		Count:  result.Count,
		Totals: bulkTotalsOf(result.Totals),
		Token:  result.Token,
	}
}

func bulkTotalsOf(totals []money.Total) []bulkTotalBody {
	bodies := make([]bulkTotalBody, len(totals))
	for i, total := range totals {
		bodies[i] = bulkTotalBody{
			Currency:    total.Currency().String(),
			Amount:      total.String(),
			AmountMinor: httpapi.Integer(total.Minor()),
		}
	}

	return bodies
}
