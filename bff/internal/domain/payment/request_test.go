package payment_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/payment"
	"tributary/platform/fault"
)

func good() payment.Input {
	return payment.Input{
		Amount:         "150.00",
		Currency:       "USD",
		Method:         "paypal",
		AccountDetails: `{"email":"user@example.com"}`,
	}
}

// One fault at a time, with its field and code.
func TestFaults(t *testing.T) {
	t.Parallel()

	for want, change := range map[string]func(*payment.Input){
		"amount not_positive":           func(in *payment.Input) { in.Amount = "0" },
		"amount amount_malformed":       func(in *payment.Input) { in.Amount = "ten" },
		"amount amount_too_precise":     func(in *payment.Input) { in.Amount = "0.001" },
		"amount amount_too_large":       func(in *payment.Input) { in.Amount = "1000000000000" },
		"currency currency_unknown":     func(in *payment.Input) { in.Currency = "usd" },
		"payment_method invalid_value":  func(in *payment.Input) { in.Method = "Pay Pal" },
		"account_details required":      func(in *payment.Input) { in.AccountDetails = "{ }" },
		"account_details too_long":      func(in *payment.Input) { in.AccountDetails = `{"a":"` + strings.Repeat("a", 16<<10) + `"}` },
		"amount amount_malformed blank": func(in *payment.Input) { in.Amount = "" },
	} {
		in := good()
		change(&in)
		_, err := payment.NewRequest(command.Stamp{}, in)

		f, ok := fault.As(err)
		if !ok || len(f.Fields) != 1 ||
			!strings.HasPrefix(want, f.Fields[0].Field+" "+f.Fields[0].Code.Name()) {
			t.Errorf("%s: %v", want, err)
		}
	}

	_, err := payment.NewRequest(command.Stamp{}, payment.Input{})
	f, _ := fault.As(err)

	var fields []string
	for _, field := range f.Fields {
		fields = append(fields, field.Field)
	}

	if !slices.Equal(fields, []string{"currency", "payment_method", "account_details"}) {
		t.Errorf("all at once: %v", fields)
	}
}

func TestAccountDetailsDoNotPrint(t *testing.T) {
	t.Parallel()

	r, err := payment.NewRequest(command.Stamp{}, good())
	if err != nil {
		t.Fatal(err)
	}

	encoded, err := json.Marshal(map[string]any{"details": r.AccountDetails(), "request": r})
	if err != nil {
		t.Fatal(err)
	}

	text := fmt.Sprintf("%v %+v %#v %v %s", r, &r, r, r.AccountDetails(), encoded)
	if strings.Contains(text, "example") ||
		!strings.Contains(r.AccountDetails().Reveal(), "example") {
		t.Error(text)
	}
}
