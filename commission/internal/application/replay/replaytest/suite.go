package replaytest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	domain "tributary/commission/internal/domain/replay"
)

// ReplaysSuite tests the contract of Replays. open returns an empty world.
func ReplaysSuite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"a replay is created":                  creations,
		"an error creates no replay":           creationErrors,
		"a key creates a replay once":          creationKeys,
		"an unknown replay is not found":       unknownReplays,
		"who has the claim changes the replay": updates,
		"a cancelled replay has ended":         cancellations,
		"a key cancels a replay once":          cancellationKeys,
		"a claim that is left can be taken":    departures,
		"a claim that is over can be taken":    expiries,
		"the longest wait is over first":       turns,
		"replays are listed newest first":      lists,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func creations(t *testing.T, w World) {
	rules, err := w.Store.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	for n := range 4 { // up to two events are few
		w.created(t, 1+n)

		found := w.replay(t, id(1+n))
		if found.AtOnce != (n <= 2) || found.Revision != rules.Revision() ||
			found.Status != domain.Running || found.Period != november() ||
			found.Reason != "checked" || found.Actor != "operator" ||
			found.RequestID != "request" || !found.RequestedAt.Equal(noon()) ||
			found.Version != 1 || found.Progress.Total != nil || found.Progress.Position != "" {
			t.Errorf("with %d events: %+v", n, found)
		}

		w.Decide(t, "u", fmt.Sprint("e", n), noon())
	}

	if records := w.Records(t, id(1)); len(records) != 1 || records[0].Action != "replay" {
		t.Errorf("%+v", records)
	}
}

func creationErrors(t *testing.T, w World) {
	wanted := replay.Creation{Period: november(), Holder: id(501)}

	err := w.Replays.Create(t.Context(), by("operator", "key", 1), wanted, func(
		int64,
		bool,
	) (domain.Replay, change.Outcome, error) {
		made, err := domain.New(domain.Wanted{ID: id(1), Period: november(), Now: noon()})
		if err != nil {
			t.Error(err)
		}

		return made, change.Outcome{}, errStop
	})
	if !errors.Is(err, errStop) {
		t.Errorf("the error of fn became %v", err)
	}

	if _, err := w.Replays.Replay(t.Context(), id(1)); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("afterwards: %v", err)
	}

	// nor was the key used
	if err := w.create(t.Context(), by("operator", "key", 2), 1); err != nil {
		t.Error(err)
	}
}

func creationKeys(t *testing.T, w World) {
	n := 0

	checkKeys(t, func(request change.Request) error {
		n++
		return w.create(t.Context(), request, n)
	})

	for n, want := range []error{1: nil, 2: domain.ErrNotFound, 3: domain.ErrNotFound, 4: nil} {
		if n == 0 {
			continue
		}

		if _, err := w.Replays.Replay(t.Context(), id(n)); !errors.Is(err, want) {
			t.Errorf("replay %d: %v", n, err)
		}
	}
}

func unknownReplays(t *testing.T, w World) {
	for _, unknown := range []string{id(1), "x", ""} {
		if _, err := w.Replays.Replay(t.Context(), unknown); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("Replay of %q: %v", unknown, err)
		}

		err := w.cancel(t.Context(), by("operator", "", 0), unknown)
		if !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("Change of %q: %v", unknown, err)
		}
	}
}

func updates(t *testing.T, w World) {
	claim := w.created(t, 1)

	if err := w.count(t.Context(), claim, 7, nil); err != nil {
		t.Fatal(err)
	}

	if err := w.count(t.Context(), claim, 8, errStop); !errors.Is(err, errStop) {
		t.Errorf("the error of fn became %v", err)
	}

	for name, stranger := range map[string]replay.Claim{
		"another process": {ID: claim.ID, Holder: id(599)},
		"another replay":  {ID: id(2), Holder: claim.Holder},
	} {
		if err := w.count(t.Context(), stranger, 9, nil); !errors.Is(err, replay.ErrLost) {
			t.Errorf("%s: %v", name, err)
		}
	}

	total := domain.Size{Users: 1, Events: 7}
	if found := w.replay(t, claim.ID); found.Version != 2 || found.Progress.Total == nil ||
		*found.Progress.Total != total {
		t.Errorf("%+v", found)
	}
}

func cancellations(t *testing.T, w World) {
	claim := w.created(t, 1)

	if err := w.Replays.Change(t.Context(), by("operator", "key", 1), claim.ID, func(
		r *domain.Replay,
	) (change.Outcome, error) {
		if err := r.Cancel(noon()); err != nil {
			t.Error(err)
		}

		return change.Outcome{}, errStop
	}); !errors.Is(err, errStop) || w.replay(t, claim.ID).Status != domain.Running {
		t.Errorf("the error of fn became %v", err)
	}

	if err := w.cancel(t.Context(), by("operator", "", 0), claim.ID); err != nil {
		t.Fatal(err)
	}

	if found := w.replay(t, claim.ID); found.Status != domain.Cancelled || found.Version != 2 ||
		!found.EndedAt.Equal(noon()) {
		t.Errorf("%+v", found)
	}

	_, err := w.Store.Post(t.Context(), claim, nil, func(
		*domain.Replay,
		[]replay.History,
	) (replay.Posting, error) {
		t.Error("a step of a cancelled replay is made")
		return replay.Posting{}, errStop
	})

	for name, err := range map[string]error{
		"Keep":   w.Replays.Keep(t.Context(), claim),
		"Update": w.count(t.Context(), claim, 1, nil),
		"Post":   err,
	} {
		if !errors.Is(err, replay.ErrLost) {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}

	if err := w.Replays.Leave(t.Context(), claim); err != nil {
		t.Errorf("Leave afterwards: %v", err)
	}

	w.Expire(t)

	if claim, found, err := w.Replays.Take(t.Context(), id(599)); found || err != nil {
		t.Errorf("%+v can be taken, %v", claim, err)
	}

	actions := map[string]int{}
	for _, r := range w.Records(t, claim.ID) {
		actions[r.Action]++
	}

	if actions["cancel"] != 1 {
		t.Errorf("the audit: %v", actions)
	}
}

func cancellationKeys(t *testing.T, w World) {
	claim := w.created(t, 1)

	checkKeys(t, func(request change.Request) error {
		return w.cancel(t.Context(), request, claim.ID)
	})

	if found := w.replay(t, claim.ID); found.Version != 2 {
		t.Errorf("%+v", found)
	}
}

func lists(t *testing.T, w World) {
	if found, err := w.Replays.Replays(t.Context(), 10, query.Position{}); len(found) > 0 || err != nil {
		t.Errorf("of nothing: %v, %v", found, err)
	}

	for n, minute := range []int{3, 1, 2, 1, 1} {
		request := by("operator", "", 0)
		request.Now = noon().Add(time.Duration(minute) * time.Minute)

		if err := w.create(t.Context(), request, n); err != nil {
			t.Fatal(err)
		}
	}

	var (
		got   []string
		after query.Position
	)

	for range 4 {
		page, err := w.Replays.Replays(t.Context(), 2, after)
		if err != nil || len(page) > 2 {
			t.Fatal(len(page), err)
		}

		for _, r := range page {
			got = append(got, r.ID)
			after = query.Position{At: r.RequestedAt, ID: r.ID}
		}
	}

	if want := []string{id(0), id(2), id(4), id(3), id(1)}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
