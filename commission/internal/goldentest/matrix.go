package goldentest

import (
	"fmt"
	"slices"
)

// Matrix returns the systematic cases of the golden file: each shows one thing. Solve computes
// their expected results.
func Matrix() []Case {
	return slices.Concat(
		firstRules(),
		percentages(),
		flats(),
		tiers(),
		limits(),
		precedence(),
		reversals(),
		refusals(),
	)
}

func ev(id, kind string, options ...string) Line {
	return NewLine(id, kind, append(options, "user=u")...)
}

// firstRules returns the rules of the migration.
func firstRules() []Case {
	rules := []Line{
		NewLine("purchase", "purchase", "kind=percentage", "rate=0.1"),
		NewLine("sale", "sale", "kind=percentage", "rate=0.1"),
		NewLine("view", "view", "kind=flat", "amount=0.025", "currency=USD"),
		NewLine("click", "click", "kind=flat", "amount=0.2", "currency=USD"),
		NewLine("engagement", "engagement", "kind=flat", "amount=0.75", "currency=USD"),
	}

	var out []Case
	for _, e := range []Line{
		ev("e", "purchase", "amount=100.0"), ev("e", "sale", "amount=99.95"), ev("e", "purchase", "amount=1500", "currency=JPY"), ev("e", "sale", "amount=1.005", "currency=KWD"),
		ev("e", "view"), ev("e", "click"), ev("e", "engagement"), ev("e", "lead"), ev("e", "view", "currency=EUR"), ev("e", "view", "amount=5"),
	} {
		out = append(out, Case{Name: "first rules: " + e.String(), Rules: rules, Events: []Line{e}})
	}

	return out
}

func percentages() []Case {
	var out []Case
	for _, currency := range []string{"USD", "JPY", "KWD"} {
		amounts := map[string][]string{
			"USD": {"0.05", "0.15", "33.33", "100.00", "999999999999.99"},
			"JPY": {"5", "15", "25", "3333", "999999999999"},
			"KWD": {"0.005", "0.015", "33.333", "100.000", "999999999999.999"},
		}
		for _, rate := range []string{"0.1", "0.125", "0.0333"} {
			for i, amount := range amounts[currency] {
				rounding := []string{"half_even", "half_up"}[i%2]
				rules := []Line{
					NewLine("r", "sale", "kind=percentage", "rate="+rate, "rounding="+rounding),
				}
				sale := ev("s", "sale", "amount="+amount, "currency="+currency)
				part := amounts[currency][0]
				out = append(out, Case{
					Name: fmt.Sprintf(
						"%s of %s %s, %s, taken back in three parts",
						rate,
						amount,
						currency,
						rounding,
					),
					Rules: rules,
					Events: []Line{
						sale,
						ev("a", "refund", "of=s", "amount="+part),
						ev("b", "refund", "of=s", "amount="+part, "currency="+currency),
						ev("c", "refund", "of=s"),
					},
				})
			}
		}
	}

	return out
}

func flats() []Case {
	var out []Case
	for _, amount := range []string{"0.025", "0.015", "0.2", "0.004", "7"} {
		for _, rounding := range []string{"half_even", "half_up"} {
			rules := []Line{
				NewLine(
					"r",
					"view",
					"kind=flat",
					"currency=USD",
					"amount="+amount,
					"rounding="+rounding,
				),
			}
			out = append(
				out,
				Case{
					Name:   "flat " + amount + " " + rounding,
					Rules:  rules,
					Events: []Line{ev("v", "view"), ev("w", "view")},
				},
				Case{
					Name:  "flat " + amount + " " + rounding + ", voided twice",
					Rules: rules,
					Events: []Line{
						ev("v", "view"),
						ev("x", "void", "of=v"),
						ev("y", "void", "of=v"),
					},
				},
			)
		}
	}

	return out
}

