package querytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// publish puts the first version of a rule for leads in force, which is of id 1.
func (w World) publish(t *testing.T) {
	t.Helper()

	tenth, err := money.ParseRate("0.1")
	if err != nil {
		t.Fatal(err)
	}

	if err := w.Rules.PublishRule(
		t.Context(),
		by("operator", noon()),
		func(set *rule.Set) (rule.Rule, change.Outcome, error) {
			made, err := set.Next(
				rule.Snapshot{
					Name:     "test",
					Scope:    rule.Scope{EventType: eventtype.Lead},
					Formula:  rule.Percentage{Rate: tenth},
					Rounding: money.HalfEven,
					Priority: 77,
				},
				rule.Publication{NewID: id(1), Now: noon()},
			)

			return made, change.Outcome{}, err
		},
	); err != nil {
		t.Fatal(err)
	}
}

func revisions(t *testing.T, w World) {
	w.decide(t, sale("e1", "u", minute(1)))

	decided, err := w.Reader.Decision(t.Context(), only("u"), "e1")
	if err != nil {
		t.Fatal(err)
	}

	first := decided.Revision
	w.publish(t)

	if err := w.Rules.RetireRule(
		t.Context(),
		by("operator", minute(2)),
		func(set *rule.Set) (rule.Rule, change.Outcome, error) {
			retired, err := set.Retire(id(1), minute(3))
			return retired, change.Outcome{}, err
		},
	); err != nil {
		t.Fatal(err)
	}

	// the newest first: no set in memory is the one that is wanted
	for back, want := range []string{"1 false", "1 true", ""} {
		revision := first + 2 - int64(back)

		set, err := w.Explanation.RulesAt(t.Context(), revision)
		if err != nil {
			t.Fatal(err)
		}

		var got []string
		for _, version := range set.Versions(id(1)) {
			s := version.Snapshot()
			got = append(got, fmt.Sprint(s.Version, " ", s.RetiredAt.IsZero()))
		}

		if text := strings.Join(got, ", "); text != want || set.Revision() != revision {
			t.Errorf("revision %d is %d with %q, want %q", revision, set.Revision(), text, want)
		}

		if _, found := set.Find(decided.Rule); !found {
			t.Errorf("revision %d has not the rule that was applied", revision)
		}
	}
}

func histories(t *testing.T, w World) {
	for n, subject := range []string{
		"commission a", "commission b", "payout a", "commission a",
	} {
		of, subjectID, _ := strings.Cut(subject, " ")
		if err := w.Journal.Note(t.Context(), by("operator", minute(n)), change.Record{
			Action:      fmt.Sprint("act", n),
			SubjectType: of,
			SubjectID:   subjectID,
		}, nil); err != nil {
			t.Fatal(err)
		}
	}

	for subject, want := range map[string]string{
		"commission a": "act0 act3",
		"commission b": "act1",
		"payout a":     "act2",
		"payout b":     "",
	} {
		of, subjectID, _ := strings.Cut(subject, " ")

		found, err := w.Explanation.History(t.Context(), of, subjectID)
		if err != nil {
			t.Fatal(err)
		}

		var got []string
		for _, record := range found {
			got = append(got, record.Action)
		}

		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: %q, want %q", subject, text, want)
		}
	}
}

// names returns the ids of events, sorted.
func names(events []event.Event) string {
	var list []string
	for _, e := range events {
		list = append(list, e.ID())
	}

	slices.Sort(list)

	return strings.Join(list, " ")
}

func knownEvents(t *testing.T, w World) {
	sold := sale("e1", "u", minute(1))
	w.decide(t, sold)
	w.Decide(t, refund("e2", event.Snapshot{ID: "unknown", UserID: "u"}, "1.00", minute(2)))
	w.decide(t, refund("e3", sold, "20.00", minute(3)))
	w.decide(t, sale("e4", "v", minute(3)))

	view := sale("e5", "u", minute(4))
	view.Type = eventtype.View
	view.Amount = ""
	w.Decide(t, view)

	for name, c := range map[string]struct {
		owner query.Owner
		known time.Time
		want  string
	}{
		"u":           {only("u"), minute(4), "e1 e2 e3 e5"},
		"u, by 3":     {only("u"), minute(3), "e1 e2 e3"},
		"u, before 3": {only("u"), minute(3).Add(-time.Microsecond), "e1 e2"},
		"u, before":   {only("u"), noon(), ""},
		"v":           {only("v"), minute(4), "e4"},
		"nobody":      {only("nobody"), minute(4), ""},
		"a stranger":  {query.Owner{}, minute(4), ""},
		"everyone":    {everyone(), minute(4), ""},
	} {
		found, err := w.Explanation.EventsOf(t.Context(), c.owner, c.known)
		if got := names(found); got != c.want || err != nil {
			t.Errorf("events of %s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

// adjustment returns the adjustment of the event.
func (w World) adjustment(t *testing.T, eventID string) commission.Snapshot {
	t.Helper()

	found, err := w.Reader.List(
		t.Context(),
		everyone(),
		query.CommissionFilter{Kind: "adjustment"},
		query.Slice{Limit: 100},
	)
	if err != nil {
		t.Fatal(err)
	}

	i := slices.IndexFunc(found, func(c commission.Snapshot) bool { return c.EventID == eventID })
	if i < 0 {
		t.Fatalf("%s has no adjustment", eventID)
	}

	return found[i]
}

// What happens after the replay is not in what it followed from.
func derivations(t *testing.T, w World) {
	sold := sale("e1", "u", minute(1))
	sold.OrderID = "o"
	again := sale("e2", "u", minute(2))
	again.OrderID = "o"

	earned := w.decide(t, sold)
	w.Decide(t, again)
	w.decide(t, refund("e3", sold, "20.00", minute(3)))
	other := w.decide(t, sale("e4", "u", minute(4)))
	rejected := w.decide(t, sale("e5", "u", minute(5)))
	w.decide(t, sale("e6", "v", minute(5)))
	w.act(t, rejected.ID, commission.Reject, minute(6))
	w.hold(t, earned.ID, minute(6))
	w.Replay(t, minute(7))
	w.decide(t, refund("e7", sold, "10.00", minute(8)))
	w.act(t, other.ID, commission.Reject, minute(9))
	w.act(t, earned.ID, commission.Release, minute(9))

	made := w.adjustment(t, "e1")

	b, err := w.Explanation.Before(t.Context(), made)
	if err != nil {
		t.Fatal(err)
	}

	if made.Amount.Minor() != 800 || !b.Known.Equal(minute(7)) || b.Replay.ID != made.ReplayID ||
		b.Replay.ID == "" || b.Rules.Revision() != b.Replay.Revision {
		t.Errorf("%+v of %+v", b, made)
	}

	var posted []string
	for _, c := range b.Posted {
		posted = append(posted, fmt.Sprint(c.EventID, " ", c.Amount.Minor()))
	}

	if want := []string{"e1 1000", "e3 -200"}; !slices.Equal(posted, want) {
		t.Errorf("posted %q, want %q", posted, want)
	}

	if got := names(b.Related); got != "e1 e2 e3" {
		t.Errorf("related %q", got)
	}

	if !maps.Equal(b.Manual.Rejected, map[string]bool{"e5": true}) ||
		!maps.Equal(b.Manual.Keeps, map[string]bool{"e1": true, "e5": true}) {
		t.Errorf("%+v", b.Manual)
	}
}
