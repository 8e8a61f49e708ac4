package rest

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/query"
	"tributary/contracts/eventtype"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
)

// Bearer is embedded in the input of every read: the token is passed on. It is exported because
// huma reads only exported fields.
type Bearer struct {
	Authorization string `header:"Authorization" hidden:"true"`
}

// Paged is embedded in the input of every list.
type Paged struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The largest number of rows of a page."`
	Cursor string `query:"cursor" maxLength:"512" doc:"next_cursor of the previous page."`
}

func (p Paged) page() query.Page { return query.Page{Limit: p.Limit, Cursor: p.Cursor} }

type paymentRead struct {
	Bearer
	CommandID string `path:"command_id" format:"uuid" doc:"The command_id of the payment request."`
}

type paymentsRead struct {
	Bearer
	Paged
	Status string `query:"status" enum:"requested,rejected,completed,failed,cancelled" doc:"Only payments of this status."`
}

type balanceRead struct {
	Bearer
}

// eventType is a type of event in a request.
type eventType = httpapi.Enum[eventtype.Any]

type commissionsRead struct {
	Bearer
	Paged
	CampaignID   string    `query:"campaign_id" maxLength:"128" doc:"Only commissions of this campaign." example:"camp123"`
	ProductID    string    `query:"product_id" maxLength:"128" doc:"Only commissions of this product." example:"prod456"`
	EventType    eventType `query:"event_type" doc:"Only commissions of events of this type."`
	Status       string    `query:"status" enum:"pending,held,approved,rejected,reversed" doc:"Only commissions of this status."`
	Kind         string    `query:"kind" enum:"earning,clawback,adjustment" doc:"Only commissions of this kind."`
	Currency     string    `query:"currency" pattern:"^[A-Z]{3}$" doc:"Only commissions in this currency, ISO 4217." example:"USD"`
	OccurredFrom string    `query:"occurred_from" format:"date-time" doc:"Only commissions of events from this time on."`
	OccurredTo   string    `query:"occurred_to" format:"date-time" doc:"Only commissions of events before this time."`
}

func (in *commissionsRead) filter() query.CommissionFilter {
	return query.CommissionFilter{
		CampaignID:   in.CampaignID,
		ProductID:    in.ProductID,
		EventType:    string(in.EventType),
		Status:       in.Status,
		Kind:         in.Kind,
		Currency:     in.Currency,
		OccurredFrom: in.OccurredFrom,
		OccurredTo:   in.OccurredTo,
	}
}

func registerReads(api huma.API, reader *query.Reader) {
	huma.Register(
		api,
		readOperation(
			"get-payment",
			"/api/v1/payments/{command_id}",
			"Get a payment",
			"Payments",
		),
		func(ctx context.Context, in *paymentRead) (*documentOutput[payoutBody], error) {
			return read[payoutBody](
				ctx,
				in.Bearer,
				func(q query.Origin) (query.Document, error) { return reader.Payment(ctx, q, in.CommandID) },
			)
		},
	)
	huma.Register(
		api,
		readOperation(
			"list-payments",
			"/api/v1/payments",
			"List payments",
			"Payments",
		),
		func(ctx context.Context, in *paymentsRead) (*documentOutput[payoutPage], error) {
			return read[payoutPage](
				ctx,
				in.Bearer,
				func(q query.Origin) (query.Document, error) {
					return reader.Payments(ctx, q, in.Status, in.page())
				},
			)
		},
	)
	huma.Register(
		api,
		readOperation("get-balance", "/api/v1/balance", "Get the balances", "Balance"),
		func(ctx context.Context, in *balanceRead) (*documentOutput[balancesBody], error) {
			return read[balancesBody](
				ctx,
				in.Bearer,
				func(q query.Origin) (query.Document, error) { return reader.Balance(ctx, q) },
			)
		},
	)
	huma.Register(
		api,
		readOperation(
			"list-commissions",
			"/api/v1/commissions",
			"List commissions",
			"Commissions",
		),
		func(ctx context.Context, in *commissionsRead) (*documentOutput[commissionPage], error) {
			return read[commissionPage](ctx, in.Bearer, func(q query.Origin) (query.Document, error) {
				return reader.Commissions(ctx, q, in.filter(), in.page())
			})
		},
	)
}

func readOperation(id, path, summary, tag string) huma.Operation {
	var errors []int
	if strings.Contains(path, "{") {
		errors = append(errors, http.StatusNotFound)
	}

	return huma.Operation{
		OperationID: id,
		Method:      http.MethodGet,
		Path:        path,
		Summary:     summary,
		Tags:        []string{tag},
		Security:    auth.Require(auth.Partner),
		Description: "Returns only the caller's own data.",
		Errors:      errors,
	}
}

func read[T any](
	ctx context.Context,
	in Bearer,
	ask func(query.Origin) (query.Document, error),
) (*documentOutput[T], error) {
	from, err := callerOf(ctx)
	if err != nil {
		return nil, err
	}

	// the middleware has checked that it is a bearer token
	_, token, _ := strings.Cut(in.Authorization, " ")

	found, err := ask(query.Origin{Caller: from, Bearer: strings.TrimLeft(token, " ")})
	if err != nil {
		return nil, err
	}

	return &documentOutput[T]{CacheControl: "no-store", Body: document[T]{found.Text}}, nil
}
