package money_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"tributary/platform/money"
)

func TestATotalIsWrittenAsAnAmount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := currency(t, rapid.SampledFrom([]string{"JPY", "USD", "KWD", "CLF"}).Draw(t, "currency"))
		minor := rapid.Int64().Draw(t, "minor")

		amount := money.FromMinor(minor, c)
		if total := money.TotalOf(minor, c); total.String() != amount.String() ||
			total.Sign() != amount.Sign() {
			t.Fatalf("%s, want %s", total, amount)
		}
	})
}

func TestATotalGoesBeyond64Bits(t *testing.T) {
	t.Parallel()

	most := money.TotalOf(math.MaxInt64, money.USD())

	sum := most.Add(most)
	if sum.Minor() != "18446744073709551614" || sum.String() != "184467440737095516.14" {
		t.Errorf("%s, %s", sum.Minor(), sum)
	}

	read, err := money.ParseTotal("-18446744073709551614", money.USD())
	if err != nil || read.Add(sum).Sign() != 0 || sum.Sub(most).Minor() != most.Minor() {
		t.Errorf("%s, %v", read, err)
	}

	if _, err := money.ParseTotal("1.5", money.USD()); err == nil {
		t.Error("a fraction of a minor unit is read")
	}
}
