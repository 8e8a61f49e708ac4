package rest

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/platform/money"
)

// Nearly all that is published are decisions, and by reflection rendering one took half as long as
// making it. The functions in this file append the same bytes, which a test compares. A name comes
// with the punctuation around it.

// usualSize is the room for a decision with its commission.
const usualSize = 2 << 10

// decisionMessage returns an event that has a decision.
func decisionMessage(e eventlog.Event) []byte {
	b := make([]byte, 0, usualSize)
	b = appendText(b, `{"id":`, e.ID())
	b = appendInteger(b, `,"sequence":`, e.Sequence)
	b = appendText(b, `,"type":`, string(e.Type))
	b = appendText(b, `,"schema_version":`, eventSchema)
	b = appendPresent(b, `,"user_id":`, e.UserID)
	b = appendTime(b, `,"occurred_at":`, e.At)
	b = appendText(b, `,"caused_by":{"kind":`, string(e.Cause.Kind))
	b = appendText(b, `,"id":`, e.Cause.ID)
	b = appendPresent(b, `,"actor":`, e.Cause.Actor)
	b = appendDecision(b, `},"data":{"decision":`, e.Decision)

	if e.Commission != nil {
		b = appendCommission(b, `,"commission":`, e.Commission)
	}

	b = append(b, `},"previous":{`...)
	b = appendPresent(b, `"status":`, e.PreviousStatus) // a decision has no version

	return append(b, `}}`...)
}

// appendDecision appends what decisionBody has.
func appendDecision(b []byte, name string, d *query.Decided) []byte {
	e := d.Event.Snapshot()

	original := d.OriginalID
	if original == "" {
		original = e.OriginalID
	}

	b = append(b, name...)
	b = appendText(b, `{"event_id":`, e.ID)
	b = appendText(b, `,"user_id":`, e.UserID)
	b = appendText(b, `,"event_type":`, string(e.Type))
	b = appendText(b, `,"outcome":`, string(d.Outcome))
	b = appendText(b, `,"reason_code":`, string(d.Reason))
	b = appendText(b, `,"reason":`, d.Reason.Meaning())
	b = appendTextOrNull(b, `,"rule_id":`, d.Rule.ID)
	b = appendIntegerOrNull(b, `,"rule_version":`, d.Rule.Version)
	b = appendTextOrNull(b, `,"commission_id":`, d.CommissionID)
	b = appendTextOrNull(b, `,"original_event_id":`, original)
	b = appendTextOrNull(b, `,"order_taken_by":`, d.OrderTakenBy)
	b = appendTextOrNull(b, `,"currency":`, d.Currency.String())
	b = appendAmountOrNull(b, `,"base_amount":`, `,"base_amount_minor":`, d.Base, d.Currency)
	b = appendTextOrNull(b, `,"unrounded_amount":`, d.Unrounded)
	b = appendAmountOrNull(b, `,"amount":`, `,"amount_minor":`, d.Amount, d.Currency)
	b = appendTimeOrNull(b, `,"available_at":`, d.AvailableAt)
	b = appendTime(b, `,"occurred_at":`, e.OccurredAt)
	b = appendTime(b, `,"decided_at":`, d.DecidedAt)
	b = appendTimeOrNull(b, `,"resolved_at":`, d.ResolvedAt)

	return append(b, '}')
}

// appendCommission appends what CommissionRow has.
func appendCommission(b []byte, name string, s *commission.Snapshot) []byte {
	b = append(b, name...)
	b = appendText(b, `{"id":`, s.ID)
	b = appendTextOrNull(b, `,"event_id":`, s.EventID)
	b = appendText(b, `,"user_id":`, s.UserID)
	b = appendTextOrNull(b, `,"campaign_id":`, s.CampaignID)
	b = appendTextOrNull(b, `,"product_id":`, s.ProductID)
	b = appendTextOrNull(b, `,"order_id":`, s.OrderID)
	b = appendTextOrNull(b, `,"event_type":`, string(s.EventType))
	b = appendText(b, `,"kind":`, string(s.Kind))
	b = appendText(b, `,"status":`, string(s.Status))
	b = appendAmount(b, `,"base_amount":`, `,"base_amount_minor":`, s.Base)
	b = appendTextOrNull(b, `,"rate":`, s.Rate)
	b = appendAmount(b, `,"amount":`, `,"amount_minor":`, s.Amount)
	b = appendText(b, `,"currency":`, s.Amount.Currency().String())
	b = appendTextOrNull(b, `,"rule_id":`, s.Rule.ID)
	b = appendIntegerOrNull(b, `,"rule_version":`, s.Rule.Version)
	b = appendTextOrNull(b, `,"reverses_id":`, s.ReversesID)
	b = appendTextOrNull(b, `,"reason":`, s.Reason)
	b = appendTime(b, `,"available_at":`, s.AvailableAt)
	b = appendTime(b, `,"occurred_at":`, s.OccurredAt)
	b = appendTime(b, `,"created_at":`, s.CreatedAt)
	b = appendTime(b, `,"updated_at":`, s.UpdatedAt)
	b = appendInteger(b, `,"version":`, int64(s.Version))

	return append(b, '}')
}

// appendText appends a text, of which the database has made sure that it is UTF-8.
func appendText(b []byte, name, value string) []byte {
	b = append(b, name...)

	if !plain(value) {
		b, _ = jsontext.AppendQuote(b, value)
		return b
	}

	b = append(b, '"')
	b = append(b, value...)

	return append(b, '"')
}

// plain reports whether the text is the same in quotes.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}

	return true
}

// appendPresent appends nothing for "".
func appendPresent(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}

	return appendText(b, name, value)
}

func appendNull(b []byte, name string) []byte {
	b = append(b, name...)
	return append(b, `null`...)
}

func appendTextOrNull(b []byte, name, value string) []byte {
	if value == "" {
		return appendNull(b, name)
	}

	return appendText(b, name, value)
}

func appendInteger(b []byte, name string, value int64) []byte {
	b = append(b, name...)
	return strconv.AppendInt(b, value, 10)
}

func appendIntegerOrNull(b []byte, name string, value int) []byte {
	if value == 0 {
		return appendNull(b, name)
	}

	return appendInteger(b, name, int64(value))
}

func appendTime(b []byte, name string, value time.Time) []byte {
	b = append(b, name...)
	b = append(b, '"')
	b = value.AppendFormat(b, time.RFC3339Nano)

	return append(b, '"')
}

func appendTimeOrNull(b []byte, name string, value time.Time) []byte {
	if value.IsZero() {
		return appendNull(b, name)
	}

	return appendTime(b, name, value)
}

func appendAmount(b []byte, major, minor string, value money.Amount) []byte {
	b = append(b, major...)
	b = append(b, '"')
	b = value.Append(b)
	b = append(b, '"')

	return appendInteger(b, minor, value.Minor())
}

func appendAmountOrNull(
	b []byte,
	major, minor string,
	value money.Amount,
	currency money.Currency,
) []byte {
	if !currency.Valid() {
		return appendNull(appendNull(b, major), minor)
	}

	return appendAmount(b, major, minor, value)
}
