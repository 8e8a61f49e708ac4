package rest

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/platform/money"
	"tributary/platform/spreadsheet"
)

// registerExport registers the CSV form of the list with a path of its own.
func registerExport(api huma.API, uses UseCases, out exports) {
	op := exportOperation(huma.Operation{
		OperationID: "export-commissions",
		Path:        "/commissions.csv",
		Summary:     "Export commissions as CSV",
		Description: "Returns all matching rows, in the order of the list",
		Tags:        []string{"Commissions"},
	}, csvHeader())

	huma.Register(api, op, func(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
		filter, err := in.of(ctx)
		if err != nil {
			return nil, err
		}

		return send(ctx, out, exportOf(ctx, uses, filter))
	})
}

type exportInput struct{ CommissionFilter }

// exportOf returns the export of the commissions that the filter leaves.
func exportOf(ctx context.Context, uses UseCases, filter query.CommissionFilter) export[paidRow] {
	return export[paidRow]{
		file: "commissions",
		form: csvForm[paidRow]{header: csvHeader(), cells: func(row paidRow) []string {
			return csvRow(commissionFor(ctx, row.Snapshot), row.payment)
		}},
		page: func(ctx context.Context, last *paidRow) ([]paidRow, error) {
			slice := query.Slice{Limit: csvPage}
			if last != nil {
				slice.After, slice.UpdatedAt = last.ID, last.UpdatedAt
			}

			return paidRows(ctx, uses, filter, slice)
		},
	}
}

type paidRow struct {
	commission.Snapshot

	payment query.Payment
}

func paidRows(
	ctx context.Context,
	uses UseCases,
	filter query.CommissionFilter,
	slice query.Slice,
) ([]paidRow, error) {
	list, err := uses.ListCommissions.Handle(ctx, callerOf(ctx), filter, slice)
	if err != nil {
		return nil, err
	}

	payments, err := uses.GetPayments.Handle(ctx, callerOf(ctx), list)
	if err != nil {
		return nil, err
	}

	rows := make([]paidRow, len(list))
	for i, row := range list {
		rows[i] = paidRow{Snapshot: row, payment: payments[row.ID]}
	}

	return rows, nil
}

func csvHeader() []string {
	return []string{
		"id",
		"event_id",
		"user_id",
		"campaign_id",
		"product_id",
		"order_id",
		"event_type",
		"kind",
		"status",
		"base_amount",
		"base_amount_minor",
		"rate",
		"amount",
		"amount_minor",
		"currency",
		"rule_id",
		"rule_version",
		"reverses_id",
		"reason",
		"available_at",
		"occurred_at",
		"created_at",
		"payment_status",
		"paid",
		"paid_minor",
		"updated_at",
	}
}

// csvRow returns the cells of a commission. Texts that callers chose are escaped; numbers, ids and
// times are ours and stay unchanged.
func csvRow(c commission.Snapshot, payment query.Payment) []string {
	s := c
	paid := money.FromMinor(payment.Paid.Minor(), s.Amount.Currency())

	version := ""
	if s.Rule.Version != 0 {
		version = strconv.Itoa(s.Rule.Version)
	}

	return []string{
		s.ID,
		harmless(s.EventID),
		harmless(s.UserID),
		harmless(s.CampaignID),
		harmless(s.ProductID),
		harmless(s.OrderID),
		string(s.EventType),
		string(s.Kind),
		string(s.Status),
		s.Base.String(),
		strconv.FormatInt(s.Base.Minor(), 10),
		s.Rate,
		s.Amount.String(),
		strconv.FormatInt(s.Amount.Minor(), 10),
		s.Amount.Currency().String(),
		s.Rule.ID,
		version,
		s.ReversesID,
		harmless(s.Reason),
		s.AvailableAt.Format(time.RFC3339Nano),
		s.OccurredAt.Format(time.RFC3339Nano),
		s.CreatedAt.Format(time.RFC3339Nano),
		string(payment.Status(s.Amount)),
		paid.String(),
		strconv.FormatInt(paid.Minor(), 10),
		s.UpdatedAt.Format(time.RFC3339Nano),
	}
}

func harmless(text string) string { return spreadsheet.Harmless(text) }
