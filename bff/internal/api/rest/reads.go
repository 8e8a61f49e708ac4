package rest

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/readown"
	"tributary/platform/auth"
)

// document is a JSON object of the commission service, passed on as it came.
type document struct{ text string }

// MarshalJSON gives the text.
func (d document) MarshalJSON() ([]byte, error) { return []byte(d.text), nil }

// Schema is that of any object; the commission service's document describes the members.
func (document) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: true,
		Description:          "As the commission service gives it.",
	}
}

type documentOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         document
}

// Bearer is embedded in the input of every read: the token is handed on. It is exported because
// huma only looks into exported fields.
type Bearer struct {
	Authorization string `header:"Authorization" hidden:"true"`
}

// Paged is embedded in the input of every list.
type Paged struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Rows of a page."`
	Cursor string `query:"cursor" maxLength:"512" doc:"next_cursor of the page before."`
}

func (p Paged) page() readown.Page { return readown.Page{Limit: p.Limit, Cursor: p.Cursor} }

type paymentRead struct {
	Bearer
	CommandID string `path:"command_id" format:"uuid" doc:"command_id of the request for payment."`
}

type paymentsRead struct {
	Bearer
	Paged
	Status string `query:"status" maxLength:"32" doc:"Only payments of this status."`
}

type balanceRead struct {
	Bearer
}

type commissionsRead struct {
	Bearer
	Paged
	CampaignID   string `query:"campaign_id" maxLength:"128"`
	ProductID    string `query:"product_id" maxLength:"128"`
	EventType    string `query:"event_type" maxLength:"32"`
	Status       string `query:"status" maxLength:"32"`
	Kind         string `query:"kind" maxLength:"32"`
	Currency     string `query:"currency" minLength:"3" maxLength:"3"`
	OccurredFrom string `query:"occurred_from" maxLength:"40" doc:"RFC 3339, inclusive."`
	OccurredTo   string `query:"occurred_to" maxLength:"40" doc:"RFC 3339, exclusive."`
}

func (in *commissionsRead) filter() readown.CommissionFilter {
	return readown.CommissionFilter{
		CampaignID:   in.CampaignID,
		ProductID:    in.ProductID,
		EventType:    in.EventType,
		Status:       in.Status,
		Kind:         in.Kind,
		Currency:     in.Currency,
		OccurredFrom: in.OccurredFrom,
		OccurredTo:   in.OccurredTo,
	}
}

func registerReads(api huma.API, reader *readown.Reader) {
	huma.Register(
		api,
		readOperation(
			"get-payment",
			"/api/v1/payments/{command_id}",
			"One of the caller's payments",
			"Payments",
		),
		func(ctx context.Context, in *paymentRead) (*documentOutput, error) {
			return read(
				ctx,
				in.Bearer,
				func(q readown.Query) (readown.Document, error) { return reader.Payment(ctx, q, in.CommandID) },
			)
		},
	)
	huma.Register(
		api,
		readOperation(
			"list-payments",
			"/api/v1/payments",
			"The caller's payments, the newest first",
			"Payments",
		),
		func(ctx context.Context, in *paymentsRead) (*documentOutput, error) {
			return read(
				ctx,
				in.Bearer,
				func(q readown.Query) (readown.Document, error) {
					return reader.Payments(ctx, q, in.Status, in.page())
				},
			)
		},
	)
	huma.Register(
		api,
		readOperation("get-balance", "/api/v1/balance", "The caller's balances", "Balance"),
		func(ctx context.Context, in *balanceRead) (*documentOutput, error) {
			return read(
				ctx,
				in.Bearer,
				func(q readown.Query) (readown.Document, error) { return reader.Balance(ctx, q) },
			)
		},
	)
	huma.Register(
		api,
		readOperation(
			"list-commissions",
			"/api/v1/commissions",
			"The caller's commissions",
			"Commissions",
		),
		func(ctx context.Context, in *commissionsRead) (*documentOutput, error) {
			return read(ctx, in.Bearer, func(q readown.Query) (readown.Document, error) {
				return reader.Commissions(ctx, q, in.filter(), in.page())
			})
		},
	)
}

func readOperation(id, path, summary, tag string) huma.Operation {
	return huma.Operation{
		OperationID: id,
		Method:      http.MethodGet,
		Path:        path,
		Summary:     summary,
		Tags:        []string{tag},
		Security:    auth.Require(auth.Partner),
		Description: "Read from the commission service with the caller's own token.",
	}
}

func read(
	ctx context.Context,
	in Bearer,
	ask func(readown.Query) (readown.Document, error),
) (*documentOutput, error) {
	from, err := callerOf(ctx)
	if err != nil {
		return nil, err
	}

	// the middleware has seen that it is a bearer token
	_, token, _ := strings.Cut(in.Authorization, " ")

	found, err := ask(readown.Query{Caller: from, Bearer: strings.TrimLeft(token, " ")})
	if err != nil {
		return nil, err
	}

	return &documentOutput{CacheControl: "no-store", Body: document{found.Text}}, nil
}
