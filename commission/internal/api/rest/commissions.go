package rest

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/contracts/eventtype"
	"tributary/platform/httpapi"
	"tributary/platform/money"
)

// commissionBody is the answer for a commission: what it is, and how far it is paid.
type commissionBody struct {
	CommissionRow

	PaymentStatus string `json:"payment_status" enum:"unpaid,in_payout,partly_paid,paid" doc:"in_payout: a requested payout holds it, or a part of it. partly_paid: completed payouts have paid a part. paid: they have paid all of it; a clawback is paid when a payout nets it."`
	Paid          string `json:"paid" doc:"What completed payouts have paid of it, in major units; negative for a clawback." example:"10.00"`
	PaidMinor     int64  `json:"paid_minor" doc:"paid in minor units." example:"1000"`
}

// CommissionRow is a commission, as events have it too. Money is exact: major units as text, minor
// units as an integer.
type CommissionRow struct {
	ID              string    `json:"id" format:"uuid" doc:"The id of the commission."`
	EventID         *string   `json:"event_id" doc:"The event that earned it. Null for an adjustment by an operator." example:"event789"`
	UserID          string    `json:"user_id" doc:"The user who earns." example:"user123"`
	CampaignID      *string   `json:"campaign_id" doc:"The campaign of the event." example:"camp123"`
	ProductID       *string   `json:"product_id" doc:"The product of the event." example:"prod456"`
	OrderID         *string   `json:"order_id" doc:"The order of the event." example:"order789"`
	EventType       *string   `json:"event_type" doc:"The type of the event. Null for an adjustment by an operator." example:"purchase"`
	Kind            string    `json:"kind" enum:"earning,clawback,adjustment" doc:"earning: earned by a rule. clawback: reverses an earning, in whole or in part. adjustment: made by an operator or by a replay."`
	Status          string    `json:"status" enum:"pending,held,approved,rejected,reversed" doc:"pending until available_at, then approved. held: pending until it is released. rejected: not earned. reversed: reversed in full."`
	BaseAmount      string    `json:"base_amount" doc:"The amount that the commission was computed from, in major units; negative for a clawback." example:"100.00"`
	BaseAmountMinor int64     `json:"base_amount_minor" doc:"base_amount in minor units." example:"10000"`
	Rate            *string   `json:"rate" doc:"The rate, if the rule has a single one." example:"0.1"`
	Amount          string    `json:"amount" doc:"The commission in major units; negative for a clawback." example:"10.00"`
	AmountMinor     int64     `json:"amount_minor" doc:"amount in minor units." example:"1000"`
	Currency        string    `json:"currency" doc:"ISO 4217." example:"USD"`
	RuleID          *string   `json:"rule_id" doc:"The rule that was applied. Null for an adjustment by an operator."`
	RuleVersion     *int      `json:"rule_version" doc:"The version of the rule." example:"1"`
	ReversesID      *string   `json:"reverses_id" doc:"For a clawback, the commission that it reverses. For an adjustment by a replay, the earning whose status it follows."`
	Reason          *string   `json:"reason" doc:"The reason of the last change by an operator. Null for partners." example:"checked with the shop"`
	AvailableAt     time.Time `json:"available_at" doc:"When a pending commission becomes approved."`
	OccurredAt      time.Time `json:"occurred_at" doc:"When the event occurred."`
	CreatedAt       time.Time `json:"created_at" doc:"When the commission was created."`
	UpdatedAt       time.Time `json:"updated_at" doc:"When its status was changed last, or when it was created. Payouts do not change a commission."`
	Version         int       `json:"version" doc:"The number of the version, which every change increases. Send it as If-Match to change the commission." example:"1"`
}

func (b CommissionRow) version() int { return b.Version }

// bodyOf returns the answer for a commission that no payout holds: a new one, or one that is
// pending.
func bodyOf(c commission.Snapshot) commissionBody { return paidBodyOf(c, query.Payment{}) }

func paidBodyOf(c commission.Snapshot, payment query.Payment) commissionBody {
	paid := money.FromMinor(payment.Paid.Minor(), c.Amount.Currency())

	return commissionBody{
		CommissionRow: commissionRowOf(c),
		PaymentStatus: string(payment.Status(c.Amount)),
		Paid:          paid.String(),
		PaidMinor:     paid.Minor(),
	}
}

