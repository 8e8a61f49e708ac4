package money_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/platform/money"
)

func currency(t interface{ Fatalf(string, ...any) }, code string) money.Currency {
	c, err := money.ParseCurrency(code)
	if err != nil {
		t.Fatalf("ParseCurrency(%q) = %v", code, err)
	}

	return c
}

func TestCurrencyDigits(t *testing.T) {
	t.Parallel()

	for code, digits := range map[string]int{
		"USD": 2, "EUR": 2, "JPY": 0, "KRW": 0, "ISK": 0, "VND": 0, "XOF": 0, "KWD": 3, "BHD": 3, "TND": 3, "IQD": 3, "CLF": 4, "UYW": 4,
		"MGA": 2, "MRU": 2, "HUF": 2, "IDR": 2, "UGX": 0, "UYI": 0, "CLP": 0, "COP": 2, "TWD": 2,
	} {
		if c := currency(t, code); c.Digits() != digits || c.String() != code {
			t.Errorf("%s has %d digits and reads %q, want %d", code, c.Digits(), c, digits)
		}
	}

	for _, code := range []string{"", "usd", "US", "USDX", "XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR", "XBA", "XSU", "XUA", "DEM", "ABC", "U$D", "US\x00"} {
		if _, err := money.ParseCurrency(code); !errors.Is(err, money.ErrCurrencyUnknown) {
			t.Errorf("ParseCurrency(%q) = %v, want ErrCurrencyUnknown", code, err)
		}
	}

	if money.USD() != currency(t, "USD") {
		t.Error("USD() is not what ParseCurrency returns")
	}
}

func TestAnEndedCurrencyIsInUseToItsLastDay(t *testing.T) {
	t.Parallel()

	for code, last := range map[string]time.Time{
		"HRK": time.Date(2022, 12, 31, 23, 59, 59, 0, time.UTC),
		"SLL": time.Date(2023, 12, 31, 23, 59, 59, 0, time.UTC),
		"BGN": time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC),
	} {
		if c, err := money.ParseCurrencyAt(code, last); err != nil || c != currency(t, code) {
			t.Errorf("%s on its last day: %v, %v", code, c, err)
		}

		_, err := money.ParseCurrencyAt(code, last.Add(time.Second))
		if !errors.Is(err, money.ErrCurrencyUnknown) {
			t.Errorf("%s after its last day: %v", code, err)
		}
	}

	if _, err := money.ParseCurrencyAt("USD", time.Now()); err != nil {
		t.Errorf("USD: %v", err)
	}
}

func TestNoCurrencyIsFinerThanTheFinest(t *testing.T) {
	t.Parallel()

	if c := money.Finest(); c != currency(t, c.String()) {
		t.Errorf("%s is not as it is in the table", c)
	}

	letter := func(n int) string { return string(rune('A' + n)) }
	for n := range 26 * 26 * 26 {
		c, err := money.ParseCurrency(letter(n/676) + letter(n/26%26) + letter(n%26))
		if err == nil && c.Digits() > money.Finest().Digits() {
			t.Errorf("%s has %d digits", c, c.Digits())
		}
	}
}

func TestParseMajor(t *testing.T) {
	t.Parallel()

	tests := []struct {
		text, currency string
		minor          int64
		err            error
	}{
		{text: "100.0", currency: "USD", minor: 10000},
		{text: "150", currency: "USD", minor: 15000},
		{text: "-0.05", currency: "USD", minor: -5},
		{text: "0", currency: "USD"},
		{text: "-0", currency: "USD"},
		{text: "0.000", currency: "JPY"},
		{text: "1.50000", currency: "USD", minor: 150},
		{text: "1.5e2", currency: "USD", minor: 15000},
		{text: "15E-1", currency: "USD", minor: 150},
		{text: "1e+2", currency: "JPY", minor: 100},
		{text: "1.234", currency: "KWD", minor: 1234},
		{text: "1.2345", currency: "CLF", minor: 12345},
		{text: "999999999999.9999", currency: "CLF", minor: 9999999999999999},
		{text: "999999999999.99", currency: "USD", minor: 99999999999999},
		{text: "0e99", currency: "USD"},
		{text: "1000000000000", currency: "USD", err: money.ErrAmountTooLarge},
		{text: "1e12", currency: "USD", err: money.ErrAmountTooLarge},
		{text: "1e99", currency: "USD", err: money.ErrAmountTooLarge},
		{text: "1.001", currency: "USD", err: money.ErrAmountTooPrecise},
		{text: "0.5", currency: "JPY", err: money.ErrAmountTooPrecise},
		{text: "1e-26", currency: "USD", err: money.ErrAmountTooPrecise},
		{text: "1e400", currency: "USD", err: money.ErrAmountMalformed},
		{text: strings.Repeat("1", 65), currency: "USD", err: money.ErrAmountMalformed},
	}
	for _, text := range []string{"", "NaN", "Infinity", "+1", "01", "00", ".5", "1.", "1e", "1e+", "--1", "-", "1,5", " 1", "1 ", "0x10", "1_000", "１", "null", "1.5.2", "e5"} {
		tests = append(tests, struct {
			text, currency string
			minor          int64
			err            error
		}{text: text, currency: "USD", err: money.ErrAmountMalformed})
	}

	for _, tt := range tests {
		got, err := money.ParseMajor(tt.text, currency(t, tt.currency))
		if !errors.Is(err, tt.err) || got.Minor() != tt.minor {
			t.Errorf(
				"ParseMajor(%q, %s) = %d, %v; want %d, %v",
				tt.text,
				tt.currency,
				got.Minor(),
				err,
				tt.minor,
				tt.err,
			)
		}
	}

	if _, err := money.ParseMajor("1", money.Currency{}); !errors.Is(err, money.ErrCurrencyUnknown) {
		t.Errorf("no currency: %v, want ErrCurrencyUnknown", err)
	}
}

