// Package payment (domain) defines the command by which a user requests the payment of earned
// commission.
package payment

import (
	"fmt"
	"regexp"
	"strings"

	"tributary/bff/internal/domain/command"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// RequestType is the type of the command.
const RequestType command.Type = "payment.request"

const maxAccountDetails = 16 << 10

var methodPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// AccountDetails is the text of a JSON object that names the account to pay to. It is personal
// data: it is hidden however it is printed or logged, and only Reveal returns the text. The text is
// held by a pointer because fmt does not call the methods of unexported fields, but prints a
// pointer in them as an address.
type AccountDetails struct{ text *string }

// Reveal returns the text. It is only for the message.
func (a AccountDetails) Reveal() string {
	if a.text == nil {
		return ""
	}

	return *a.text
}

// Format hides the text from everything that fmt prints.
func (AccountDetails) Format(state fmt.State, _ rune) {
	_, _ = state.Write([]byte("[account details]"))
}

// MarshalText hides the text from logs and encoders.
func (AccountDetails) MarshalText() ([]byte, error) { return []byte("[account details]"), nil }

// Request requests a payment. The balance is not known here.
type Request struct {
	stamp   command.Stamp
	amount  money.Amount
	method  string
	details AccountDetails
}

// Input is an unchecked request.
type Input struct {
	Amount         string // major units, the text of the JSON number or string
	Currency       string // ISO 4217, in capitals
	Method         string // such as paypal: lower-case letters, digits and _, at most 64
	AccountDetails string // the text of a JSON object with at least one member
}

// NewRequest returns the command, or an error that lists every fault.
func NewRequest(stamp command.Stamp, in Input) (Request, error) {
	var faults fault.Fields

	amount := checkAmount(&faults, in)
	if !methodPattern.MatchString(in.Method) {
		faults.Add(
			"payment_method",
			fault.ErrInvalidValue,
			"must be 1 to 64 lower-case letters, digits or _, beginning with a letter",
		)
	}

	switch details := strings.TrimSpace(in.AccountDetails); {
	case details == "" || strings.TrimSpace(strings.Trim(details, "{}")) == "":
		faults.Add("account_details", fault.ErrRequired, "must name the account to pay to")
	case len(details) > maxAccountDetails:
		faults.Add("account_details", fault.ErrTooLong, "must be at most 16 KiB")
	}

	if err := faults.Err(); err != nil {
		return Request{}, err
	}

	return Request{
		stamp:   stamp,
		amount:  amount,
		method:  in.Method,
		details: AccountDetails{&in.AccountDetails},
	}, nil
}

func checkAmount(faults *fault.Fields, in Input) money.Amount {
	currency, err := money.ParseCurrency(in.Currency)
	if err != nil {
		faults.AddError("currency", err)
		return money.Amount{}
	}

	amount, err := money.ParseMajor(in.Amount, currency)
	switch {
	case err != nil:
		faults.AddError("amount", err)
	case amount.Sign() <= 0:
		faults.Add("amount", fault.ErrNotPositive, "must be greater than 0")
	}

	return amount
}

// Stamp returns the stamp of the command.
func (r Request) Stamp() command.Stamp { return r.stamp }

// Amount returns the requested amount, which is positive.
func (r Request) Amount() money.Amount { return r.amount }

// Method returns the payment method, such as paypal.
func (r Request) Method() string { return r.method }

// AccountDetails returns the account to pay to.
func (r Request) AccountDetails() AccountDetails { return r.details }
