package goldentest_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/commission/internal/goldentest"
)

// results are the answers and balances of a case.
type results struct {
	answers  map[string]answer // by event
	balances map[string]string // as in goldentest.Case
}

// answer is the result of an event; status and available are those of its commission, or "" if the
// way of deciding does not show them.
type answer struct{ text, status, available string }

func answerOf(outcome, reason string, minor int64) answer {
	if minor == 0 {
		return answer{text: outcome + " " + reason}
	}

	return answer{text: fmt.Sprintf("%s %s %d", outcome, reason, minor)}
}

func balance(earned, pending int64) string {
	if pending == 0 {
		return fmt.Sprint(earned)
	}

	return fmt.Sprintf("%d pending %d", earned, pending)
}

// pure runs a case through the pure function, in the order of arrival.
func pure(t *testing.T, c goldentest.Case) results {
	t.Helper()

	var rules []rule.Rule
	for _, l := range c.Rules {
		r, err := goldentest.Rule(l, "")
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}

		rules = append(rules, r)
	}

	var events []event.Event
	for _, l := range c.Events {
		e, err := goldentest.Event(l, "")
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}

		events = append(events, e)
	}

	got := results{answers: map[string]answer{}, balances: map[string]string{}}
	earned := map[string]int64{}
	pending := map[string]int64{}
	waits := map[string]bool{}

	decisions := decision.RunInOrder(events, rule.NewSet(1, rules), c.Rejected(""))
	for _, d := range decisions {
		a := answerOf(string(d.Outcome), string(d.Reason), d.Amount.Minor())
		if d.Earned() {
			a.available = d.AvailableAt.Format(time.RFC3339)
			waits[d.Event.ID()] = d.AvailableAt.After(goldentest.Now())
		}

		got.answers[d.Event.ID()] = a
	}

	for _, d := range decisions {
		key := d.Event.UserID() + " " + d.Currency.String()
		if d.Outcome != decision.Commissioned {
			continue
		}

		if c.Rejected("")[d.OriginalEventID()] {
			earned[key] += 0 // the account exists nevertheless
			continue
		}

		earned[key] += d.Amount.Minor()
		if waits[d.OriginalEventID()] {
			pending[key] += d.Amount.Minor()
		}
	}

	for key, sum := range earned {
		got.balances[key] = balance(sum, pending[key])
	}

	return got
}

// compare compares all results: an unexpected event is as wrong as a missing one.
func compare(t *testing.T, c goldentest.Case, got results) bool {
	t.Helper()
	ok := true

	wrong := func(format string, args ...any) {
		ok = false
		t.Errorf("%s: %s", c.Name, fmt.Sprintf(format, args...))
	}
	for _, want := range c.Outcomes {
		a := got.answers[want.Event]
		if a.text != want.Text {
			wrong("%s returns %q, want %q", want.Event, a.text, want.Text)
		}

		if a.status != "" && want.Status != "" && a.status != want.Status {
			wrong("the commission of %s is %s, want %s", want.Event, a.status, want.Status)
		}

		if a.available != "" && want.Available != "" && a.available != want.Available {
			wrong(
				"the commission of %s is available at %s, want %s",
				want.Event,
				a.available,
				want.Available,
			)
		}
	}

	if len(got.answers) != len(c.Outcomes) {
		wrong("%d decisions, want %d: %v", len(got.answers), len(c.Outcomes), got.answers)
	}

	if !maps.Equal(got.balances, c.Balances) {
		wrong("earned %v, want %v", got.balances, c.Balances)
	}

	return ok
}

func TestTenThousandRandomCasesAgainstTheOracle(t *testing.T) {
	t.Parallel()

	failed := 0
	for seed := range uint64(10_000) {
		for _, c := range []goldentest.Case{goldentest.Random(seed), goldentest.Tangled(seed)} {
			if seed%2 == 1 {
				rejectSome(c, seed)
			}

			goldentest.Solve(&c)

			if !compare(t, c, pure(t, c)) {
				if failed++; failed == 5 {
					t.Fatal("enough")
				}
			}
		}
	}
}

// rejectSome marks some events that may earn, each wherever it is repeated.
func rejectSome(c goldentest.Case, seed uint64) {
	for i, first := range c.Events {
		for _, e := range c.Events[i:] {
			if e.ID == first.ID &&
				!slices.Contains([]string{"refund", "void", "chargeback"}, e.Type) &&
				(seed/2+uint64(i))%4 == 0 {
				e.Options["rejected"] = "true"
			}
		}
	}
}

// all returns the cases of the golden file as the generator and the oracle create them.
func all() []goldentest.Case {
	cases := goldentest.Matrix()
	for seed := range uint64(60) {
		cases = append(cases, goldentest.Random(1_000_000+seed))
	}

	for seed := range uint64(60) {
		cases = append(cases, goldentest.Tangled(1_000_000+seed))
	}

	for i := range cases {
		goldentest.Solve(&cases[i])
	}

	return cases
}

const header = `# Golden cases: rules, events in the order of their arrival, and what must come out. Made by the independent oracle of this package
# (UPDATE_GOLDEN=1 go test ./internal/goldentest) and read by people. hand.txt has cases in the same format that were worked out by hand.
#   rule NAME EVENT_TYPE options   event ID TYPE options   gives EVENT outcome reason minor-units   earned USER CURRENCY minor-units
# Of what is earned, "pending N" is not available at 2026-11-23T12:00:00Z, which the clock shows in all cases.

`

func TestTheFileIsWhatTheOracleSays(t *testing.T) {
	t.Parallel()

	var text bytes.Buffer
	text.WriteString(header)

	for _, c := range all() {
		c.Write(&text)
	}

	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile("testdata/golden.txt", text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	stored, err := os.ReadFile("testdata/golden.txt")
	if err != nil || !bytes.Equal(stored, text.Bytes()) {
		t.Errorf(
			"testdata/golden.txt is not what the oracle makes (%v): look at the difference, "+
				"then run with UPDATE_GOLDEN=1",
			err,
		)
	}
}

// parsed reads a file of at least the given number of cases.
func parsed(t *testing.T, name string, least int) []goldentest.Case {
	t.Helper()

	file, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = file.Close() }()

	cases, err := goldentest.Parse(file)
	if err != nil || len(cases) < least {
		t.Fatalf("%s: %d cases, %v", name, len(cases), err)
	}

	return cases
}

func hand(t *testing.T) []goldentest.Case {
	t.Helper()
	return parsed(t, "hand.txt", 30)
}

// golden returns the cases of both files.
func golden(t *testing.T) []goldentest.Case {
	t.Helper()
	return append(hand(t), parsed(t, "golden.txt", 250)...)
}

// The oracle must agree with the manual cases; otherwise its other results are worthless.
func TestTheOracleAgreesWithTheHand(t *testing.T) {
	t.Parallel()

	for _, want := range hand(t) {
		solved := want
		goldentest.Solve(&solved)

		got := results{answers: map[string]answer{}, balances: solved.Balances}
		for _, o := range solved.Outcomes {
			got.answers[o.Event] = answer{text: o.Text}
		}

		compare(t, want, got)
	}
}

func TestGoldenCasesThroughThePureFunction(t *testing.T) {
	t.Parallel()

	for _, c := range golden(t) {
		compare(t, c, pure(t, c))
	}
}
