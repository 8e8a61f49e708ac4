package replaytest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/application/replay"
	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
)

// StoreSuite tests the contract of replay.Store. open returns an empty world.
func StoreSuite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"a period has an extent":                 counts,
		"users of a period are read in pages":    users,
		"users are selected at one time":         selections,
		"a history has what was decided":         histories,
		"too many decisions are not read":        limits,
		"a step is posted":                       postings,
		"an error posts nothing":                 postingErrors,
		"another process posts nothing":          lostPostings,
		"differences are numbered through":       numbers,
		"a step of no users advances the replay": emptySteps,
		"a history is read in parts":             parts,
		"a step is posted in parts":              postingsInParts,
		"an error posts no part":                 partErrors,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// populate decides four events of three users: one event is after November.
func (w World) populate(t *testing.T) {
	t.Helper()
	w.Decide(t, "u", "e1", november().From)
	w.Decide(t, "u", "e2", november().To.Add(-time.Microsecond))
	w.Decide(t, "v", "e3", noon())
	w.Decide(t, "U", "e4", noon()) // before u, by the bytes
	w.Decide(t, "w", "e5", november().To)
}

func counts(t *testing.T, w World) {
	if size, err := w.Store.Count(t.Context(), november()); size != (domain.Size{}) || err != nil {
		t.Errorf("of nothing: %+v, %v", size, err)
	}

	w.populate(t)

	want := domain.Size{Users: 3, Events: 4}
	if size, err := w.Store.Count(t.Context(), november()); size != want || err != nil {
		t.Errorf("%+v, %v; want %+v", size, err, want)
	}
}

func selections(t *testing.T, w World) {
	w.populate(t)

	for name, c := range map[string]struct {
		scope rule.Scope
		want  string
	}{
		"all":             {rule.Scope{}, "U 1 u 2 v 1"},
		"of a type":       {rule.Scope{EventType: eventtype.Purchase}, "U 1 u 2 v 1"},
		"of another type": {rule.Scope{EventType: eventtype.Sale}, ""},
		"of a user":       {rule.Scope{UserID: "u"}, "u 2"},
		"of a campaign":   {rule.Scope{CampaignID: "c"}, ""},
		"of a product":    {rule.Scope{ProductID: "p"}, ""},
	} {
		if text := w.selected(t, c.scope); text != c.want {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
	}
}

func users(t *testing.T, w World) {
	w.populate(t)

	var (
		got   []string
		after string
	)

	for range 3 {
		page, err := w.Store.Users(t.Context(), november(), after, 2)
		if err != nil || len(page) > 2 {
			t.Fatal(len(page), err)
		}

		for _, user := range page {
			got = append(got, fmt.Sprint(user.ID, " ", user.Events))
			after = user.ID
		}
	}

	if text, want := strings.Join(got, " "), "U 1 u 2 v 1"; text != want {
		t.Errorf("%q, want %q", text, want)
	}
}

// selected returns the users with events in November to which a rule of the scope could apply.
func (w World) selected(t *testing.T, scope rule.Scope) string {
	t.Helper()

	var got []string

	who := replay.Selection{Period: november(), Scope: scope}
	if err := w.Store.Selected(t.Context(), who, 2, func(
		page []replay.User,
		reader replay.Reader,
	) error {
		for _, user := range page {
			found, err := reader.Histories(t.Context(), []string{user.ID}, 10)
			if len(found) != 1 || err != nil || len(page) > 2 {
				t.Fatal(len(page), found, err)
			}

			got = append(got, fmt.Sprint(user.ID, " ", user.Events))
		}

		return nil
	}); err != nil {
		t.Error(err)
	}

	err := w.Store.Selected(t.Context(), who, 2, func([]replay.User, replay.Reader) error {
		return errStop
	})
	if len(got) > 0 && !errors.Is(err, errStop) {
		t.Errorf("the error of fn became %v", err)
	}

	return strings.Join(got, " ")
}

// history returns the history of a user.
func (w World) history(t *testing.T, user string) replay.History {
	t.Helper()

	found, err := w.Store.Histories(t.Context(), []string{user}, 100)
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}

	return found[0]
}

func histories(t *testing.T, w World) {
	w.populate(t)

	found, err := w.Store.Histories(t.Context(), []string{"v", "nobody", "u"}, 100)
	if err != nil {
		t.Fatal(err)
	}

	rules, err := w.Store.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	var got []string

	for _, h := range found {
		if h.Rules.Revision() != rules.Revision() {
			t.Errorf("the rules of %s have revision %d", h.UserID, h.Rules.Revision())
		}

		var decisions []string

		for i := range h.Decisions {
			d := &h.Decisions[i]
			posted := h.Posted[replay.Money{EventID: d.Event.ID(), Currency: "USD"}]
			decisions = append(decisions, fmt.Sprint(" ", d.Event.ID(), " ", posted))

			if d.CommissionID == "" || d.Event.UserID() != h.UserID || d.Amount.Minor() != posted {
				t.Errorf("%+v", d)
			}
		}

		slices.Sort(decisions)
		got = append(got, h.UserID+strings.Join(decisions, ""))
	}

	if want := []string{"v e3 1000", "nobody", "u e1 1000 e2 1000"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func limits(t *testing.T, w World) {
	w.populate(t)

	users := []string{"u", "v"}
	if found, err := w.Store.Histories(t.Context(), users, 3); len(found) != 2 || err != nil {
		t.Errorf("as many as are read: %v", err)
	}

	if _, err := w.Store.Histories(t.Context(), users, 2); !errors.Is(err, replay.ErrManyEvents) {
		t.Errorf("one more: %v", err)
	}
}
