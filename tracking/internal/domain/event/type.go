package event

import (
	"time"

	"tributary/platform/money"
)

// Type says what happened.
type Type string

// The types.
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

// ParseType reads a type; false for anything that is none.
func ParseType(text string) (Type, bool) {
	switch t := Type(text); t {
	case View, Click, Engagement, Lead, Sale, Purchase, Refund, Void, Chargeback:
		return t, true
	}

	return "", false
}

// needsAmount tells whether the type makes no sense without an amount.
func (t Type) needsAmount() bool {
	switch t {
	case Sale, Purchase:
		return true
	case View, Click, Engagement, Lead, Refund, Void, Chargeback:
	}

	return false
}

// currency is that of an amount where the event names none: US dollars, but what takes back another
// event has that event's currency, which only commission knows; it may be any.
func (t Type) currency() money.Currency {
	switch t {
	case Refund, Void, Chargeback:
		return money.Finest()
	case View, Click, Engagement, Lead, Sale, Purchase:
	}

	return money.USD()
}

// parseCurrency reads the currency that an event of the type names. It was in use at the time of
// the event; what takes back another event may name one that has ended since.
func (t Type) parseCurrency(code string, at time.Time) (money.Currency, error) {
	switch t {
	case Refund, Void, Chargeback:
		return money.ParseCurrency(code)
	case View, Click, Engagement, Lead, Sale, Purchase:
	}

	return money.ParseCurrencyAt(code, at)
}
