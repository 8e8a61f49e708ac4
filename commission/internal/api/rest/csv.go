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
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/money"
	"tributary/platform/spreadsheet"
)

const (
	csvType = "text/csv"
	csvPage = 500
	csvIdle = 20 * time.Second // how long a client may take for a page

	csvStreams = 16 // concurrent streams, shared by caller; each holds a page
	csvWait    = 2 * time.Second
)

// registerExport registers the CSV form of the list with a path of its own.
func registerExport(api huma.API, lists streams) {
	op := readOperation(huma.Operation{
		OperationID: "export-commissions",
		Path:        "/commissions.csv",
		Summary:     "Export commissions as CSV",
		Description: "Returns all matching rows, the newest first, with a header line (RFC 4180). " +
			"The connection is aborted if the rows cannot be read to the end.",
		Tags: []string{"Commissions"},
	})
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The rows.",
		Content: map[string]*huma.MediaType{csvType: {
			Schema:  &huma.Schema{Type: huma.TypeString},
			Example: strings.Join(csvHeader(), ",") + "\r\n",
		}},
	}}

	huma.Register(api, op, func(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
		filter, err := in.of(ctx)
		if err != nil {
			return nil, err
		}

		return lists.csv(ctx, filter)
	})
}

type exportInput struct{ CommissionFilter }

// wantsCSV reports whether the first acceptable type that the list supports is CSV.
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

var errTooManyExports = fault.Define(
	fault.Unavailable,
	"csv_no_room",
	"The replica has no memory for another CSV export, of any caller or of this one. Retry after "+
		"the time in Retry-After.",
)

// streams writes lists as CSV, a bounded number at a time, since a slow reader occupies memory.
type streams struct {
	store    query.Commissions
	payments *query.GetPayments
	clock    func() time.Time
	room     *httpapi.Shares
}

// csv writes all rows, page by page: memory holds one page, and no statement runs for long. The
// first page is read before the answer begins, so that an unavailable database is answered with a
// problem document.
func (s streams) csv(
	ctx context.Context,
	filter query.CommissionFilter,
) (*huma.StreamResponse, error) {
	caller := httpapi.Caller(ctx)
	if !s.room.Wait(ctx, csvWait, caller, 1) {
		return nil, errTooManyExports.New(
			"Too many lists are being exported as CSV, by all callers or by you. Retry after Retry-After.",
		).RetryIn(csvIdle)
	}

	page, err := s.page(ctx, filter, "")
	if err != nil {
		s.room.Release(caller, 1)
		return nil, err
	}

	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer s.room.Release(caller, 1)

		s.write(ctx, out, filter, page)
	}}, nil
}

// paidPage is a page of commissions with their payments by id.
type paidPage struct {
	rows     []commission.Snapshot
	payments map[string]query.Payment
}

func (s streams) page(
	ctx context.Context,
	filter query.CommissionFilter,
	after string,
) (paidPage, error) {
	rows, err := s.store.List(ctx, filter, query.Slice{Limit: csvPage, After: after})
	if err != nil {
		return paidPage{}, err
	}

	payments, err := s.payments.Handle(ctx, callerOf(ctx), rows)

	return paidPage{rows: rows, payments: payments}, err
}

func (s streams) write(
	ctx context.Context,
	out huma.Context,
	filter query.CommissionFilter,
	page paidPage,
) {
	out.SetHeader("Content-Type", csvType+"; charset=utf-8; header=present")
	out.SetHeader("Content-Disposition", `attachment; filename="commissions.csv"`)

	_, response := humachi.Unwrap(out)
	deadline := http.NewResponseController(response)
	w := csv.NewWriter(out.BodyWriter())

	_ = w.Write(csvHeader())
	for {
		for _, row := range page.rows {
			_ = w.Write(csvRow(commissionFor(ctx, row), page.payments[row.ID]))
		}

		_ = deadline.SetWriteDeadline(s.clock().Add(csvIdle))

		if w.Flush(); w.Error() != nil || len(page.rows) < csvPage {
			return
		}

		var err error
		if page, err = s.page(ctx, filter, page.rows[len(page.rows)-1].ID); err != nil {
			//nolint:forbidigo // net/http's way to abort a response, so that a part is not taken for the whole
			panic(http.ErrAbortHandler)
		}
	}
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
	}
}

// harmless is spreadsheet.Harmless.
func harmless(text string) string { return spreadsheet.Harmless(text) }
