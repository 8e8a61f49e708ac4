package goldentest_test

import (
	"testing"
	"time"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/eventlog"
)

// publishedAlike checks that the process that made the decisions after the position publishes the
// same bytes as a replica, which reads them from the tables. It returns the end of the log.
func (w *world) publishedAlike(t *testing.T, after eventlog.Position) eventlog.Position {
	t.Helper()

	const left = `SELECT count(*) FROM commission_events WHERE (tx, seq) > ($1, $2)`

	look := time.NewTicker(5 * time.Millisecond) // transactions of other tests delay readers
	defer look.Stop()

	for n := 1; n > 0; <-look.C {
		ours, err := w.store.EventLog().Read(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}

		if len(ours) > 0 {
			w.compareWithReplica(t, after, ours)
			after = ours[len(ours)-1].Position()
		}

		if err := w.owner.QueryRow(t.Context(), left, after.Tx, after.Seq).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}

	return after
}

func (w *world) compareWithReplica(t *testing.T, after eventlog.Position, ours []eventlog.Event) {
	t.Helper()

	theirs, err := w.replica.EventLog().Read(t.Context(), after, len(ours))
	if err != nil || len(theirs) != len(ours) {
		t.Fatalf("%d events, want %d: %v", len(theirs), len(ours), err)
	}

	for i := range ours {
		got, want := marshalled(t, ours[i]), marshalled(t, theirs[i])
		if got != want {
			t.Errorf("published\n%s\nwant\n%s", got, want)
		}
	}
}

func marshalled(t *testing.T, e eventlog.Event) string {
	t.Helper()

	text, err := rest.MarshalEvent(e)
	if err != nil {
		t.Fatal(err)
	}

	return string(text)
}