func commissionRowOf(s commission.Snapshot) CommissionRow {
	return CommissionRow{
		ID:              s.ID,
		EventID:         optional(s.EventID),
		UserID:          s.UserID,
		CampaignID:      optional(s.CampaignID),
		ProductID:       optional(s.ProductID),
		OrderID:         optional(s.OrderID),
		EventType:       optional(string(s.EventType)),
		Kind:            string(s.Kind),
		Status:          string(s.Status),
		BaseAmount:      s.Base.String(),
		BaseAmountMinor: s.Base.Minor(),
		Rate:            optional(s.Rate),
		Amount:          s.Amount.String(),
		AmountMinor:     s.Amount.Minor(),
		Currency:        s.Amount.Currency().String(),
		RuleID:          optional(s.Rule.ID),
		RuleVersion:     optional(s.Rule.Version),
		ReversesID:      optional(s.ReversesID),
		Reason:          optional(s.Reason),
		AvailableAt:     s.AvailableAt,
		OccurredAt:      s.OccurredAt,
		CreatedAt:       s.CreatedAt,
		UpdatedAt:       s.UpdatedAt,
		Version:         s.Version,
	}
}

// eventType is a type of event in a request.
type eventType = httpapi.Enum[eventtype.Any]

// CommissionFilter narrows a list of commissions.
type CommissionFilter struct {
	UserID       string    `query:"user_id" json:"user_id,omitempty" maxLength:"128" doc:"Only commissions of this user." example:"user123"`
	CampaignID   string    `query:"campaign_id" json:"campaign_id,omitempty" maxLength:"128" doc:"Only commissions of this campaign." example:"camp123"`
	ProductID    string    `query:"product_id" json:"product_id,omitempty" maxLength:"128" doc:"Only commissions of this product." example:"prod456"`
	OrderID      string    `query:"order_id" json:"order_id,omitempty" maxLength:"128" doc:"Only commissions of events that named this order. A refund that named only the event has none." example:"order789"`
	EventType    eventType `query:"event_type" json:"event_type,omitempty" doc:"Only commissions of events of this type."`
	Status       string    `query:"status" json:"status,omitempty" enum:"pending,held,approved,rejected,reversed" doc:"Only commissions of this status."`
	Kind         string    `query:"kind" json:"kind,omitempty" enum:"earning,clawback,adjustment" doc:"Only commissions of this kind."`
	Currency     string    `query:"currency" json:"currency,omitempty" pattern:"^[A-Z]{3}$" doc:"Only commissions in this currency, ISO 4217." example:"USD"`
	OccurredFrom time.Time `query:"occurred_from" json:"occurred_from,omitzero" doc:"Only commissions of events from this time on."`
	OccurredTo   time.Time `query:"occurred_to" json:"occurred_to,omitzero" doc:"Only commissions of events before this time."`
	CreatedFilter
	UpdatedFilter
}

// CreatedFilter narrows a list to the rows that were created in a time.
type CreatedFilter struct {
	CreatedFrom time.Time `query:"created_from" json:"created_from,omitzero" doc:"Only rows that were created at this time or later."`
	CreatedTo   time.Time `query:"created_to" json:"created_to,omitzero" doc:"Only rows that were created before this time."`
}

// UpdatedFilter narrows a list to the rows that were changed, or created, in a time.
type UpdatedFilter struct {
	UpdatedFrom time.Time `query:"updated_from" json:"updated_from,omitzero" doc:"Only rows that were changed, or created, at this time or later."`
	UpdatedTo   time.Time `query:"updated_to" json:"updated_to,omitzero" doc:"Only rows that were last changed, or created, before this time."`
}

func (f UpdatedFilter) updated() query.Updated {
	return query.Updated{From: f.UpdatedFrom, To: f.UpdatedTo}
}

// orderOfChanges is a part of the description of lists that take an UpdatedFilter.
const orderOfChanges = " With updated_from or updated_to it is the order of updated_at, the oldest change first: " +
	"a row that changes meanwhile comes again at the end."

// of returns the filter of the application, limited to what the caller may see.
func (f CommissionFilter) of(ctx context.Context) (query.CommissionFilter, error) {
	if err := checkIDs(
		"user_id",
		f.UserID,
		"campaign_id",
		f.CampaignID,
		"product_id",
		f.ProductID,
		"order_id",
		f.OrderID,
	); err != nil {
		return query.CommissionFilter{}, err
	}

	user, err := boundTo(ctx, f.UserID)

	return query.CommissionFilter{
		UserID:       user,
		CampaignID:   f.CampaignID,
		ProductID:    f.ProductID,
		OrderID:      f.OrderID,
		EventType:    string(f.EventType),
		Status:       f.Status,
		Kind:         f.Kind,
		Currency:     f.Currency,
		OccurredFrom: f.OccurredFrom,
		OccurredTo:   f.OccurredTo,
		CreatedFrom:  f.CreatedFrom,
		CreatedTo:    f.CreatedTo,
		Updated:      f.updated(),
	}, err
}

