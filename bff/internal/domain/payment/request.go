// Package payment (domain) holds the command by which a user asks for the payment of what it has
// earned.
package payment

import (
	"fmt"
	"regexp"
	"strings"

	"tributary/bff/internal/domain/command"
	"tributary/platform/fault"
	"tributary/platform/money"
)

const maxAccountDetails = 16 << 10

var methodPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// AccountDetails is the text of a JSON object that says where to pay to. It is personal data:
// however it is printed or logged, it shows nothing. Reveal is the only way to the text. It is held
// by a pointer because fmt does not ask unexported fields of other types how they want to be
// printed, but prints a pointer in them as an address.
type AccountDetails struct{ text *string }

// Reveal gives the text, for the message and nothing else.
func (a AccountDetails) Reveal() string {
	if a.text == nil {
		return ""
	}

	return *a.text
}

// Format keeps the text out of everything that fmt prints.
func (AccountDetails) Format(state fmt.State, _ rune) {
	_, _ = state.Write([]byte("[account details]"))
}

// MarshalText keeps the text out of logs and of every encoder.
func (AccountDetails) MarshalText() ([]byte, error) { return []byte("[account details]"), nil }

// Request asks for a payment. Whether there is enough to pay is not known here.
type Request struct {
	stamp   command.Stamp
	amount  money.Amount
	method  string
	details AccountDetails
}

// Input is what the caller says.
type Input struct {
	Amount         string // major units, the text of the JSON number or string
	Currency       string // ISO 4217, in capitals
	Method         string // such as paypal: lower-case letters, digits and _, at most 64
	AccountDetails string // the text of a JSON object with at least one member
}

// NewRequest makes the command or tells every fault.
func NewRequest(stamp command.Stamp, in Input) (Request, error) {
	var faults fault.Fields

	amount := checkAmount(&faults, in)
	if !methodPattern.MatchString(in.Method) {
		faults.Add(
			"payment_method",
			"invalid_value",
			"must be 1 to 64 lower-case letters, digits or _, beginning with a letter",
		)
	}

	switch details := strings.TrimSpace(in.AccountDetails); {
	case details == "" || strings.TrimSpace(strings.Trim(details, "{}")) == "":
		faults.Add("account_details", "required", "must say where to pay to")
	case len(details) > maxAccountDetails:
		faults.Add("account_details", "too_long", "must be at most 16 KiB")
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
		addMoney(faults, "currency", err)
		return money.Amount{}
	}

	amount, err := money.ParseMajor(in.Amount, currency)
	switch {
	case err != nil:
		addMoney(faults, "amount", err)
	case amount.Sign() <= 0:
		faults.Add("amount", "not_positive", "must be greater than 0")
	}

	return amount
}

func addMoney(faults *fault.Fields, field string, err error) {
	if e, ok := money.AsError(err); ok {
		faults.Add(field, e.Code, e.Message)
		return
	}

	faults.Add(field, "invalid_value", "cannot be read")
}

// Stamp identifies the command.
func (r Request) Stamp() command.Stamp { return r.stamp }

// Amount is what is asked for, positive.
func (r Request) Amount() money.Amount { return r.amount }

// Method is how to pay, such as paypal.
func (r Request) Method() string { return r.method }

// AccountDetails says where to pay to.
func (r Request) AccountDetails() AccountDetails { return r.details }
