package rest

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/payout"
)

type exportPayoutsInput struct{ PayoutFilter }

func registerExportPayouts(api huma.API, uses UseCases, out exports) {
	header := []string{
		"id",
		"user_id",
		"amount",
		"amount_minor",
		"currency",
		"payment_method",
		"status",
		"reason",
		"requested_at",
		"created_at",
		"closed_at",
		"batch_id",
		"external_reference",
		"paid_at",
		"failure_code",
		"updated_at",
	}
	huma.Register(api, exportOperation(huma.Operation{
		OperationID: "export-payouts",
		Path:        "/payouts.csv",
		Summary:     "Export payouts as CSV",
		Description: "Returns the payouts of the list without their accounts, in its order",
		Tags:        []string{"Payouts"},
	}, header),
		func(ctx context.Context, in *exportPayoutsInput) (*huma.StreamResponse, error) {
			if err := checkIDs("user_id", in.UserID); err != nil {
				return nil, err
			}

			filter := in.of()

			return send(ctx, out, export[payout.Snapshot]{
				file: "payouts",
				form: csvForm[payout.Snapshot]{header: header, cells: func(p payout.Snapshot) []string {
					return payoutCells(payoutFor(ctx, p))
				}},
				page: func(ctx context.Context, last *payout.Snapshot) ([]payout.Snapshot, error) {
					var after query.Position
					if last != nil {
						after = filter.Position(*last)
					}

					return uses.ListPayouts.Handle(ctx, callerOf(ctx), filter, csvPage, after)
				},
			})
		})
}

func payoutCells(p payout.Snapshot) []string {
	return []string{
		p.ID,
		harmless(p.UserID),
		p.Amount.String(),
		strconv.FormatInt(p.Amount.Minor(), 10),
		p.Amount.Currency().String(),
		harmless(p.Method),
		string(p.Status),
		harmless(p.Reason),
		timeCell(p.RequestedAt),
		timeCell(p.CreatedAt),
		timeCell(p.ClosedAt),
		p.BatchID,
		harmless(p.ExternalReference),
		timeCell(p.PaidAt),
		string(p.FailureCode),
		timeCell(p.UpdatedAt),
	}
}

// timeCell returns the time as in JSON, or "" for the zero time.
func timeCell(t time.Time) string {
	if t.IsZero() {
		return ""
	}

	return t.Format(time.RFC3339Nano)
}
