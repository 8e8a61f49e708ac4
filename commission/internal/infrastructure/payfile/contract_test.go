package payfile_test

import (
	"testing"

	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/infrastructure/payfile"
	"tributary/platform/money"
)

func TestEveryFormatKeepsTheContract(t *testing.T) {
	t.Parallel()

	worlds := map[string]func(t *testing.T) commandtest.FormatWorld{
		"paypal-csv": payPalWorld,
		"pain.001":   painWorld,
		"csv":        generalWorld,
	}

	for _, f := range payfile.Formats(payer(t), noon().Location()) {
		t.Run(f.Name(), func(t *testing.T) {
			t.Parallel()

			commandtest.FormatSuite(t, func(t *testing.T) commandtest.FormatWorld {
				t.Helper()

				world, known := worlds[f.Name()]
				if !known {
					t.Fatal("the format has no world")
				}

				w := world(t)
				w.Format = f

				return w
			})
		})
	}
}

func payPalWorld(t *testing.T) commandtest.FormatWorld {
	t.Helper()

	usd := money.USD()

	return commandtest.FormatWorld{
		Content: content(
			usd,
			payment(t, 1, money.FromMinor(1500, usd), `{"email":"a@example.com"}`),
			payment(t, 2, money.FromMinor(1, usd), `{"payer_id":"ABCDEFGH12345"}`),
			payment(t, 3, money.FromMinor(99, usd), `{"email":"b@example.com"}`),
		),
		Reference:  payout.ShortReference,
		Unsuitable: []money.Currency{currency(t, "KWD"), currency(t, "CLF")},
		Faulty: map[string]map[string]string{
			"email":    {"email": "nobody at all"},
			"payer_id": {"payer_id": "a short one"},
		},
	}
}

func painWorld(t *testing.T) commandtest.FormatWorld {
	t.Helper()

	eur := currency(t, "EUR")

	return commandtest.FormatWorld{
		Content: content(
			eur,
			payment(t, 1, money.FromMinor(1500, eur), `{"name":"A","iban":"`+iban+`"}`),
			payment(t, 2, money.FromMinor(1, eur), `{"name":"B","iban":"`+iban+`","bic":"COBADEFF"}`),
			payment(t, 3, money.FromMinor(99, eur), `{"name":"C","iban":"`+iban+`"}`),
		),
		Reference:  payout.Reference,
		Unsuitable: []money.Currency{money.USD(), currency(t, "CHF")},
		Faulty: map[string]map[string]string{
			"name":          {"name": "Γιώργος", "iban": iban},
			"iban":          {"name": "A. Holder", "iban": "DE89370400440532013001"},
			"bic":           {"name": "A. Holder", "iban": iban, "bic": "COBADEFFX"},
			"name iban bic": {"name": "Γιώργος", "iban": "no account", "bic": "no bank"},
		},
	}
}

func generalWorld(t *testing.T) commandtest.FormatWorld {
	t.Helper()

	jpy := currency(t, "JPY")

	return commandtest.FormatWorld{
		Content: content(
			jpy,
			payment(t, 1, money.FromMinor(1500, jpy), `{"wallet":"a"}`),
			payment(t, 2, money.FromMinor(1, jpy), `{"wallet":"b;c"}`),
			payment(t, 3, money.FromMinor(99, jpy), `{}`),
		),
		Reference: func(id string) string { return id },
	}
}
