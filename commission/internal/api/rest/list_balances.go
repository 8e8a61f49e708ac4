package rest

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/httpapi"
)

// userBalanceBody is the balance of a user in a currency, in a list of several users.
type userBalanceBody struct {
	UserID string `json:"user_id" doc:"The owner of the balance." example:"user123"`
	BalanceFields
}

// BalanceFields are embedded. They are exported because only exported embedded structs are encoded.
type BalanceFields = balanceBody

// BalanceFilter narrows a list of balances.
type BalanceFilter struct {
	UserID   string    `query:"user_id" maxLength:"128" doc:"Only balances of this user." example:"user123"`
	Currency string    `query:"currency" pattern:"^[A-Z]{3}$" doc:"Only balances in this currency, ISO 4217." example:"USD"`
	NonZero  bool      `query:"non_zero" doc:"Leaves out balances of which nothing is pending, available or in a payout."`
	AsOf     time.Time `query:"as_of" doc:"The moment of the balances: what was posted before it counts. Now, if it is absent."`
}

func (f BalanceFilter) of() (query.BalanceFilter, error) {
	return query.BalanceFilter{
		UserID:   f.UserID,
		Currency: f.Currency,
		NonZero:  f.NonZero,
		AsOf:     f.AsOf,
	}, checkIDs("user_id", f.UserID)
}

type listBalancesInput struct {
	httpapi.ListInput
	BalanceFilter
}

type exportBalancesInput struct{ BalanceFilter }

type balanceCursor struct {
	UserID   string `json:"user_id"`
	Currency string `json:"currency"`
}

type balanceList struct{ Body httpapi.Page[userBalanceBody] }

func registerListBalances(api huma.API, balances *query.ListBalances, out exports) {
	huma.Register(api, readOperation(huma.Operation{
		OperationID: "list-balances",
		Path:        "/balances",
		Summary:     "List balances",
		Description: "Returns the balances of all users that the caller may see, by user and currency, now or as of " +
			"a past moment. GET /liabilities has their sums.",
		Tags: []string{"Payouts"},
	}),
		func(ctx context.Context, in *listBalancesInput) (*balanceList, error) {
			filter, err := in.of()
			if err != nil {
				return nil, err
			}

			var cursor balanceCursor
			if err := openCursor(ctx, &in.ListInput, in.UserID, &cursor); err != nil {
				return nil, err
			}

			rows, err := balances.Handle(
				ctx,
				callerOf(ctx),
				filter,
				in.Limit+1,
				query.BalancePosition(cursor),
			)
			if err != nil {
				return nil, err
			}

			bodies := make([]userBalanceBody, len(rows))
			for i, row := range rows {
				bodies[i] = userBalanceBody{row.UserID, balanceBodyOf(row)}
			}

			return &balanceList{Body: httpapi.NewPage(
				&in.ListInput,
				bodies,
				func(b userBalanceBody) balanceCursor { return balanceCursor{b.UserID, b.Currency} },
			)}, nil
		})

	header := []string{
		"user_id",
		"currency",
		"pending",
		"pending_minor",
		"available",
		"available_minor",
		"in_payout",
		"in_payout_minor",
		"paid",
		"paid_minor",
	}
	huma.Register(api, exportOperation(huma.Operation{
		OperationID: "export-balances",
		Path:        "/balances.csv",
		Summary:     "Export balances as CSV",
		Description: "Returns the balances of the list, by user and currency",
		Tags:        []string{"Payouts"},
	}, header),
		func(ctx context.Context, in *exportBalancesInput) (*huma.StreamResponse, error) {
			filter, err := in.of()
			if err != nil {
				return nil, err
			}

			return send(ctx, out, export[ledger.Balance]{
				file: "balances",
				form: csvForm[ledger.Balance]{header: header, cells: balanceCells},
				page: func(ctx context.Context, last *ledger.Balance) ([]ledger.Balance, error) {
					var after query.BalancePosition
					if last != nil {
						after.UserID, after.Currency = last.UserID, last.Currency.String()
					}

					return balances.Handle(ctx, callerOf(ctx), filter, csvPage, after)
				},
			})
		})
}

func balanceCells(b ledger.Balance) []string {
	return []string{
		harmless(b.UserID),
		b.Currency.String(),
		b.Pending.String(),
		b.Pending.Minor(),
		b.Available.String(),
		b.Available.Minor(),
		b.InPayout.String(),
		b.InPayout.Minor(),
		b.Paid.String(),
		b.Paid.Minor(),
	}
}