func tiers() []Case {
	var out []Case
	for _, kind := range []string{"graduated", "all_units"} {
		for _, period := range []string{"month", "lifetime"} {
			rules := []Line{
				NewLine(
					"r",
					"sale",
					"kind="+kind,
					"currency=USD",
					"period="+period,
					"tiers=0:0.05,100:0.1,1000:0.2",
				),
			}
			for name, amounts := range [][]string{
				{"100.00"},
				{"99.99", "0.01", "0.01"},
				{"60", "60", "60"},
				{"2000"},
				{"999.99", "0.02"},
			} {
				c := Case{
					Name:  fmt.Sprintf("%s by %s, %d: %v", kind, period, name, amounts),
					Rules: rules,
				}
				for i, amount := range amounts {
					c.Events = append(c.Events, ev(fmt.Sprintf("s%d", i), "sale", "amount="+amount))
				}

				out = append(out, c)
				c.Name += ", the first refunded"
				c.Events = append(
					slices.Clone(c.Events),
					ev("r", "refund", "of=s0"),
					ev("t", "sale", "amount=60"),
				)
				out = append(out, c)
			}

			out = append(
				out,
				Case{
					Name:  kind + " by " + period + ", over the turn of the month",
					Rules: rules,
					Events: []Line{
						ev("a", "sale", "amount=1500", "at=2026-11-30T23:00:00Z"),
						ev("b", "sale", "amount=50", "at=2026-12-01T00:00:00Z"),
						ev("late", "sale", "amount=50", "at=2026-11-30T23:30:00Z"),
						ev("c", "refund", "of=a", "at=2026-12-02T00:00:00Z", "amount=1450"),
						ev("d", "sale", "amount=60", "at=2026-11-30T23:40:00Z"),
					},
				},
			)
		}
	}

	return out
}

func limits() []Case {
	var out []Case
	for _, span := range []string{"day", "month", "lifetime"} {
		rules := []Line{
			NewLine("r", "sale", "kind=percentage", "rate=0.1", "currency=USD", "cap=10/"+span),
		}
		for i, amounts := range [][]string{{"99.99"}, {"100", "1"}, {"60", "60", "60"}, {"500"}} {
			c := Case{Name: fmt.Sprintf("cap of 10 a %s: %v", span, amounts), Rules: rules}
			for j, amount := range amounts {
				c.Events = append(
					c.Events,
					ev(
						fmt.Sprintf("s%d", j),
						"sale",
						"amount="+amount,
						fmt.Sprintf("at=2026-11-1%dT00:00:00Z", j*(i%2)),
					),
				)
			}

			out = append(out, c)
			c.Name += ", the first refunded by 50 and one more sold"
			c.Events = append(
				slices.Clone(c.Events),
				ev("r", "refund", "of=s0", "amount=50"),
				ev("t", "sale", "amount=60", "at=2026-11-10T00:00:00Z"),
			)
			out = append(out, c)
		}
	}

	for _, limit := range []string{"min=50", "max=4", "min=50 max=6"} {
		var options []string
		if limit == "min=50 max=6" {
			options = []string{"min=50", "max=6"}
		} else {
			options = []string{limit}
		}

		rules := []Line{
			NewLine("r", "sale", append(options, "kind=percentage", "rate=0.1", "currency=USD")...),
		}
		for _, amount := range []string{"49.99", "50.00", "100.00"} {
			out = append(
				out,
				Case{
					Name:  limit + ": " + amount,
					Rules: rules,
					Events: []Line{
						ev("s", "sale", "amount="+amount),
						ev("a", "refund", "of=s", "amount=10"),
						ev("b", "refund", "of=s", "amount=45"),
					},
				},
			)
		}
	}

	return out
}

func precedence() []Case {
	all := []Line{
		NewLine("any", "sale", "kind=percentage", "rate=0.01"),
		NewLine("high", "sale", "kind=percentage", "rate=0.02", "priority=1"),
		NewLine("product", "sale", "kind=percentage", "rate=0.03", "product=p", "priority=-5"),
		NewLine("campaign", "sale", "kind=percentage", "rate=0.04", "campaign=c", "priority=-6"),
		NewLine(
			"both",
			"sale",
			"kind=percentage",
			"rate=0.05",
			"campaign=c",
			"product=p",
			"priority=-7",
		),
		NewLine("user", "sale", "kind=percentage", "rate=0.06", "user=u", "priority=-8"),
		NewLine("euro", "sale", "kind=percentage", "rate=0.07", "currency=EUR", "priority=9"),
		NewLine(
			"promo",
			"sale",
			"kind=percentage",
			"rate=0.08",
			"priority=8",
			"from=2026-12-01T00:00:00Z",
			"to=2026-12-02T00:00:00Z",
		),
	}

	var out []Case
	for n := len(all); n > 0; n-- {
		for _, options := range [][]string{
			{},
			{"campaign=c", "product=p"},
			{"product=p"},
			{"currency=EUR"},
			{"at=2026-12-01T00:00:00Z"},
			{"at=2026-12-02T00:00:00Z"},
		} {
			if n < 6 && len(options) == 0 {
				continue
			}

			e := ev("s", "sale", append([]string{"amount=100"}, options...)...)
			out = append(
				out,
				Case{
					Name:   fmt.Sprintf("precedence among %d rules: %s", n, e),
					Rules:  all[:n],
					Events: []Line{e},
				},
			)
		}
	}

	return out
}

