package payfile

import (
	"encoding/csv"
	"io"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// payPal is the file of PayPal's Payouts Web: no header, at most 5,000 rows of one currency, and in
// each the recipient, the amount, the currency, an id of at most 30 characters without spaces, a
// note and the wallet.
type payPal struct{}

var _ command.Format = payPal{}

const maxEmail = 127 // characters, of PayPal

var payerID = regexp.MustCompile(`^[A-Z0-9]{13}$`)

func (payPal) Name() string      { return "paypal-csv" }
func (payPal) Extension() string { return ".csv" }

// payPalCurrencies returns the currencies that PayPal pays in.
func payPalCurrencies() []string {
	return []string{
		"AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY",
		"MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD",
	}
}

// wholeOnly returns the currencies of which PayPal takes no fractions although they have some.
func wholeOnly() []string { return []string{"HUF", "TWD"} }

func (payPal) CheckBatch(b batch.Snapshot) error {
	if !slices.Contains(payPalCurrencies(), b.Currency.String()) {
		return unsuitable("PayPal does not pay in the currency of the batch.")
	}

	return nil
}

func (payPal) CheckPayment(p command.Payment, add func(field string, code *fault.FieldCode, message string)) {
	texts := p.Account.Texts
	email, id := texts["email"], texts["payer_id"]

	switch {
	case email == "" && id == "":
		add("email", fault.ErrRequired, "must be the e-mail address of a PayPal account, or payer_id be given")
	case email != "" && !isEmail(email):
		add("email", errEmail, "must be an e-mail address of at most 127 ASCII characters")
	case email == "" && !payerID.MatchString(id):
		add("payer_id", fault.ErrInvalidValue, "must be 13 capital letters and digits")
	}

	if _, whole := payPalAmount(p.Amount); !whole {
		add("", money.ErrAmountTooPrecise, "the amount must be whole: PayPal takes no fractions of this currency")
	}
}

// isEmail reports whether the text is an address that no program takes for a formula, and that a
// CSV file needs no quotes for.
func isEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Name != "" || address.Address != text || len(text) > maxEmail {
		return false
	}

	return !strings.ContainsAny(text[:1], "=+-@") && !strings.ContainsFunc(text, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`,;"'`, c)
	})
}

// payPalAmount returns the amount as PayPal reads it. The bool is false for a fraction that PayPal
// does not take.
func payPalAmount(amount money.Amount) (string, bool) {
	text := amount.String()
	if !slices.Contains(wholeOnly(), amount.Currency().String()) {
		return text, true
	}

	whole, fraction, _ := strings.Cut(text, ".")

	return whole, strings.Trim(fraction, "0") == ""
}

func (payPal) Write(w io.Writer, content command.FileContent) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true

	for _, p := range content.Payments {
		texts := p.Account.Texts

		recipient := texts["email"]
		if recipient == "" {
			recipient = texts["payer_id"]
		}

		amount, _ := payPalAmount(p.Amount)
		_ = out.Write([]string{
			recipient,
			amount,
			p.Amount.Currency().String(),
			payout.ShortReference(p.ID),
			"", // no note: PayPal writes its own
			"PAYPAL",
		})
	}

	out.Flush()

	return out.Error()
}
