package rest

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
)

func registerExportItems(api huma.API, items *query.ListPayoutItems, out exports) {
	header := []string{
		"commission_id",
		"kind",
		"event_id",
		"order_id",
		"campaign_id",
		"occurred_at",
		"amount",
		"amount_minor",
		"currency",
		"commission_amount",
		"commission_amount_minor",
	}
	huma.Register(api, exportOperation(huma.Operation{
		OperationID: "export-payout-items",
		Path:        "/payouts/{id}/items.csv",
		Summary:     "Export what a payout pays as CSV",
		Description: "Returns the items of the list, which sum to the payout, in its order",
		Tags:        []string{"Payouts"},
		Errors:      []int{http.StatusNotFound},
	}, header),
		func(ctx context.Context, in *PayoutInput) (*huma.StreamResponse, error) {
			return send(ctx, out, export[query.Item]{
				file: "payout-items",
				form: csvForm[query.Item]{header: header, cells: itemCells},
				page: func(ctx context.Context, last *query.Item) ([]query.Item, error) {
					var after query.ItemPosition
					if last != nil {
						after = last.Position
					}

					return items.Handle(ctx, callerOf(ctx), string(in.ID), csvPage, after)
				},
			})
		})
}

func itemCells(item query.Item) []string {
	return []string{
		item.CommissionID,
		string(item.Kind),
		harmless(item.EventID),
		harmless(item.OrderID),
		harmless(item.CampaignID),
		timeCell(item.OccurredAt),
		item.Amount.String(),
		strconv.FormatInt(item.Amount.Minor(), 10),
		item.Amount.Currency().String(),
		item.Whole.String(),
		strconv.FormatInt(item.Whole.Minor(), 10),
	}
}
