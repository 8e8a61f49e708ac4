// Package goldentest contains cases in a readable text format, some worked out manually, and an
// oracle that computes the expected results in its own, naive way: it shares no code with the
// service. The pure decision, the service over PostgreSQL and the service behind the broker are
// compared with both, and the oracle with the manual cases.
package goldentest

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"
)

// Case is rules and events in the order of their arrival, with the expected results.
type Case struct {
	Name     string
	Rules    []Line
	Events   []Line
	Outcomes []Outcome
	// "user currency" of every account that changed → minor units earned, and the pending ones of
	// them if any: "300 pending 100"
	Balances map[string]string
}

// Rejected returns the events whose commission is rejected, with the prefix as in Event.
func (c Case) Rejected(prefix string) map[string]bool {
	out := map[string]bool{}
	for _, e := range c.Events {
		if e.Get("rejected") == "true" {
			out[prefix+e.ID] = true
		}
	}

	return out
}

// Line is a rule or an event: an id, a type, and options. The commission of an event with
// rejected=true is rejected by an operator as soon as it is created.
type Line struct {
	ID, Type string
	Options  map[string]string
}

// Outcome is the expected final result of an event. Status and Available are those of its
// commission, or empty if the case does not specify them.
type Outcome struct{ Event, Text, Status, Available string }

// Now is the time of the service's clock during the cases: what becomes available later is pending.
func Now() time.Time { return time.Date(2026, time.November, 23, 12, 0, 0, 0, time.UTC) }

// PerUser reports whether rules of the case name users. Cases with the same rules that name no
// users can share a database.
func (c Case) PerUser() bool {
	return slices.ContainsFunc(c.Rules, func(l Line) bool { return l.Get("user") != "" })
}

// Get returns an option, or "" if it is absent.
func (l Line) Get(name string) string { return l.Options[name] }

func (l Line) String() string {
	parts := []string{l.ID, l.Type}

	names := make([]string, 0, len(l.Options))
	for name := range l.Options {
		names = append(names, name)
	}

	sort.Strings(names)

	for _, name := range names {
		parts = append(parts, name+"="+l.Options[name])
	}

	return strings.Join(parts, " ")
}

// NewLine returns a line with options such as "rate=0.1".
func NewLine(id, kind string, options ...string) Line {
	l := Line{ID: id, Type: kind, Options: map[string]string{}}
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		l.Options[name] = value
	}

	return l
}

// Write writes a case in the format that Parse reads.
func (c Case) Write(w io.Writer) {
	_, _ = fmt.Fprintf(w, "case: %s\n", c.Name)
	for _, r := range c.Rules {
		_, _ = fmt.Fprintf(w, "  rule %s\n", r)
	}

	for _, e := range c.Events {
		_, _ = fmt.Fprintf(w, "  event %s\n", e)
	}

	for _, o := range c.Outcomes {
		_, _ = fmt.Fprintf(w, "  gives %s %s\n", o.Event, o.Text)
	}

	for _, key := range c.accounts() {
		_, _ = fmt.Fprintf(w, "  earned %s %s\n", key, c.Balances[key])
	}

	_, _ = fmt.Fprintln(w)
}

func (c Case) accounts() []string {
	keys := make([]string, 0, len(c.Balances))
	for key := range c.Balances {
		keys = append(keys, key)
	}

	sort.Strings(keys)

	return keys
}

// Parse reads cases.
func Parse(r io.Reader) ([]Case, error) {
	var cases []Case

	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}

		if name, ok := strings.CutPrefix(text, "case: "); ok {
			cases = append(cases, Case{Name: name, Balances: map[string]string{}})
			continue
		}

		fields := strings.Fields(text)
		if len(cases) == 0 || len(fields) < 3 {
			return nil, fmt.Errorf("line %d: %q", n, text)
		}

		if err := cases[len(cases)-1].add(fields); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}

	return cases, lines.Err()
}

func (c *Case) add(fields []string) error {
	switch fields[0] {
	case "rule":
		c.Rules = append(c.Rules, NewLine(fields[1], fields[2], fields[3:]...))
	case "event":
		c.Events = append(c.Events, NewLine(fields[1], fields[2], fields[3:]...))
	case "gives":
		c.Outcomes = append(c.Outcomes, outcome(fields[1], fields[2:]))
	case "earned":
		c.Balances[fields[1]+" "+fields[2]] = strings.Join(fields[3:], " ")
	default:
		return fmt.Errorf("unknown word %q", fields[0])
	}

	return nil
}

func outcome(event string, words []string) Outcome {
	o := Outcome{Event: event}

	var text []string
	for _, word := range words {
		if status, ok := strings.CutPrefix(word, "status="); ok {
			o.Status = status
		} else if available, ok := strings.CutPrefix(word, "available="); ok {
			o.Available = available
		} else {
			text = append(text, word)
		}
	}

	o.Text = strings.Join(text, " ")

	return o
}
