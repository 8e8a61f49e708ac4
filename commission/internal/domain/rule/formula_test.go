package rule_test

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// drawParameters returns parameters that a form takes.
func drawParameters(t *rapid.T, form rule.Form) rule.Parameters {
	share := func() money.Rate {
		return rate(rapid.SampledFrom([]string{"0", "0.05", "0.125", "0.333333", "1"}).Draw(t, "rate"))
	}

	var p rule.Parameters
	for _, name := range form.Takes {
		switch name {
		case rule.ParameterRate:
			p.Rate = new(share())
		case rule.ParameterAmount:
			p.Amount = new(share())
		case rule.ParameterPeriod:
			p.Period = rapid.SampledFrom([]rule.Period{rule.Monthly, rule.Lifetime}).Draw(t, "period")
		case rule.ParameterTiers:
			from, rates := int64(0), []money.Rate{}
			for range rapid.IntRange(1, 5).Draw(t, "tiers") {
				rates = append(rates, share())
			}

			slices.SortFunc(rates, money.Rate.Cmp)

			for _, r := range rates {
				p.Tiers = append(p.Tiers, rule.Tier{From: from, Rate: r})
				from += rapid.Int64Range(1, 10_000).Draw(t, "width")
			}
		}
	}

	return p
}

// Every formula of the table can be published, comes back from its parameters, and shows a working
// that, calculated by its text alone, returns its result.
func TestFormulas(t *testing.T) {
	t.Parallel()

	for _, form := range rule.Forms() {
		t.Run(string(form.Kind), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				p := drawParameters(t, form)

				formula := rule.NewFormula(form.Kind, p)
				if formula.Kind() != form.Kind {
					t.Fatalf("kind %q", formula.Kind())
				}

				again := formula.Parameters()
				for _, name := range rule.AllParameters() {
					if takes := slices.Contains(form.Takes, name); p.Has(name) != takes ||
						again.Has(name) != takes {
						t.Fatalf("%s: takes %t, given %t, returned %t", name, takes, p.Has(name), again.Has(name))
					}
				}

				r, err := rule.New(rule.Snapshot{
					Name:          "x",
					Scope:         rule.Scope{EventType: eventtype.Sale},
					Currency:      money.USD(),
					Formula:       formula,
					EffectiveFrom: epoch(),
				})
				if err != nil {
					t.Fatal(err)
				}

				working, err := r.Commission(rule.Input{
					Base:     money.FromMinor(rapid.Int64Range(0, 50_000).Draw(t, "base"), money.USD()),
					Position: rapid.Int64Range(0, 50_000).Draw(t, "position"),
				})
				if err != nil {
					t.Fatal(err)
				}

				text := working.Calculation()
				if got := calculate(text); got.Cmp(working.Unrounded) != 0 {
					t.Fatalf("%s is %s, the result %s", text, got, working.Unrounded)
				}

				if working.Result.Sign() < 0 {
					t.Fatalf("%s earns %s", text, working.Result)
				}
			})
		})
	}
}

// calculate reads a working: products, sums in parentheses, and differences of them.
func calculate(text string) money.Decimal {
	var total money.Decimal
	for i, term := range strings.Split(text, " − ") {
		var sum money.Decimal
		for part := range strings.SplitSeq(strings.Trim(term, "()"), " + ") {
			sum = sum.Add(multiply(part))
		}

		if i == 0 {
			total = sum
		} else {
			total = total.Sub(sum)
		}
	}

	return total
}

func multiply(text string) money.Decimal {
	amount, share, isProduct := strings.Cut(text, " × ")

	value := rate(cmp.Or(amount, "missing")).Decimal()
	if isProduct {
		value = value.Mul(rate(share).Decimal())
	}

	return value
}

func TestNoFormulaOfAnUnknownKind(t *testing.T) {
	t.Parallel()

	if f := rule.NewFormula("other", rule.Parameters{}); f != nil {
		t.Errorf("%v", f)
	}
}

// The documentation has an example of each kind, and its meaning.
func TestFormulasAreDocumented(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile("../../../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}

	for _, form := range rule.Forms() {
		row := "| `" + string(form.Kind) + "` | " + form.Meaning + " |"

		example := `"kind": "` + string(form.Kind) + `"`
		if !strings.Contains(string(text), row) || !strings.Contains(string(text), example) {
			t.Errorf("docs/rules.md must have an example with %s and the row\n%s", example, row)
		}
	}
}
