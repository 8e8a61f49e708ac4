package event

import (
	"time"

	"tributary/platform/money"
)

// Type is the kind of an event.
type Type string

// Event types.
const (
	View       Type = "view"
	Click      Type = "click"
	Engagement Type = "engagement"
	Lead       Type = "lead"
	Sale       Type = "sale"
	Purchase   Type = "purchase"
	Refund     Type = "refund"
	Void       Type = "void"
	Chargeback Type = "chargeback"
)

// ParseType reads a type. The bool is false if text is not a type.
func ParseType(text string) (Type, bool) {
	switch t := Type(text); t {
	case View, Click, Engagement, Lead, Sale, Purchase, Refund, Void, Chargeback:
		return t, true
	}

	return "", false
}

// needsAmount reports whether the type requires an amount.
func (t Type) needsAmount() bool {
	switch t {
	case Sale, Purchase:
		return true
	case View, Click, Engagement, Lead, Refund, Void, Chargeback:
	}

	return false
}

// currency returns the currency of an amount if the event names none: US dollars. An event that
// reverses another has that event's currency, which only commission knows, so any currency is
// possible.
func (t Type) currency() money.Currency {
	switch t {
	case Refund, Void, Chargeback:
		return money.Finest()
	case View, Click, Engagement, Lead, Sale, Purchase:
	}

	return money.USD()
}

// parseCurrency reads the currency that an event of the type names. It must be in use at the time
// of the event; an event that reverses another may name one that has ended since.
func (t Type) parseCurrency(code string, at time.Time) (money.Currency, error) {
	switch t {
	case Refund, Void, Chargeback:
		return money.ParseCurrency(code)
	case View, Click, Engagement, Lead, Sale, Purchase:
	}

	return money.ParseCurrencyAt(code, at)
}