func TestAmountString(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		minor    int64
		currency string
		want     string
	}{
		{1050, "USD", "10.50"},
		{-5, "USD", "-0.05"},
		{0, "USD", "0.00"},
		{1500, "JPY", "1500"},
		{-7, "JPY", "-7"},
		{1, "KWD", "0.001"},
		{math.MinInt64, "USD", "-92233720368547758.08"},
		{math.MaxInt64, "JPY", "9223372036854775807"},
	} {
		if got := money.FromMinor(tt.minor, currency(t, tt.currency)).String(); got != tt.want {
			t.Errorf("%d %s reads %q, want %q", tt.minor, tt.currency, got, tt.want)
		}
	}
}

func TestArithmeticNeverWraps(t *testing.T) {
	t.Parallel()
	usd := money.USD()
	most := money.FromMinor(math.MaxInt64, usd)
	least := money.FromMinor(math.MinInt64, usd)

	one := money.FromMinor(1, usd)
	if _, err := most.Add(one); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("MaxInt64 + 1: %v", err)
	}

	if _, err := least.Sub(one); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("MinInt64 - 1: %v", err)
	}

	if _, err := least.Neg(); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("-MinInt64: %v", err)
	}

	if _, err := one.Add(money.FromMinor(1, currency(t, "EUR"))); !errors.Is(err, money.ErrCurrencyMismatch) {
		t.Errorf("USD + EUR: %v", err)
	}

	rate, err := money.ParseRate("999999")
	if err != nil {
		t.Fatal(err)
	}

	if _, err := most.Decimal().Mul(
		rate.Decimal(),
	).Round(currency(t, "USD"), money.HalfEven); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("MaxInt64 × 999999: %v", err)
	}
}

func TestParseRate(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"0": "0", "0.10": "0.1", "1": "1", "1e-3": "0.001", "0.025": "0.025", "999999.999999999999": "999999.999999999999", "1.5e2": "150",
	} {
		if got, err := money.ParseRate(text); err != nil || got.String() != want {
			t.Errorf("ParseRate(%q) = %s, %v; want %s", text, got, err, want)
		}
	}

	for _, text := range []string{"", "-0.1", "1000000", "0.0000000000001", "ten", "+1", "01", "NaN", "1e-13"} {
		if _, err := money.ParseRate(text); !errors.Is(err, money.ErrRateMalformed) {
			t.Errorf("ParseRate(%q) = %v, want ErrRateMalformed", text, err)
		}
	}
}

func TestRounding(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		rate, base, currency, exact, even, up string
	}{
		{"0.1", "100.00", "USD", "10", "10.00", "10.00"},
		{"0.025", "1", "USD", "0.025", "0.02", "0.03"},
		{"0.5", "0.03", "USD", "0.015", "0.02", "0.02"},
		{"0.5", "0.01", "USD", "0.005", "0.00", "0.01"},
		{"0.5", "-0.01", "USD", "-0.005", "0.00", "-0.01"},
		{"0.5", "-0.03", "USD", "-0.015", "-0.02", "-0.02"},
		{"0.15", "5", "JPY", "0.75", "1", "1"},
		{"0.1", "25", "JPY", "2.5", "2", "3"},
		{"0.0001", "0.005", "KWD", "0.0000005", "0.000", "0.000"},
		{"0.333333333333", "999999999999.99", "USD", "333333333332.99666666666667", "333333333333.00", "333333333333.00"},
	} {
		rate, err := money.ParseRate(tt.rate)
		if err != nil {
			t.Fatal(err)
		}

		base, err := money.ParseMajor(tt.base, currency(t, tt.currency))
		if err != nil {
			t.Fatal(err)
		}

		exact := base.Decimal().Mul(rate.Decimal())
		even, err := exact.Round(base.Currency(), money.HalfEven)

		up, errUp := exact.Round(base.Currency(), money.HalfUp)
		if err != nil || errUp != nil || exact.String() != tt.exact || even.String() != tt.even ||
			up.String() != tt.up {
			t.Errorf(
				"%s × %s %s = %s, %s, %s (%v); want %s, %s, %s",
				tt.rate,
				tt.base,
				tt.currency,
				exact,
				even,
				up,
				err,
				tt.exact,
				tt.even,
				tt.up,
			)
		}
	}
}