type listCommissionsInput struct {
	httpapi.ListInput
	CommissionFilter
	Accept string `header:"Accept" hidden:"true"`
}

// commissionCursor is the position in a list of commissions.
type commissionCursor struct {
	ID        string    `json:"id"`
	UpdatedAt time.Time `json:"updated_at"`
}

type commissionInput struct {
	ID resourceID `path:"id" maxLength:"64" doc:"The commission's id."`
}

type commissionAnswer struct {
	ETag string `header:"ETag"`
	Body commissionBody
}

func registerCommissions(api huma.API, uses UseCases, out exports) {
	list := readOperation(huma.Operation{
		OperationID: "list-commissions",
		Path:        "/commissions",
		Summary:     "List commissions",
		Description: "Returns the newest first. Rows that are added meanwhile do not affect the pages." +
			orderOfChanges + " With Accept: text/csv the answer is that of /commissions.csv.",
		Tags: []string{"Commissions"},
	})
	list.Responses = jsonResponse(api.OpenAPI().Components.Schemas.Schema(
		reflect.TypeFor[httpapi.Page[commissionBody]](),
		true,
		"CommissionPage",
	))
	huma.Register(
		api,
		list,
		func(ctx context.Context, in *listCommissionsInput) (*huma.StreamResponse, error) {
			filter, err := in.of(ctx)
			if err != nil {
				return nil, err
			}

			var cursor commissionCursor
			if err := in.After(filter.UserID, &cursor); err != nil {
				return nil, err
			}

			if wants(in.Accept, csvType) == csvType {
				return send(ctx, out, exportOf(ctx, uses, filter))
			}

			page, err := readPage(ctx, uses, filter, in, cursor)
			if err != nil {
				return nil, err
			}

			return sendJSON(page), nil
		},
	)
	registerExport(api, uses, out)
	huma.Register(
		api,
		readOperation(huma.Operation{
			OperationID: "get-commission",
			Path:        "/commissions/{id}",
			Summary:     "Get a commission",
			Description: "Use the ETag of the answer as If-Match of a change.",
			Tags:        []string{"Commissions"},
			Errors:      []int{http.StatusNotFound},
		}),
		func(ctx context.Context, in *commissionInput) (*commissionAnswer, error) {
			found, err := uses.GetCommission.Handle(ctx, callerOf(ctx), string(in.ID))
			if err != nil {
				return nil, err
			}

			payments, err := uses.GetPayments.Handle(
				ctx,
				callerOf(ctx),
				[]commission.Snapshot{found},
			)
			if err != nil {
				return nil, err
			}

			return &commissionAnswer{
				ETag: etag(found.Version),
				Body: paidBodyOf(commissionFor(ctx, found), payments[found.ID]),
			}, nil
		},
	)
}

// jsonResponse documents an answer as JSON. Its other forms have operations of their own, since
// most generators accept only one type for an answer.
func jsonResponse(schema *huma.Schema) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		"application/json": {Schema: schema},
	}}}
}

// sendJSON writes the answer of an operation that has other forms than JSON.
func sendJSON(body any) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/json")
		_ = json.MarshalWrite(ctx.BodyWriter(), body) // the connection failed
	}}
}

func readPage(
	ctx context.Context,
	uses UseCases,
	filter query.CommissionFilter,
	in *listCommissionsInput,
	after commissionCursor,
) (httpapi.Page[commissionBody], error) {
	rows, err := paidRows(ctx, uses, filter, query.Slice{
		Limit:     in.Limit + 1,
		After:     after.ID,
		UpdatedAt: after.UpdatedAt,
	})
	if err != nil {
		return httpapi.Page[commissionBody]{}, err
	}

	bodies := make([]commissionBody, len(rows))
	for i, row := range rows {
		bodies[i] = paidBodyOf(commissionFor(ctx, row.Snapshot), row.payment)
	}

	return httpapi.NewPage(
		&in.ListInput,
		bodies,
		func(b commissionBody) commissionCursor { return commissionCursor{b.ID, b.UpdatedAt} },
	), nil
}
