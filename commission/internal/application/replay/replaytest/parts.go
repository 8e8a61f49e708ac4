package replaytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/effect"
	domain "tributary/commission/internal/domain/replay"
	"tributary/platform/money"
)

// describe returns the entries of a history that is read in parts.
func describe(h replay.History) (string, error) {
	var got []string

	for entry, err := range h.Parts.Entries {
		if err != nil {
			return "", err
		}

		got = append(got, fmt.Sprint(
			entry.Event.UserID(), " ", entry.Event.ID(), " ", entry.Amount.Minor(), " ", entry.Posted,
		))

		if entry.CommissionID == "" {
			return "", fmt.Errorf("%s has no commission", entry.Event.ID())
		}
	}

	return strings.Join(got, "; "), nil
}

func parts(t *testing.T, w World) {
	w.populate(t)
	w.Decide(t, "u", "e0", noon()) // between the others
	w.Decide(t, "u", "E0", noon()) // before it, by the bytes

	const want = "u e1 1000 [10.00]; u E0 1000 [10.00]; u e0 1000 [10.00]; u e2 1000 [10.00]"

	for user, want := range map[string]string{"u": want, "nobody": ""} {
		if err := w.Store.Read(t.Context(), user, func(h replay.History) error {
			for _, err := range h.Parts.Entries { // ends early
				if err != nil {
					return err
				}

				break
			}

			for range 2 {
				if got, err := describe(h); got != want || err != nil {
					t.Errorf("%s: %q, want %q, %v", user, got, want, err)
				}
			}

			if h.UserID != user || !h.Parts.Ties.None() {
				t.Errorf("%+v", h)
			}

			return nil
		}); err != nil {
			t.Error(err)
		}
	}

	err := w.Store.Read(t.Context(), "u", func(replay.History) error { return errStop })
	if !errors.Is(err, errStop) {
		t.Errorf("the error of fn became %v", err)
	}
}

// postInParts posts 5.00 more for each event of the user, each in a part of its own, and fails with
// the error.
func (w World) postInParts(
	ctx context.Context,
	claim replay.Claim,
	user string,
	dryRun bool,
	failure error,
) error {
	n := 101

	return w.Store.PostInParts(ctx, claim, user, dryRun, func(
		r *domain.Replay,
		h replay.History,
		write replay.Writer,
	) error {
		step := domain.Step{Last: user, Revision: r.Snapshot().Revision}
		step.Done.Users = 1

		for entry, err := range h.Parts.Entries {
			if err != nil {
				return err
			}

			posting := replay.Posting{Now: noon()}
			if err := correct(&posting, claim.ID, n, h, &entry.EffectiveDecision); err != nil {
				return err
			}

			if dryRun {
				posting.Adjustments = nil
				posting.Effect = effect.Effect{}
			}

			if err := write(posting); err != nil {
				return err
			}

			n++
			step.Done.Events++
			step.Differences.Add(money.FromMinor(500, money.USD()))
		}

		if err := r.Advance(step, noon()); err != nil {
			return err
		}

		return failure
	})
}

func postingsInParts(t *testing.T, w World) {
	w.populate(t)
	claim := w.created(t, 1)

	for n, c := range []struct {
		user   string
		dryRun bool
		posted int64
	}{
		{"U", true, 1000},
		{"u", false, 1500},
	} {
		if err := w.postInParts(t.Context(), claim, c.user, c.dryRun, nil); err != nil {
			t.Fatal(err)
		}

		for of, got := range w.history(t, c.user).Posted {
			if got != c.posted {
				t.Errorf("%s: of %s are posted %d", c.user, of.EventID, got)
			}
		}

		if p := w.replay(t, claim.ID).Progress; p.Position != c.user || p.Done.Users != int64(n+1) {
			t.Errorf("%+v", p)
		}
	}

	w.wantDifferences(t, claim, 1, 10, "U e4 USD 1000 1500; u e1 USD 1000 1500; u e2 USD 1000 1500")

	p := w.replay(t, claim.ID).Progress
	if p.Done.Events != 3 || p.Differences != 3 || p.Sums[money.USD()].Minor() != "1500" {
		t.Errorf("%+v", p)
	}

	for n := 101; n <= 102; n++ {
		if records := w.Records(t, id(n)); len(records) != 1 || records[0].Action != "replay" {
			t.Errorf("%+v", records)
		}
	}
}

func partErrors(t *testing.T, w World) {
	w.populate(t)
	claim := w.created(t, 1)

	if err := w.postInParts(t.Context(), claim, "u", false, errStop); !errors.Is(err, errStop) {
		t.Errorf("the error of fn became %v", err)
	}

	stranger := replay.Claim{ID: claim.ID, Holder: id(599)}
	if err := w.postInParts(t.Context(), stranger, "u", false, nil); !errors.Is(err, replay.ErrLost) {
		t.Errorf("another process: %v", err)
	}

	for of, got := range w.history(t, "u").Posted {
		if got != 1000 {
			t.Errorf("of %s are posted %d", of.EventID, got)
		}
	}

	w.wantDifferences(t, claim, 1, 10, "")
}
