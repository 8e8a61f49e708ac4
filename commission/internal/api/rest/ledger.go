package rest

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/platform/httpapi"
)

type transferBody struct {
	ID           string    `json:"id" doc:"The number of the transfer." example:"17"`
	CreatedAt    time.Time `json:"created_at" doc:"When the money moved."`
	UserID       string    `json:"user_id" doc:"Whose accounts they are." example:"user123"`
	Currency     string    `json:"currency" doc:"ISO 4217." example:"USD"`
	FromAccount  string    `json:"from_account" enum:"programme,pending,available,in_payout,paid" doc:"The account that the amount left. programme is the other side of what is earned."`
	ToAccount    string    `json:"to_account" enum:"programme,pending,available,in_payout,paid" doc:"The account that the amount entered."`
	Amount       string    `json:"amount" doc:"Major units; always positive." example:"10.00"`
	AmountMinor  int64     `json:"amount_minor" doc:"amount in minor units." example:"1000"`
	CommissionID *string   `json:"commission_id" doc:"The commission whose money moved. Null for a payout."`
	PayoutID     *string   `json:"payout_id" doc:"The payout whose money moved. Null for a commission."`
}

func transferBodyOf(t query.Transfer) transferBody {
	return transferBody{
		ID:           t.ID,
		CreatedAt:    t.At,
		UserID:       t.UserID,
		Currency:     t.Amount.Currency().String(),
		FromAccount:  string(t.From),
		ToAccount:    string(t.To),
		Amount:       t.Amount.String(),
		AmountMinor:  t.Amount.Minor(),
		CommissionID: optional(t.CommissionID),
		PayoutID:     optional(t.PayoutID),
	}
}

// LedgerFilter narrows the ledger.
type LedgerFilter struct {
	UserID       string    `query:"user_id" maxLength:"128" doc:"Only transfers of this user." example:"user123"`
	Currency     string    `query:"currency" pattern:"^[A-Z]{3}$" doc:"Only transfers in this currency, ISO 4217." example:"USD"`
	Account      string    `query:"account" enum:"programme,pending,available,in_payout,paid" doc:"Only transfers into or out of this account."`
	CommissionID string    `query:"commission_id" maxLength:"64" doc:"Only transfers of this commission."`
	PayoutID     string    `query:"payout_id" maxLength:"64" doc:"Only transfers of this payout."`
	From         time.Time `query:"from" doc:"Only transfers at this time or later."`
	To           time.Time `query:"to" doc:"Only transfers before this time."`
}

func (f LedgerFilter) of() (query.LedgerFilter, error) {
	return query.LedgerFilter(f), checkIDs("user_id", f.UserID)
}

type listLedgerInput struct {
	httpapi.ListInput
	LedgerFilter
}

type exportLedgerInput struct{ LedgerFilter }

type transferList struct{ Body httpapi.Page[transferBody] }

func registerLedger(api huma.API, transfers *query.ListLedger, out exports) {
	huma.Register(api, readOperation(huma.Operation{
		OperationID: "list-ledger",
		Path:        "/ledger",
		Summary:     "List transfers of the ledger",
		Description: "Returns every movement of money between the accounts of users, the newest first. A " +
			"balance is the sum of what entered an account, less what left it.",
		Tags: []string{"Payouts"},
	}),
		func(ctx context.Context, in *listLedgerInput) (*transferList, error) {
			filter, err := in.of()
			if err != nil {
				return nil, err
			}

			var cursor timeCursor
			if err := openCursor(ctx, &in.ListInput, in.UserID, &cursor); err != nil {
				return nil, err
			}

			rows, err := transfers.Handle(ctx, callerOf(ctx), filter, in.Limit+1, query.Position(cursor))
			if err != nil {
				return nil, err
			}

			bodies := bodiesOf(rows, transferBodyOf)

			return &transferList{Body: httpapi.NewPage(
				&in.ListInput,
				bodies,
				func(b transferBody) timeCursor { return timeCursor{b.CreatedAt, b.ID} },
			)}, nil
		})

	registerExportLedger(api, transfers, out)
}

func registerExportLedger(api huma.API, transfers *query.ListLedger, out exports) {
	header := []string{
		"id",
		"created_at",
		"user_id",
		"currency",
		"from_account",
		"to_account",
		"amount",
		"amount_minor",
		"commission_id",
		"payout_id",
	}
	huma.Register(api, exportOperation(huma.Operation{
		OperationID: "export-ledger",
		Path:        "/ledger.csv",
		Summary:     "Export the ledger as CSV",
		Description: "Returns the transfers of the list, the newest first",
		Tags:        []string{"Payouts"},
	}, header),
		func(ctx context.Context, in *exportLedgerInput) (*huma.StreamResponse, error) {
			filter, err := in.of()
			if err != nil {
				return nil, err
			}

			return send(ctx, out, export[query.Transfer]{
				file: "ledger",
				form: csvForm[query.Transfer]{header: header, cells: transferCells},
				page: func(ctx context.Context, last *query.Transfer) ([]query.Transfer, error) {
					var after query.Position
					if last != nil {
						after = query.Position{At: last.At, ID: last.ID}
					}

					return transfers.Handle(ctx, callerOf(ctx), filter, csvPage, after)
				},
			})
		})
}

func transferCells(t query.Transfer) []string {
	return []string{
		t.ID,
		timeCell(t.At),
		harmless(t.UserID),
		t.Amount.Currency().String(),
		string(t.From),
		string(t.To),
		t.Amount.String(),
		strconv.FormatInt(t.Amount.Minor(), 10),
		t.CommissionID,
		t.PayoutID,
	}
}
