package event

import (
	"time"

	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// currencyOf returns the currency of an amount if an event of the type names none: US dollars. An
// event that reverses another has that event's currency, which only commission knows, so any
// currency is possible.
func currencyOf(t eventtype.Type) money.Currency {
	if t.Reverses() {
		return money.Finest()
	}

	return money.USD()
}

// parseCurrency reads the currency that an event of the type names. It must be in use at the time
// of the event; an event that reverses another may name one that has ended since.
func parseCurrency(t eventtype.Type, code string, at time.Time) (money.Currency, error) {
	if t.Reverses() {
		return money.ParseCurrency(code)
	}

	return money.ParseCurrencyAt(code, at)
}
