package goldentest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Random draws a case: some rules, some users, sales and their reversals, out of order and
// repeated. The same seed draws the same case.
func Random(seed uint64) Case {
	g := generator{rand.New(rand.NewPCG(seed, 20261123))} //nolint:gosec // repeatable on purpose
	c := Case{Name: fmt.Sprintf("random %d", seed)}
	g.rules(&c)

	for i := range 1 + g.IntN(12) {
		g.events(&c, i)
	}

	g.Shuffle(len(c.Events), func(i, j int) {
		if g.IntN(3) == 0 {
			c.Events[i], c.Events[j] = c.Events[j], c.Events[i]
		}
	})

	for range g.IntN(3) {
		c.Events = append(c.Events, c.Events[g.IntN(len(c.Events))])
	}

	return c
}

type generator struct{ *rand.Rand }

func (g generator) one(of ...string) string { return of[g.IntN(len(of))] }

func (g generator) major(minor int64, currency string) string {
	d := digits(currency)

	text := fmt.Sprintf("%0*d", d+1, minor)
	if d == 0 {
		return text
	}

	return text[:len(text)-d] + "." + text[len(text)-d:]
}

// rules draws rules that cannot tie: each has a priority of its own.
func (g generator) rules(c *Case) {
	for i := range 1 + g.IntN(5) {
		currency := g.one("USD", "USD", "USD", "JPY", "KWD")

		options := []string{"currency=" + currency, fmt.Sprintf("priority=%d", i)}
		switch g.IntN(4) {
		case 0:
			options = append(options, "kind=flat", "amount="+g.one("0.025", "1", "0.75", "12.3456"))
		case 1:
			options = append(
				options,
				"kind=percentage",
				"rate="+g.one("0", "0.1", "0.125", "0.0333", "1", "0.005"),
			)
		case 2:
			options = append(
				options,
				"kind=graduated",
				"period="+g.one("month", "lifetime"),
				"tiers=0:"+g.one("0.01", "0.1")+",50:0.075,200.5:0.2",
			)
		case 3:
			options = append(
				options,
				"kind=all_units",
				"period="+g.one("month", "lifetime"),
				"tiers=0:0.01,50:0.075,200:0.2",
			)
		}

		if currency == "JPY" {
			options[len(options)-1] = strings.ReplaceAll(options[len(options)-1], "200.5", "201")
		}

		for _, extra := range []string{
			"min=" + g.one("5", "20"), "max=" + g.one("1", "15"), "cap=" + g.one("3/day", "10/month", "25/lifetime"), "user=u1", "campaign=c1", "product=p1",
			"rounding=half_up", "from=2026-11-05T00:00:00Z", "to=2026-11-25T00:00:00Z",
		} {
			if g.IntN(9) == 0 {
				options = append(options, extra)
			}
		}

		c.Rules = append(
			c.Rules,
			NewLine(
				fmt.Sprintf("rule%d", i),
				g.one("sale", "sale", "purchase", "view"),
				options...),
		)
	}
}

func (g generator) at() string {
	return fmt.Sprintf("at=2026-%02d-%02dT%02d:00:00Z", 11+g.IntN(2), 1+g.IntN(28), g.IntN(24))
}

func (g generator) events(c *Case, i int) {
	currency, user := g.one("USD", "USD", "JPY", "KWD"), g.one("u1", "u2")
	id, order := fmt.Sprintf("e%d", i), fmt.Sprintf("o%d", g.IntN(10))
	kind := g.one("sale", "sale", "sale", "purchase", "purchase", "view", "lead")

	options := []string{"user=" + user, "currency=" + currency, g.at()}
	if kind == "sale" || kind == "purchase" {
		options = append(options, "amount="+g.major(g.Int64N(40_000), currency))
		if g.IntN(3) == 0 {
			options = append(options, "order="+order)
		}
	}

	for _, extra := range []string{"campaign=c1", "product=p1"} {
		if g.IntN(3) == 0 {
			options = append(options, extra)
		}
	}

	if g.IntN(20) == 0 {
		options = append(options, "self=true")
	}

	c.Events = append(c.Events, NewLine(id, kind, options...))
	for j := range g.IntN(4) {
		options := []string{"user=" + user, g.at()}
		switch g.IntN(8) {
		case 0:
			options = append(options, "order="+order)
		case 1:
			options = append(options, "of=nothing")
		default:
			options = append(options, "of="+id)
		}

		if g.IntN(2) == 0 {
			options = append(
				options,
				"amount="+g.major(1+g.Int64N(20_000), currency),
				"currency="+currency,
			)
		}

		c.Events = append(
			c.Events,
			NewLine(fmt.Sprintf("r%d.%d", i, j), g.one("refund", "void", "chargeback"), options...),
		)
	}
}
