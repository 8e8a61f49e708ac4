package replaytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// StoreSuite tests the contract of replay.Store. open returns an empty world.
func StoreSuite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"a period has an extent":                 counts,
		"users are selected in pages":            selections,
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
		var (
			got   []string
			after string
		)

		for range 3 {
			page, err := w.Store.Users(
				t.Context(),
				replay.Selection{Period: november(), Scope: c.scope},
				after,
				2,
			)
			if err != nil || len(page) > 2 {
				t.Fatal(len(page), err)
			}

			for _, user := range page {
				got = append(got, fmt.Sprint(user.ID, " ", user.Events))
				after = user.ID
			}
		}

		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}

		if text := w.selected(t, c.scope); text != c.want {
			t.Errorf("%s, at one time: %q, want %q", name, text, c.want)
		}
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

// post posts 5.00 more for each event of the users, as adjustment n and those that follow, and
// fails with the error.
func (w World) post(
	ctx context.Context,
	claim replay.Claim,
	n int,
	failure error,
	users ...string,
) ([]commission.Snapshot, error) {
	return w.Store.Post(ctx, claim, users, func(
		r *domain.Replay,
		histories []replay.History,
	) (replay.Posting, error) {
		posting := replay.Posting{Now: noon()}
		step := domain.Step{Last: users[len(users)-1], Revision: r.Snapshot().Revision}
		step.Done.Users = int64(len(users))

		for _, h := range histories {
			slices.SortFunc(h.Decisions, func(a, b replay.EffectiveDecision) int {
				return strings.Compare(a.Event.ID(), b.Event.ID())
			})

			for i := range h.Decisions {
				if err := correct(&posting, claim.ID, n, h, &h.Decisions[i]); err != nil {
					return posting, err
				}

				n++
				step.Done.Events++
				step.Differences.Add(money.FromMinor(500, money.USD()))
			}
		}

		if err := r.Advance(step, noon()); err != nil {
			return posting, err
		}

		return posting, failure
	})
}

// correct adds 5.00 for the decision to the posting.
func correct(
	posting *replay.Posting,
	replayID string,
	n int,
	h replay.History,
	d *replay.EffectiveDecision,
) error {
	found, err := h.Commissions([]string{d.CommissionID})
	if err != nil {
		return err
	}

	made, caused, err := found[0].Correct(
		commission.Correction{
			ReplayID: replayID,
			Event:    d.Event,
			Amount:   money.FromMinor(500, money.USD()),
			Reason:   "checked",
		},
		commission.Origin{ID: id(n), Now: noon()},
	)
	if err != nil {
		return err
	}

	posting.Adjustments = append(posting.Adjustments, made)
	posting.Effect.Add(caused)
	posting.Differences = append(posting.Differences, replay.Difference{
		Event:    d.Event,
		Currency: money.USD(),
		Expected: 1500,
		Posted:   1000,
	})

	return nil
}

// wantDifferences checks what the replay has found, from the one with the number on.
func (w World) wantDifferences(t *testing.T, claim replay.Claim, number int64, limit int, want string) {
	t.Helper()

	found, err := w.Replays.Differences(t.Context(), claim.ID, number, limit)
	if err != nil {
		t.Fatal(err)
	}

	var got []string
	for _, d := range found {
		got = append(got, fmt.Sprint(
			d.Event.UserID(), " ", d.Event.ID(), " ", d.Currency, " ", d.Posted, " ", d.Expected,
		))
	}

	if text := strings.Join(got, "; "); text != want {
		t.Errorf("from %d: %q, want %q", number, text, want)
	}
}

func postings(t *testing.T, w World) {
	w.populate(t)
	claim := w.created(t, 1)

	made, err := w.post(t.Context(), claim, 101, nil, "u")
	if err != nil || len(made) != 2 || made[0].ID != id(101) || made[1].ID != id(102) {
		t.Fatalf("%+v, %v", made, err)
	}

	for _, eventID := range []string{"e1", "e2"} {
		of := replay.Money{EventID: eventID, Currency: "USD"}
		if got := w.history(t, "u").Posted[of]; got != 1500 {
			t.Errorf("of %s are posted %d", eventID, got)
		}
	}

	p := w.replay(t, claim.ID).Progress
	if p.Position != "u" || p.Done != (domain.Size{Users: 1, Events: 2}) || p.Differences != 2 ||
		p.Sums[money.USD()].Minor() != "1000" {
		t.Errorf("%+v", p)
	}

	for _, adjustment := range made {
		records := w.Records(t, adjustment.ID)
		if len(records) != 1 || records[0].Action != "replay" || records[0].Actor != "operator" ||
			records[0].Reason != "checked" || records[0].RequestID != "request" {
			t.Errorf("%+v", records)
		}
	}
}

func postingErrors(t *testing.T, w World) {
	w.populate(t)
	claim := w.created(t, 1)

	if made, err := w.post(t.Context(), claim, 101, errStop, "u"); !errors.Is(err, errStop) {
		t.Errorf("the error of fn became %v with %+v", err, made)
	}

	if got := w.history(t, "u").Posted[replay.Money{EventID: "e1", Currency: "USD"}]; got != 1000 {
		t.Errorf("of e1 are posted %d", got)
	}

	if found := w.replay(t, claim.ID); found.Version != 1 || found.Progress.Position != "" {
		t.Errorf("%+v", found)
	}

	w.wantDifferences(t, claim, 1, 10, "")
}

func lostPostings(t *testing.T, w World) {
	w.populate(t)
	claim := w.created(t, 1)

	for name, stranger := range map[string]replay.Claim{
		"another process": {ID: claim.ID, Holder: id(599)},
		"another replay":  {ID: id(2), Holder: claim.Holder},
	} {
		_, err := w.Store.Post(t.Context(), stranger, []string{"u"}, func(
			*domain.Replay,
			[]replay.History,
		) (replay.Posting, error) {
			t.Errorf("%s takes a step", name)
			return replay.Posting{}, errStop
		})
		if !errors.Is(err, replay.ErrLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func numbers(t *testing.T, w World) {
	w.populate(t)
	claim := w.created(t, 1)
	w.wantDifferences(t, claim, 1, 10, "")

	if _, err := w.post(t.Context(), claim, 101, nil, "u"); err != nil {
		t.Fatal(err)
	}

	if _, err := w.post(t.Context(), claim, 103, nil, "v", "w"); err != nil {
		t.Fatal(err)
	}

	w.wantDifferences(t, claim, 1, 2, "u e1 USD 1000 1500; u e2 USD 1000 1500")
	w.wantDifferences(t, claim, 3, 2, "v e3 USD 1000 1500; w e5 USD 1000 1500")
	w.wantDifferences(t, claim, 4, 2, "w e5 USD 1000 1500")
	w.wantDifferences(t, claim, 5, 2, "")
}

func emptySteps(t *testing.T, w World) {
	claim := w.created(t, 1)

	made, err := w.Store.Post(t.Context(), claim, nil, func(
		r *domain.Replay,
		histories []replay.History,
	) (replay.Posting, error) {
		if len(histories) > 0 {
			t.Errorf("%+v", histories)
		}

		step := domain.Step{Last: "z", Revision: r.Snapshot().Revision}

		return replay.Posting{Now: noon()}, r.Advance(step, noon())
	})
	if err != nil || len(made) > 0 {
		t.Errorf("%+v, %v", made, err)
	}

	if found := w.replay(t, claim.ID); found.Progress.Position != "z" {
		t.Errorf("%+v", found)
	}
}