func reversals() []Case {
	rules := []Line{
		NewLine("r", "sale", "kind=percentage", "rate=0.125"),
		NewLine("p", "purchase", "kind=percentage", "rate=0.1"),
	}
	sale := ev("s", "sale", "amount=33.33", "order=o1")

	var out []Case
	for _, kind := range []string{"refund", "void", "chargeback"} {
		for name, events := range map[string][]Line{
			"a whole":           {sale, ev("a", kind, "of=s")},
			"b by order":        {sale, ev("a", kind, "order=o1")},
			"c before its sale": {ev("a", kind, "of=s"), sale},
			"d before its sale, by order": {
				ev("a", kind, "order=o1", "amount=10"), ev("b", kind, "order=o1", "amount=5"),
				sale,
			},
			"e twice": {sale, ev("a", kind, "of=s"), ev("b", kind, "of=s")},
			"f more than there was": {
				sale, ev("a", kind, "of=s", "amount=20"), ev("b", kind, "of=s", "amount=20"),
				ev("c", kind, "of=s", "amount=20"),
			},
			"g the same event again": {
				sale, ev("a", kind, "of=s", "amount=10"), ev("a", kind, "of=s", "amount=10"),
				sale,
			},
			"h of a reversal":          {sale, ev("a", kind, "of=s", "amount=10"), ev("b", kind, "of=a")},
			"i unknown":                {ev("a", kind, "of=nothing")},
			"j names nothing":          {sale, ev("a", kind)},
			"k in another currency":    {sale, ev("a", kind, "of=s", "amount=10", "currency=EUR")},
			"l of somebody else":       {sale, NewLine("a", kind, "user=v", "of=s")},
			"m of what earned nothing": {ev("l", "lead"), ev("a", kind, "of=l")},
			"n of a duplicate order": {
				sale, ev("t", "sale", "amount=10", "order=o1"), ev("a", kind, "of=t"),
				ev("b", kind, "order=o1", "amount=1"),
			},
			"o of nothing": {
				sale, ev("a", kind, "of=s", "amount=0.01"), ev("b", kind, "of=s", "amount=0.01"),
				ev("c", kind, "of=s", "amount=0.01"),
			},
			"p late": {
				sale, ev("a", kind, "of=s", "amount=10", "at=2027-11-10T00:00:00Z"),
			},
		} {
			out = append(out, Case{Name: kind + " " + name, Rules: rules, Events: events})
		}
	}

	slices.SortFunc(out, func(a, b Case) int {
		if a.Name < b.Name {
			return -1
		}

		return 1
	})

	return out
}

func refusals() []Case {
	rules := []Line{NewLine("r", "sale", "kind=percentage", "rate=0.1", "currency=USD")}

	var out []Case
	for name, events := range map[string][]Line{
		"self-referral":  {ev("s", "sale", "amount=10", "self=true")},
		"no amount":      {ev("s", "sale")},
		"amount of 0":    {ev("s", "sale", "amount=0"), ev("v", "void", "of=s")},
		"other currency": {ev("s", "sale", "amount=10", "currency=EUR")},
		"no rule":        {ev("s", "purchase", "amount=10")},
		"duplicate order": {
			ev("s", "sale", "amount=10", "order=o"), ev("t", "sale", "amount=20", "order=o"),
			ev("p", "purchase", "amount=20", "order=o"),
		},
		"order of another user": {
			ev("s", "sale", "amount=10", "order=o"),
			NewLine("t", "sale", "user=v", "amount=20", "order=o"),
		},
		"order after a refusal": {
			ev("s", "sale", "amount=10", "order=o", "self=true"),
			ev("t", "sale", "amount=20", "order=o"),
		},
	} {
		out = append(out, Case{Name: "refused: " + name, Rules: rules, Events: events})
	}

	slices.SortFunc(out, func(a, b Case) int {
		if a.Name < b.Name {
			return -1
		}

		return 1
	})

	return out
}
