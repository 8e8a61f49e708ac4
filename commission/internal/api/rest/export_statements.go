package rest

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
)

func sendStatement(
	ctx context.Context,
	statements *query.Statements,
	out exports,
	in StatementInput,
	as statementForm,
) (*huma.StreamResponse, error) {
	if err := checkIDs("user_id", in.UserID); err != nil {
		return nil, err
	}

	period, err := statements.Period(in.Month)
	if err != nil {
		return nil, err
	}

	accounts, err := statements.Accounts(ctx, callerOf(ctx), in.UserID, period)
	if err != nil {
		return nil, err
	}

	return send(ctx, out, export[query.Line]{
		file: "statement-" + period.Month,
		form: as(in.UserID, period, accounts),
		page: func(ctx context.Context, last *query.Line) ([]query.Line, error) {
			var after query.LinePosition
			if last != nil {
				after = last.Position
			}

			return statements.Lines(ctx, callerOf(ctx), in.UserID, period, csvPage, after)
		},
	})
}

func registerStatementCSV(api huma.API, statements *query.Statements, out exports) {
	huma.Register(api, exportOperation(huma.Operation{
		OperationID: "export-statement",
		Path:        "/statements/{user_id}/csv",
		Summary:     "Export a user's statement of a month as CSV",
		Description: "Returns the opening of each currency, all lines and the closing; the closing is the sum of " +
			"opening and lines",
		Tags: []string{"Payouts"},
	}, statementHeader()),
		func(ctx context.Context, in *exportStatementInput) (*huma.StreamResponse, error) {
			return sendStatement(ctx, statements, out, in.StatementInput, csvStatement)
		})
}

func registerStatementHTML(api huma.API, statements *query.Statements, out exports) {
	op := readOperation(huma.Operation{
		OperationID: "print-statement",
		Path:        "/statements/{user_id}/html",
		Summary:     "Get a user's statement of a month as a page to print",
		Description: "Returns the statement as an HTML page without scripts. The connection is aborted if the lines " +
			"cannot be read to the end.",
		Tags: []string{"Payouts"},
	})
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The page.",
		Content: map[string]*huma.MediaType{"text/html": {
			Schema: &huma.Schema{Type: huma.TypeString},
		}},
	}}
	huma.Register(
		api,
		op,
		func(ctx context.Context, in *exportStatementInput) (*huma.StreamResponse, error) {
			return sendStatement(ctx, statements, out, in.StatementInput, printed)
		},
	)
}
