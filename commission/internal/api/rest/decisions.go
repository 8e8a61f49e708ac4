package rest

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/decision"
	"tributary/platform/identifier"
)

type decisionBody struct {
	EventID         string     `json:"event_id" doc:"The id of the event." example:"event789"`
	UserID          string     `json:"user_id" doc:"The user who earns." example:"user123"`
	EventType       string     `json:"event_type" doc:"The type of the event." example:"purchase"`
	Outcome         string     `json:"outcome" enum:"commissioned,not_commissioned,parked" doc:"commissioned: the event earned a commission. not_commissioned: it earned nothing. parked: it waits for the event that it reverses."`
	ReasonCode      string     `json:"reason_code" example:"rule_applied" doc:"Stable code of the reason."`
	Reason          string     `json:"reason" doc:"The reason in words." example:"The rule was applied."`
	RuleID          *string    `json:"rule_id" doc:"The rule."`
	RuleVersion     *int       `json:"rule_version" doc:"The version of the rule." example:"1"`
	CommissionID    *string    `json:"commission_id" doc:"The id of the commission."`
	OriginalEventID *string    `json:"original_event_id" doc:"For a refund, void or chargeback, the event that it reverses."`
	OrderTakenBy    *string    `json:"order_taken_by" doc:"For a duplicate order, the event that earned for it."`
	Currency        *string    `json:"currency" doc:"ISO 4217." example:"USD"`
	BaseAmount      *string    `json:"base_amount" doc:"The amount that the commission was computed from, in major units." example:"100.00"`
	BaseAmountMinor *int64     `json:"base_amount_minor" doc:"base_amount in minor units." example:"10000"`
	Unrounded       *string    `json:"unrounded_amount" doc:"The exact result of the formula, before rounding and limits."`
	Amount          *string    `json:"amount" doc:"The amount in major units." example:"10.00"`
	AmountMinor     *int64     `json:"amount_minor" doc:"amount in minor units." example:"1000"`
	AvailableAt     *time.Time `json:"available_at" doc:"When the commission becomes approved. Null without a commission."`
	OccurredAt      time.Time  `json:"occurred_at" doc:"When the event occurred."`
	DecidedAt       time.Time  `json:"decided_at" doc:"When the event was decided."`
	ResolvedAt      *time.Time `json:"resolved_at" doc:"When a parked reversal was matched with its original."`
}

func decisionBodyOf(d query.Decided) decisionBody {
	b := decisionBody{
		EventID:         d.Event.ID(),
		UserID:          d.Event.UserID(),
		EventType:       string(d.Event.Type()),
		Outcome:         string(d.Outcome),
		ReasonCode:      string(d.Reason),
		Reason:          d.Reason.Meaning(),
		RuleID:          optional(d.Rule.ID),
		RuleVersion:     optional(d.Rule.Version),
		CommissionID:    optional(d.CommissionID),
		OriginalEventID: optional(d.OriginalID),
		OrderTakenBy:    optional(d.OrderTakenBy),
		Unrounded:       optional(d.Unrounded),
		AvailableAt:     optionalTime(d.AvailableAt),
		OccurredAt:      d.Event.OccurredAt(),
		DecidedAt:       d.DecidedAt,
		ResolvedAt:      optionalTime(d.ResolvedAt),
	}
	if b.OriginalEventID == nil {
		b.OriginalEventID = optional(d.Event.Snapshot().OriginalID)
	}

	if d.Currency.Valid() {
		b.Currency = new(d.Currency.String())
		b.BaseAmount, b.BaseAmountMinor = new(d.Base.String()), new(d.Base.Minor())
		b.Amount, b.AmountMinor = new(d.Amount.String()), new(d.Amount.Minor())
	}

	return b
}

type decisionInput struct {
	EventID string `path:"event_id" maxLength:"128" doc:"The event's id." example:"event789"`
}

type decisionAnswer struct {
	Body decisionBody
}

func registerDecisions(api huma.API, decisions *query.GetDecision) {
	huma.Register(
		api,
		readOperation(huma.Operation{
			OperationID: "get-decision",
			Path:        "/decisions/{event_id}",
			Summary:     "Get the decision about an event",
			Description: "Every event has exactly one decision, with a stable reason code, even if it earns nothing.",
			Tags:        []string{"Decisions"},
			Errors:      []int{http.StatusNotFound},
		}),
		func(ctx context.Context, in *decisionInput) (*decisionAnswer, error) {
			if !identifier.Readable(in.EventID) {
				return nil, decision.ErrNotFound
			}

			found, err := decisions.Handle(ctx, callerOf(ctx), in.EventID)
			if err != nil {
				return nil, err
			}

			return &decisionAnswer{Body: decisionBodyOf(found)}, nil
		},
	)
}

// etag returns the entity tag of a version.
func etag(version int) string { return strconv.Quote(strconv.Itoa(version)) }
