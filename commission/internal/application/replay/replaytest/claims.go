package replaytest

import (
	"errors"
	"testing"

	"tributary/commission/internal/application/replay"
)

// wantTaken checks which replay the holder takes; 0 means none.
func (w World) wantTaken(t *testing.T, holder string, n int) {
	t.Helper()

	claim, found, err := w.Replays.Take(t.Context(), holder)
	if err != nil || found != (n > 0) || found && claim != (replay.Claim{ID: id(n), Holder: holder}) {
		t.Errorf("%s takes %+v, %t, %v; want replay %d", holder, claim, found, err, n)
	}
}

func departures(t *testing.T, w World) {
	claim := w.created(t, 1)
	w.wantTaken(t, id(599), 0)

	if !w.replay(t, claim.ID).AtOnce {
		t.Error("a small replay is not answered with its result")
	}

	// another process cannot end the claim
	if err := w.Replays.Leave(t.Context(), replay.Claim{ID: claim.ID, Holder: id(599)}); err != nil {
		t.Error(err)
	}

	w.wantTaken(t, id(599), 0)

	if err := w.Replays.Leave(t.Context(), claim); err != nil {
		t.Error(err)
	}

	if w.replay(t, claim.ID).AtOnce {
		t.Error("a replay that was left is answered with its result")
	}

	w.wantTaken(t, id(599), 1)
	w.wantTaken(t, id(598), 0)

	if err := w.Replays.Keep(t.Context(), claim); !errors.Is(err, replay.ErrLost) {
		t.Errorf("the first process keeps it: %v", err)
	}
}

func expiries(t *testing.T, w World) {
	claim := w.created(t, 1)
	w.Expire(t)

	// whoever is late may go on as long as no other process has taken it
	if err := w.Replays.Keep(t.Context(), claim); err != nil {
		t.Error(err)
	}

	w.wantTaken(t, id(599), 0)
	w.Expire(t)
	w.wantTaken(t, id(599), 1)

	if err := w.count(t.Context(), claim, 1, nil); !errors.Is(err, replay.ErrLost) {
		t.Errorf("the first process goes on: %v", err)
	}
}

func turns(t *testing.T, w World) {
	for _, n := range []int{1, 2, 3} {
		w.created(t, n)
	}

	for _, n := range []int{2, 3, 1} {
		if err := w.Replays.Leave(t.Context(), claimOf(n)); err != nil {
			t.Fatal(err)
		}
	}

	for _, n := range []int{2, 3, 1, 0} {
		w.wantTaken(t, id(599), n)
	}
}
