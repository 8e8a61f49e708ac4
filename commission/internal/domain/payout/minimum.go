package payout

import (
	"errors"
	"strings"

	"tributary/platform/money"
)

// Minimum is the smallest payout of each currency. A currency that it does not name has none.
type Minimum map[money.Currency]money.Amount

// Refuses reports whether the amount is below the minimum of its currency.
func (m Minimum) Refuses(amount money.Amount) bool {
	least, limited := m[amount.Currency()]
	return limited && amount.Minor() < least.Minor()
}

var errMinimum = errors.New("not a list of amounts by currency")

// ParseMinimum reads amounts in major units by currency, such as "USD:20.00,EUR:25.00". Each is
// positive, and a currency is named once.
func ParseMinimum(text string) (Minimum, error) {
	minimum := Minimum{}
	if text == "" {
		return minimum, nil
	}

	for part := range strings.SplitSeq(text, ",") {
		code, major, _ := strings.Cut(strings.TrimSpace(part), ":")

		currency, err := money.ParseCurrency(code)
		if err != nil {
			return nil, errMinimum
		}

		amount, err := money.ParseMajor(major, currency)
		if err != nil || amount.Sign() <= 0 {
			return nil, errMinimum
		}

		if _, twice := minimum[currency]; twice {
			return nil, errMinimum
		}

		minimum[currency] = amount
	}

	return minimum, nil
}
