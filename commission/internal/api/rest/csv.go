package rest

import (
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
)

const (
	csvType = "text/csv"
	csvPage = 1000
	csvIdle = time.Minute // a client may take so long for a page
)

// wantsCSV tells whether the first acceptable type that we have is CSV.
func wantsCSV(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		switch strings.ToLower(kind) {
		case csvType:
			return true
		case "application/json", "*/*", "application/*":
			return false
		}
	}

	return false
}

// streamCSV writes all rows, page by page: memory holds one page, and no statement runs for long.
// The first page is read before the answer begins, so that a database that is away is still a
// problem document.
func streamCSV(
	ctx context.Context,
	store query.Commissions,
	filter query.CommissionFilter,
	clock func() time.Time,
) (*huma.StreamResponse, error) {
	rows, err := store.List(ctx, filter, query.Slice{Limit: csvPage})
	if err != nil {
		return nil, err
	}

	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", csvType+"; charset=utf-8; header=present")
		out.SetHeader("Content-Disposition", `attachment; filename="commissions.csv"`)
		_, response := humachi.Unwrap(out)
		deadline := http.NewResponseController(response)
		w := csv.NewWriter(out.BodyWriter())

		_ = w.Write(csvHeader())
		for {
			_ = deadline.SetWriteDeadline(clock().Add(csvIdle))

			for _, row := range rows {
				_ = w.Write(csvRow(commissionFor(ctx, row)))
			}

			if w.Flush(); w.Error() != nil || len(rows) < csvPage {
				return
			}

			if rows, err = store.List(
				ctx,
				filter,
				query.Slice{Limit: csvPage, After: rows[len(rows)-1].State().ID},
			); err != nil {
				//nolint:forbidigo // net/http's way to break a response off, so that nobody takes a part for the whole
				panic(http.ErrAbortHandler)
			}
		}
	}}, nil
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
	}
}

// csvRow writes a row. Texts that others chose are made harmless; numbers, ids and times are ours
// and stay as they are.
func csvRow(c commission.Commission) []string {
	s := c.State()

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
	}
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}

	return text
}
