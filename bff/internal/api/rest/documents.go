package rest

import (
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/httpapi"
)

// document is an answer of the commission service, passed on unchanged. T describes it.
type document[T any] struct{ text string }

func (d document[T]) MarshalJSON() ([]byte, error) { return []byte(d.text), nil }

func (document[T]) Schema(schemas huma.Registry) *huma.Schema {
	return schemas.Schema(reflect.TypeFor[T](), true, "")
}

type documentOutput[T any] struct {
	CacheControl string `header:"Cache-Control" doc:"no-store"`
	Body         document[T]
}

// The answers of the commission service. A test of the contracts compares them with that service's
// own.
type (
	payoutPage     = httpapi.Page[payoutBody]
	commissionPage = httpapi.Page[commissionBody]
)

type commissionBody struct {
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
	PaymentStatus   string    `json:"payment_status" enum:"unpaid,in_payout,partly_paid,paid" doc:"in_payout: a requested payout holds it, or a part of it. partly_paid: completed payouts have paid a part. paid: they have paid all of it; a clawback is paid when a payout nets it."`
	Paid            string    `json:"paid" doc:"What completed payouts have paid of it, in major units; negative for a clawback." example:"10.00"`
	PaidMinor       int64     `json:"paid_minor" doc:"paid in minor units." example:"1000"`
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

type payoutBody struct {
	ID           string     `json:"id" format:"uuid" doc:"The id of the payout, which is the command_id of its request."`
	UserID       string     `json:"user_id" doc:"The user who is paid." example:"user123"`
	Amount       string     `json:"amount" doc:"Major units." example:"150.00"`
	AmountMinor  int64      `json:"amount_minor" doc:"amount in minor units." example:"15000"`
	Currency     string     `json:"currency" doc:"ISO 4217." example:"USD"`
	Method       string     `json:"payment_method" doc:"How the user is paid." example:"paypal"`
	Status       string     `json:"status" enum:"requested,rejected,completed,failed,cancelled" doc:"requested: the amount is set aside. rejected: it was not available. completed: paid. failed, cancelled: available again."`
	Reason       *string    `json:"reason" doc:"Why it was rejected, or the reason of the last change by an operator; the latter is null for partners." example:"checked with the bank"`
	RequestedAt  time.Time  `json:"requested_at" doc:"When the user requested it."`
	CreatedAt    time.Time  `json:"created_at" doc:"When the payout was created."`
	UpdatedAt    time.Time  `json:"updated_at" doc:"When it was changed last, or created."`
	ClosedAt     *time.Time `json:"closed_at" doc:"When it was rejected, completed, failed or cancelled. Null before."`
	ConflictedAt *time.Time `json:"conflicted_at" doc:"When a different request with the same Idempotency-Key, and so the same command_id, arrived. It had no effect. Null if there was none."`

	Covered           *bool      `json:"covered" doc:"Whether the money that it set aside is still there: false if clawbacks since have taken more than was left available. The newest payouts of a user lose their cover first. Null unless it is requested."`
	BatchID           *string    `json:"batch_id" doc:"The batch that pays it. Null for none."`
	ExternalReference *string    `json:"external_reference" doc:"The name of the payment at the bank or provider. Null if there is none." example:"4711"`
	PaidAt            *time.Time `json:"paid_at" doc:"When it was paid. Null unless it is completed."`
	FailureCode       *string    `json:"failure_code" doc:"Why the payment did not succeed, as in the request that said so. Null unless it failed." example:"account_closed"`

	Version int `json:"version" doc:"The number of the version, which every change increases. Send it as If-Match to change the payout." example:"1"`
}

type balancesBody struct {
	UserID   string        `json:"user_id" doc:"The owner of the balances." example:"user123"`
	Balances []balanceBody `json:"balances" doc:"One balance for each currency; empty for a user who never earned."`
}

type balanceBody struct {
	Currency       string          `json:"currency" doc:"ISO 4217." example:"USD"`
	Pending        string          `json:"pending" doc:"Earned but not yet approved." example:"25.00"`
	PendingMinor   httpapi.Integer `json:"pending_minor" doc:"pending in minor units." example:"2500"`
	Available      string          `json:"available" doc:"Available for payout. Negative if a clawback followed the payout." example:"150.00"`
	AvailableMinor httpapi.Integer `json:"available_minor" doc:"available in minor units." example:"15000"`
	InPayout       string          `json:"in_payout" doc:"Set aside for requested payouts." example:"0.00"`
	InPayoutMinor  httpapi.Integer `json:"in_payout_minor" doc:"in_payout in minor units." example:"0"`
	Paid           string          `json:"paid" doc:"Paid out." example:"75.00"`
	PaidMinor      httpapi.Integer `json:"paid_minor" doc:"paid in minor units." example:"7500"`
}
