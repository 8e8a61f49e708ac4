//go:build python

package independent_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

// Commission, with the relay in it, is killed again and again while it decides. The fold of what it
// has published is what its lists say, from the feed and from the topic.
//
//nolint:paralleltest // kills a service of the stack
func TestFoldAfterKills(t *testing.T) {
	const batches, size = 60, 20

	before := decisions(t.Context(), t)
	done := make(chan struct{})

	go func() {
		defer close(done)

		for n := range batches {
			record(t, n, size)
		}
	}()

	folder := t.TempDir()
	programs := map[string][]string{
		"feed": {"fold.py", "--database", filepath.Join(folder, "feed.db")},
		"topic": {
			"fold.py", "--database", filepath.Join(folder, "topic.db"),
			"--topic", stacktest.Unique("fold"),
		},
	}

	for range 3 {
		time.Sleep(200 * time.Millisecond) // the kill comes while it works

		if err := stack.Parts.Kill(t.Context(), "commission"); err != nil {
			t.Fatal(err)
		}

		if err := stack.Parts.Start(t.Context(), "commission"); err != nil {
			t.Fatal(err)
		}

		for _, args := range programs {
			kill(t, 1, args...)
		}
	}

	<-done
	stacktest.Await(t, time.Minute, "the decisions", func(ctx context.Context) error {
		if n := decisions(ctx, t) - before; n != batches*size {
			return fmt.Errorf("%d of %d are made", n, batches*size)
		}

		return nil
	})
	awaitEvents(t, "")

	for name, args := range programs {
		example(t, args...)
		t.Log(name, example(t, "fold.py", "--database", filepath.Join(folder, name+".db"), "--compare"))
	}
}

func decisions(ctx context.Context, t *testing.T) int64 {
	t.Helper()

	n, err := stacktest.Count(ctx, stack.CommissionDB, "SELECT count(*) FROM decisions")
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// record records purchases of some users.
func record(t *testing.T, batch, size int) {
	t.Helper()

	events := make([]string, size)
	for i := range events {
		events[i] = fmt.Sprintf(
			`{"user_id":"killed-%d","event_type":"purchase","metadata":{"amount":%d.50}}`,
			(batch+i)%7,
			10+i,
		)
	}

	stacktest.Want(t, http.StatusOK, stacktest.Request{
		URL:  stack.Tracking + "/api/v1/tracking/events/batch",
		Body: `{"events":[` + strings.Join(events, ",") + `]}`,
	}, nil)
}
