package replaytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	domain "tributary/commission/internal/domain/replay"
	"tributary/platform/money"
)

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
