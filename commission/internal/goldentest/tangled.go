package goldentest

import (
	"fmt"
	"math/rand/v2"
)

// Tangled draws a case of few orders and rules of several versions: orders that are reported more
// than once, in one campaign or in several, and reversed by order, by any of their events, or by
// another reversal; versions that add tiers and caps or change their periods. The same seed draws
// the same case.
func Tangled(seed uint64) Case {
	g := generator{rand.New(rand.NewPCG(seed, 20261126))} //nolint:gosec // repeatable on purpose
	c := Case{Name: fmt.Sprintf("tangled %d", seed)}

	for i, kind := range []string{"sale", "purchase"} {
		g.versions(&c, fmt.Sprintf("rule%d", i), kind)
	}

	var sent, taken []string
	for i := range 2 + g.IntN(9) {
		id := fmt.Sprintf("e%d", i)
		if len(sent) > 0 && g.IntN(3) == 0 {
			id = fmt.Sprintf("r%d", i)
			c.Events = append(c.Events, g.reversal(id, append(sent, taken...)))
			taken = append(taken, id)

			continue
		}

		c.Events = append(c.Events, NewLine(
			id,
			g.one("sale", "sale", "purchase"),
			g.named("user=u", "amount="+g.major(g.Int64N(9_000), "USD"), g.at())...,
		))
		sent = append(sent, id)
	}

	g.Shuffle(len(c.Events), func(i, j int) {
		if g.IntN(2) == 0 {
			c.Events[i], c.Events[j] = c.Events[j], c.Events[i]
		}
	})

	return c
}

// named adds an order, and a campaign, to most events.
func (g generator) named(options ...string) []string {
	if g.IntN(4) > 0 {
		options = append(options, "order="+g.one("o", "o", "p"))
	}

	if g.IntN(3) == 0 {
		options = append(options, "campaign="+g.one("c1", "c2"))
	}

	return options
}

// reversal draws a reversal of an order, of one of the events, or of an unknown one.
func (g generator) reversal(id string, events []string) Line {
	options := g.named("user=u", g.at())
	if g.IntN(2) == 0 {
		options = append(options, "of="+g.one(append(events, id, "nothing")...))
	}

	if g.IntN(3) == 0 {
		options = append(options, "amount="+g.major(1+g.Int64N(6_000), "USD"))
	}

	return NewLine(id, g.one("refund", "void", "chargeback"), options...)
}

// versions draws one to three versions of a rule, each from a later day on.
func (g generator) versions(c *Case, id, kind string) {
	for version := range 1 + g.IntN(3) {
		options := []string{"currency=USD"}
		if version > 0 {
			from := fmt.Sprintf("from=2026-%02d-%02dT00:00:00Z", 11+g.IntN(2), 1+g.IntN(28))
			options = append(options, fmt.Sprintf("version=%d", version+1), from)
		}

		switch g.IntN(4) {
		case 0, 1:
			options = append(options, "kind=percentage", "rate="+g.one("0.1", "0.0333"))
		case 2:
			options = append(
				options,
				"kind=graduated",
				"period="+g.one("month", "lifetime"),
				"tiers="+g.one("0:0,50:0.1", "0:0.01,50:0.075"),
			)
		case 3:
			options = append(
				options,
				"kind=all_units",
				"period="+g.one("month", "lifetime"),
				"tiers=0:"+g.one("0", "0.01")+",50:0.1",
			)
		}

		if g.IntN(2) == 0 {
			options = append(options, "cap="+g.one("3/day", "5/month", "8/lifetime"))
		}

		if g.IntN(4) == 0 {
			options = append(options, "min=20")
		}

		c.Rules = append(c.Rules, NewLine(id, kind, options...))
	}
}
