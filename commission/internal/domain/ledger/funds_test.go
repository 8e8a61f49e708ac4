package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

func interval(side ledger.Side, from, to int64) ledger.Interval {
	return ledger.Interval{
		Side: side,
		From: money.TotalOf(from, money.USD()),
		To:   money.TotalOf(to, money.USD()),
	}
}

// list returns the intervals as text, debits in brackets.
func list(intervals []ledger.Interval) string {
	var texts []string
	for _, i := range intervals {
		text := i.From.Minor() + "-" + i.To.Minor()
		if i.Side == ledger.Debit {
			text = "(" + text + ")"
		}

		texts = append(texts, text)
	}

	return strings.Join(texts, " ")
}

func TestAPayoutTakesTheFirstCreditsAndAllDebits(t *testing.T) {
	t.Parallel()

	credits := []ledger.Interval{
		interval(ledger.Credit, 5, 10), // released by a payout that failed
		interval(ledger.Credit, 20, 100),
	}
	debits := []ledger.Interval{
		interval(ledger.Debit, 0, 3),
		interval(ledger.Debit, 7, 9),
	}

	for name, c := range map[string]struct {
		credits, debits []ledger.Interval
		amount          int64
		want            string
	}{
		"a part of the first":  {credits, nil, 4, "5-9"},
		"the first to its end": {credits, nil, 5, "5-10"},
		"and of the second":    {credits, nil, 6, "5-10 20-21"},
		"all":                  {credits, nil, 85, "5-10 20-100"},
		"net of debits":        {credits, debits, 1, "5-10 20-21 (0-3) (7-9)"},
		"all, net of debits":   {credits, debits, 80, "5-10 20-100 (0-3) (7-9)"},
		"more than there is":   {credits, debits, 81, ""},
		"nothing":              {credits, debits, 0, ""},
		"less than nothing":    {credits, debits, -1, ""},
		"of no funds":          {nil, nil, 1, ""},
		"in debt":              {nil, debits, 1, ""},
	} {
		taken, err := ledger.Funds{Credits: c.credits, Debits: c.debits}.Take(
			money.FromMinor(c.amount, money.USD()),
		)
		if got := list(taken); got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

// Whatever the funds are, what is taken sums to the amount and lies in them, and what is left is
// what was available less the amount.
func TestNothingIsTakenThatIsNotFree(t *testing.T) {
	t.Parallel()

	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 1))
		side := func(side ledger.Side) (list []ledger.Interval, sum int64) {
			at := int64(0)
			for range random.IntN(5) {
				from := at + random.Int64N(20)
				to := from + 1 + random.Int64N(50)
				list = append(list, interval(side, from, to))
				sum += to - from
				at = to + 1
			}

			return list, sum
		}

		credits, creditSum := side(ledger.Credit)
		debits, debitSum := side(ledger.Debit)
		funds := ledger.Funds{Credits: credits, Debits: debits}
		available := creditSum - debitSum

		if got := funds.Available().Minor(); got != fmt.Sprint(available) {
			t.Fatalf("seed %d: available %s, want %d", seed, got, available)
		}

		if available <= 0 {
			continue
		}

		amount := 1 + random.Int64N(available)

		taken, err := funds.Take(money.FromMinor(amount, money.USD()))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}

		var of ledger.Funds
		for i, x := range taken {
			if x.Side == ledger.Debit {
				of.Debits = append(of.Debits, x)
				continue
			}

			of.Credits = append(of.Credits, x)
			if x.From.Cmp(credits[i].From) != 0 || x.To.Cmp(credits[i].To) > 0 {
				t.Errorf("seed %d: took %s of %s", seed, list(taken), list(credits))
			}
		}

		if of.Available().Minor() != fmt.Sprint(amount) || list(of.Debits) != list(debits) {
			t.Errorf("seed %d: %s of %s %s for %d", seed, list(taken), list(credits), list(debits), amount)
		}
	}
}
