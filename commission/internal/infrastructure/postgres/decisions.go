package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// decisionColumns are the columns of decisions AS d that decisionRow reads.
const decisionColumns = `d.event_id, d.user_id, d.event_type, d.occurred_at, d.received_at,
    d.decided_at, d.resolved_at, d.campaign_id, d.product_id, d.order_id,
       d.original_event_id, d.amount_sent, d.currency_sent, d.self_referral, d.outcome, d.reason,
           d.rules_revision, d.rule_id::text, d.rule_version,
       d.currency, d.base_minor, d.position_minor, d.cap_used_minor, d.reverses_event_id,
           d.reversed_before, d.order_taken_by, d.unrounded,
       d.amount_minor, d.available_at, d.commission_id::text`

type decisionRow struct {
	eventID, userID, eventType, outcome, reason                      string
	occurredAt, receivedAt, decidedAt                                time.Time
	resolvedAt, availableAt                                          *time.Time
	campaignID, productID, orderID, originalID, amount, currencySent *string
	selfReferral                                                     bool
	revision                                                         int64
	ruleID, currency, reverses, takenBy, unrounded, commissionID     *string
	ruleVersion                                                      *int
	base, position, capUsed, reversedBefore, amountMinor             *int64
}

func (r *decisionRow) targets() []any {
	return []any{
		&r.eventID,
		&r.userID,
		&r.eventType,
		&r.occurredAt,
		&r.receivedAt,
		&r.decidedAt,
		&r.resolvedAt,
		&r.campaignID,
		&r.productID,
		&r.orderID,
		&r.originalID,
		&r.amount,
		&r.currencySent,
		&r.selfReferral,
		&r.outcome,
		&r.reason,
		&r.revision,
		&r.ruleID,
		&r.ruleVersion,
		&r.currency,
		&r.base,
		&r.position,
		&r.capUsed,
		&r.reverses,
		&r.reversedBefore,
		&r.takenBy,
		&r.unrounded,
		&r.amountMinor,
		&r.availableAt,
		&r.commissionID,
	}
}

func (r *decisionRow) event() event.Event {
	return event.Restore(event.Snapshot{
		ID:           r.eventID,
		UserID:       r.userID,
		Type:         eventtype.Type(r.eventType),
		OccurredAt:   r.occurredAt.UTC(),
		ReceivedAt:   r.receivedAt.UTC(),
		CampaignID:   value(r.campaignID),
		ProductID:    value(r.productID),
		OrderID:      value(r.orderID),
		OriginalID:   value(r.originalID),
		Amount:       value(r.amount),
		Currency:     value(r.currencySent),
		SelfReferral: r.selfReferral,
	})
}

func (r *decisionRow) decision() (decision.Decision, error) {
	currency, err := optionalCurrency(r.currency)
	if err != nil {
		return decision.Decision{}, err
	}

	d := decision.Decision{
		Event:          r.event(),
		Outcome:        decision.Outcome(r.outcome),
		Reason:         decision.Reason(r.reason),
		Revision:       r.revision,
		Currency:       currency,
		Rule:           rule.Ref{ID: value(r.ruleID), Version: value(r.ruleVersion)},
		HasBase:        value(r.amount) != "" && r.base != nil,
		Position:       value(r.position),
		CapUsed:        value(r.capUsed),
		OriginalID:     value(r.reverses),
		ReversedBefore: value(r.reversedBefore),
		OrderTakenBy:   value(r.takenBy),
		Unrounded:      value(r.unrounded),
		AvailableAt:    utc(r.availableAt),
	}
	if currency.Valid() {
		d.Base, d.Amount = money.FromMinor(value(r.base), currency), money.FromMinor(value(r.amountMinor), currency)
	}

	return d, nil
}

func scanEvent(row pgx.CollectableRow) (event.Event, error) {
	var r decisionRow
	if err := row.Scan(r.targets()...); err != nil {
		return event.Event{}, err
	}

	return r.event(), nil
}