// The reference computes with math/big.Rat and shares nothing with the code under test.
func TestMultiplicationAgainstRationals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := currency(
			t,
			rapid.SampledFrom([]string{"USD", "JPY", "KWD", "CLF"}).Draw(t, "currency"),
		)
		minor := rapid.Int64Range(-1e15, 1e15).Draw(t, "minor")
		rateText := rapid.StringMatching(`(0|[1-9][0-9]{0,2})(\.[0-9]{1,12})?`).Draw(t, "rate")
		mode := rapid.SampledFrom([]money.Rounding{money.HalfEven, money.HalfUp}).Draw(t, "mode")

		rate, err := money.ParseRate(rateText)
		if err != nil {
			t.Fatalf("ParseRate(%q): %v", rateText, err)
		}

		exact := money.FromMinor(minor, c).Decimal().Mul(rate.Decimal())

		rounded, err := exact.Round(c, mode)
		if err != nil {
			t.Fatalf("Round: %v", err)
		}

		r, _ := new(big.Rat).SetString(rateText)
		want := new(big.Rat).Mul(r, new(big.Rat).SetInt64(minor)) // in minor units

		scale := new(
			big.Rat,
		).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.Digits())), nil))
		if got, ok := new(big.Rat).SetString(exact.String()); !ok ||
			got.Mul(got, scale).Cmp(want) != 0 {
			t.Fatalf("exact %s is not %s / %s", exact, want, scale)
		}

		if ref := roundRat(want, mode); rounded.Minor() != ref {
			t.Fatalf(
				"%s × %d rounds to %d by %s, want %d",
				rateText,
				minor,
				rounded.Minor(),
				mode,
				ref,
			)
		}
	})
}

// roundRat rounds a rational to an integer: floor of the magnitude plus a decision on the rest.
func roundRat(x *big.Rat, mode money.Rounding) int64 {
	abs := new(big.Rat).Abs(x)
	floor := new(big.Int).Div(abs.Num(), abs.Denom())

	rest := new(big.Rat).Sub(abs, new(big.Rat).SetInt(floor))
	switch rest.Cmp(big.NewRat(1, 2)) {
	case 1:
		floor.Add(floor, big.NewInt(1))
	case 0:
		if mode == money.HalfUp || floor.Bit(0) == 1 {
			floor.Add(floor, big.NewInt(1))
		}
	}

	if x.Sign() < 0 {
		floor.Neg(floor)
	}

	return floor.Int64()
}

func TestParseMajorAgainstRationals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := currency(
			t,
			rapid.SampledFrom([]string{"USD", "JPY", "KWD", "CLF"}).Draw(t, "currency"),
		)
		text := rapid.StringMatching(
			`-?(0|[1-9][0-9]{0,13})(\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?`,
		).Draw(t, "text")
		got, err := money.ParseMajor(text, c)

		value, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("the reference cannot read %q", text)
		}

		minor := new(big.Rat).Mul(
			value,
			new(
				big.Rat,
			).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(c.Digits())), nil)),
		)

		limit := new(big.Rat).SetInt64(1e12)
		switch {
		case new(big.Rat).Abs(value).Cmp(limit) >= 0:
			if !errors.Is(err, money.ErrAmountTooLarge) {
				t.Fatalf("ParseMajor(%q) = %v, want too large", text, err)
			}
		case !minor.IsInt():
			if !errors.Is(err, money.ErrAmountTooPrecise) {
				t.Fatalf("ParseMajor(%q) = %v, want too precise", text, err)
			}
		default:
			if err != nil || minor.Num().Int64() != got.Minor() {
				t.Fatalf("ParseMajor(%q) = %d, %v; want %s", text, got.Minor(), err, minor.Num())
			}

			back, err := money.ParseMajor(got.String(), c)
			if err != nil || back != got {
				t.Fatalf("%q reads back as %v, %v", got, back, err)
			}
		}
	})
}

func TestDecimalAgainstRationals(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) (money.Decimal, *big.Rat) {
			minor := rapid.Int64().Draw(t, label)
			c := currency(
				t,
				rapid.SampledFrom([]string{"USD", "JPY", "KWD"}).Draw(t, label+" currency"),
			)
			d := money.FromMinor(minor, c).Decimal()
			r, _ := new(big.Rat).SetString(d.String())

			return d, r
		}
		a, x := draw("a")

		b, y := draw("b")
		for name, pair := range map[string][2]string{
			"sum":        {a.Add(b).String(), new(big.Rat).Add(x, y).FloatString(12)},
			"difference": {a.Sub(b).String(), new(big.Rat).Sub(x, y).FloatString(12)},
			"product":    {a.Mul(b).String(), new(big.Rat).Mul(x, y).FloatString(12)},
		} {
			got, ok := new(big.Rat).SetString(pair[0])

			want, _ := new(big.Rat).SetString(pair[1])
			if !ok || got.Cmp(want) != 0 {
				t.Fatalf("%s of %s and %s is %s, want %s", name, a, b, pair[0], pair[1])
			}
		}

		if a.Cmp(b) != x.Cmp(y) || a.Sign() != x.Sign() {
			t.Fatalf("%s and %s compare as %d", a, b, a.Cmp(b))
		}
	})
}
