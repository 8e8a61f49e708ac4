package strictjson_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"tributary/platform/strictjson"
)

func TestCanonicalIsOneTextForEqualValues(t *testing.T) {
	t.Parallel()

	for name, values := range map[string][]string{
		"amount": {`100`, `100.0`, `100.00`, `1e2`, `1E+2`, `1.00e2`, `1000e-1`, `10000.00e-002`},
		"member": {`{"b":[0.10,{"c":-5.0}],"a":1}`, ` { "a" : 1.0, "b":[ 1e-1, {"c":-50e-1}] } `},
		"zero":   {`0`, `-0`, `0.00`, `-0e5`, `0e999999999999999999999`},
		"huge":   {`1e999999999`, `10e999999998`, `1.0e+999999999`, `0.1e1000000000`},
		"tiny":   {`1e-999999999`, `0.1e-999999998`},
		"exact":  {`0.1000000000000000055511151231257827`, `1000000000000000055511151231257827e-34`},
		"text":   {`{"a":"1.0 \" 2.0"}`, `{"a":"1.0 \u0022 2.0"}`},
		"beyond": {`1e99999999999999999999`},
	} {
		want, err := strictjson.Canonical([]byte(values[0]))
		if err != nil {
			t.Fatal(err)
		}

		for _, value := range values[1:] {
			got, err := strictjson.Canonical([]byte(value))
			if err != nil || string(got) != string(want) {
				t.Errorf("%s: Canonical(%s) = %s, %v; want %s as of %s", name, value, got, err, want, values[0])
			}
		}

		if len(want) > 64 {
			t.Errorf("%s: canonical text of %d bytes", name, len(want))
		}
	}
}

func TestCanonicalKeepsDifferentValuesApart(t *testing.T) {
	t.Parallel()

	seen := map[string]string{}
	for _, value := range []string{
		`100`, `"100"`, `"100.0"`, `-100`, `100.01`, `1000`, `10`, `[100]`, `{"a":100}`, `0`, `null`,
		`1e999999999`, `1e999999998`, `9007199254740993`, `9007199254740992`, `0.1`,
		`0.1000000000000000055511151231257827`, `1e99999999999999999999`, `[10,0]`,
	} {
		text, err := strictjson.Canonical([]byte(value))
		if err != nil {
			t.Fatal(err)
		}

		if other, ok := seen[string(text)]; ok {
			t.Errorf("%s and %s are both %s", value, other, text)
		}

		seen[string(text)] = value
	}
}

// Two numbers have the same text if and only if they are equal as fractions.
func TestCanonicalNumbersAreEqualAsDecimals(t *testing.T) {
	t.Parallel()

	number := rapid.StringMatching(`-?(0|[1-9][0]{0,3}[0-9]?)(\.[0-9]{0,1}[0]{1,2})?([eE][+-]?[0-3])?`)
	rapid.Check(t, func(t *rapid.T) {
		one, other := number.Draw(t, "one"), number.Draw(t, "other")

		a, okA := strictjson.Number(one)

		b, okB := strictjson.Number(other)
		if !okA || !okB {
			t.Fatalf("Number refuses %s or %s", one, other)
		}

		x, _ := new(big.Rat).SetString(one)
		y, _ := new(big.Rat).SetString(other)

		if (a == b) != (x.Cmp(y) == 0) {
			t.Fatalf("Number(%s) = %s, Number(%s) = %s", one, a, other, b)
		}
	})
}

func TestNumberTakesNumbersOnly(t *testing.T) {
	t.Parallel()

	for _, text := range []string{"", " 1", "1 ", "01", "+1", ".5", "1.", "1e", "NaN", `"1"`, "1,0", "null", "0x1", "1-2"} {
		if got, ok := strictjson.Number(text); ok {
			t.Errorf("Number(%q) = %s", text, got)
		}
	}
}
