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
	"tributary/platform/auth"
	"tributary/platform/httpapi"
)

// commissionBody is a commission as it is answered. Money is exact: major units as text, minor
// units as integer.
type commissionBody struct {
	ID              string    `json:"id" format:"uuid"`
	EventID         *string   `json:"event_id" doc:"The event that it came from; null for an adjustment by hand."`
	UserID          string    `json:"user_id"`
	CampaignID      *string   `json:"campaign_id"`
	ProductID       *string   `json:"product_id"`
	OrderID         *string   `json:"order_id"`
	EventType       *string   `json:"event_type"`
	Kind            string    `json:"kind" enum:"earning,clawback,adjustment"`
	Status          string    `json:"status" enum:"pending,held,approved,rejected,reversed"`
	BaseAmount      string    `json:"base_amount" doc:"What the commission was computed from, in major units; negative for a clawback." example:"100.00"`
	BaseAmountMinor int64     `json:"base_amount_minor" example:"10000"`
	Rate            *string   `json:"rate" doc:"The rate, where the rule has a single one." example:"0.1"`
	Amount          string    `json:"amount" example:"10.00"`
	AmountMinor     int64     `json:"amount_minor" example:"1000"`
	Currency        string    `json:"currency" example:"USD"`
	RuleID          *string   `json:"rule_id"`
	RuleVersion     *int      `json:"rule_version"`
	ReversesID      *string   `json:"reverses_id" doc:"A clawback: what it takes from, an earning or the adjustment that replay made in the place of one. An adjustment by replay: the earning whose fate it shares."`
	Reason          *string   `json:"reason" doc:"Of the last change by hand; null for partners."`
	AvailableAt     time.Time `json:"available_at" doc:"When it is approved by itself."`
	OccurredAt      time.Time `json:"occurred_at"`
	CreatedAt       time.Time `json:"created_at"`
	Version         int       `json:"version" doc:"Counts changes; give it as If-Match to change the commission."`
}

func bodyOf(c commission.Commission) commissionBody {
	s := c.State()

	return commissionBody{
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
		Version:         s.Version,
	}
}

// CommissionFilter is what a list of commissions can be narrowed by.
type CommissionFilter struct {
	UserID       string    `query:"user_id" maxLength:"128"`
	CampaignID   string    `query:"campaign_id" maxLength:"128"`
	ProductID    string    `query:"product_id" maxLength:"128"`
	EventType    string    `query:"event_type" enum:"view,click,engagement,lead,sale,purchase,refund,void,chargeback"`
	Status       string    `query:"status" enum:"pending,held,approved,rejected,reversed"`
	Kind         string    `query:"kind" enum:"earning,clawback,adjustment"`
	Currency     string    `query:"currency" pattern:"^[A-Z]{3}$"`
	OccurredFrom time.Time `query:"occurred_from" doc:"Inclusive."`
	OccurredTo   time.Time `query:"occurred_to" doc:"Exclusive."`
}

// of makes the filter of the application, limited to what the caller may see.
func (f CommissionFilter) of(ctx context.Context) (query.CommissionFilter, error) {
	if err := checkIDs(
		"user_id",
		f.UserID,
		"campaign_id",
		f.CampaignID,
		"product_id",
		f.ProductID,
	); err != nil {
		return query.CommissionFilter{}, err
	}

	user, err := auth.OwnUser(ctx, f.UserID)

	return query.CommissionFilter{
		UserID:       user,
		CampaignID:   f.CampaignID,
		ProductID:    f.ProductID,
		EventType:    f.EventType,
		Status:       f.Status,
		Kind:         f.Kind,
		Currency:     f.Currency,
		OccurredFrom: f.OccurredFrom,
		OccurredTo:   f.OccurredTo,
	}, err
}

type listCommissionsInput struct {
	httpapi.ListInput
	CommissionFilter
	Accept string `header:"Accept" maxLength:"1024" doc:"text/csv streams all rows that match, without limit and cursor."`
}

// idCursor is the position in a list that is ordered by id.
type idCursor struct {
	ID string `json:"id"`
}

type commissionInput struct {
	ID string `path:"id" maxLength:"64" doc:"The commission's id."`
}

type commissionAnswer struct {
	ETag string `header:"ETag"`
	Body commissionBody
}

func registerCommissions(api huma.API, store query.Commissions, clock func() time.Time) {
	list := readOperation(huma.Operation{
		OperationID: "list-commissions",
		Path:        "/commissions",
		Summary:     "List commissions",
		Description: "Newest first. Rows that are added while you page do not disturb it.",
		Tags:        []string{"Commissions"},
	})
	lists := streams{store: store, clock: clock, room: httpapi.NewShares(csvStreams)}
	list.Responses = listResponses(api.OpenAPI().Components.Schemas)
	huma.Register(
		api,
		list,
		func(ctx context.Context, in *listCommissionsInput) (*huma.StreamResponse, error) {
			filter, err := in.of(ctx)
			if err != nil {
				return nil, err
			}

			var cursor idCursor
			if err := in.After(filter.UserID, &cursor); err != nil {
				return nil, err
			}

			if wantsCSV(in.Accept) {
				return lists.csv(ctx, filter)
			}

			page, err := readPage(ctx, store, filter, in, cursor.ID)
			if err != nil {
				return nil, err
			}

			return &huma.StreamResponse{Body: func(ctx huma.Context) {
				ctx.SetHeader("Content-Type", "application/json")
				_ = json.MarshalWrite(ctx.BodyWriter(), page) // what fails here is the connection
			}}, nil
		},
	)
	huma.Register(
		api,
		readOperation(huma.Operation{
			OperationID: "get-commission",
			Path:        "/commissions/{id}",
			Summary:     "Get a commission",
			Tags:        []string{"Commissions"},
			Errors:      []int{http.StatusNotFound},
		}),
		func(ctx context.Context, in *commissionInput) (*commissionAnswer, error) {
			found, err := store.Commission(ctx, in.ID)
			if err != nil {
				return nil, err
			}

			if !auth.MaySee(ctx, found.State().UserID) {
				return nil, query.ErrNoCommission()
			}

			return &commissionAnswer{
				ETag: etag(found.State().Version),
				Body: bodyOf(commissionFor(ctx, found)),
			}, nil
		},
	)
}

// listResponses documents the two forms of the list, which is written by hand.
func listResponses(schemas huma.Registry) map[string]*huma.Response {
	page := schemas.Schema(reflect.TypeFor[httpapi.Page[commissionBody]](), true, "CommissionPage")

	return map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		"application/json": {Schema: page}, csvType: {Schema: &huma.Schema{Type: huma.TypeString}},
	}}}
}

func readPage(
	ctx context.Context,
	store query.Commissions,
	filter query.CommissionFilter,
	in *listCommissionsInput,
	after string,
) (httpapi.Page[commissionBody], error) {
	rows, err := store.List(ctx, filter, query.Slice{Limit: in.Limit + 1, After: after})
	if err != nil {
		return httpapi.Page[commissionBody]{}, err
	}

	bodies := make([]commissionBody, len(rows))
	for i, row := range rows {
		bodies[i] = bodyOf(commissionFor(ctx, row))
	}

	return httpapi.NewPage(
		&in.ListInput,
		bodies,
		func(b commissionBody) idCursor { return idCursor{b.ID} },
	), nil
}
