//go:build python

package independent_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

// The broker is killed again and again while a Python program consumes the topic and events come
// in. The program goes on by itself, and has folded every event in the end. An event that comes
// again has the same id.
//
//nolint:paralleltest // it kills the broker of the stack
func TestFoldAfterKillsOfTheBroker(t *testing.T) {
	const size = 10

	before := decisions(t.Context(), t)
	database := filepath.Join(t.TempDir(), "topic.db")
	args := []string{"fold.py", "--database", database, "--topic", stacktest.Unique("fold")}
	applied := follow(t, append(args, "--wait", "1")...)

	stop := load(t, size)
	defer stop()

	more(t, applied, 100)

	for range 2 {
		if err := stack.Parts.Kill(t.Context(), "pulsar"); err != nil {
			t.Fatal(err)
		}

		if err := stack.Parts.Start(t.Context(), "pulsar"); err != nil {
			t.Fatal(err)
		}

		more(t, applied, 1000)
	}

	want := stop()
	stacktest.Await(t, stacktest.Patience, "the decisions", func(ctx context.Context) error {
		if n := decisions(ctx, t) - before; n != want {
			return fmt.Errorf("%d of %d are made", n, want)
		}

		return nil
	})

	total := len(awaitEvents(t, ""))
	stacktest.Await(t, stacktest.Patience, "the fold", func(context.Context) error {
		drain(applied)

		//nolint:contextcheck // the program ends with the test
		if n := folded(t, database); n != total {
			return fmt.Errorf("%d of %d events are folded", n, total)
		}

		return nil
	})
	t.Log(example(t, "fold.py", "--database", database, "--compare"))
	checkMessages(t, total)
}

// load records events until stop is called, which returns their number.
func load(t *testing.T, size int) (stop func() int64) {
	t.Helper()

	enough := make(chan struct{})
	recorded := make(chan int64, 1)

	go func() {
		n := 0
		defer func() { recorded <- int64(n * size) }()

		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()

		for ; open(enough); n++ {
			record(t, n, size)
			<-tick.C
		}
	}()

	return sync.OnceValue(func() int64 {
		close(enough)
		return <-recorded
	})
}

// follow runs an example until the test ends, and returns how many events it applies, by line. The
// channel is closed when the program ends.
func follow(t *testing.T, args ...string) <-chan int {
	t.Helper()

	cmd := command(t, events(t), args...)

	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}

	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { end(cmd) })

	applied := make(chan int, 100_000)

	go func() {
		defer close(applied)

		for printed := bufio.NewScanner(output); printed.Scan(); {
			count, _, _ := strings.Cut(printed.Text(), " ")
			n, _ := strconv.Atoi(count)
			applied <- n
		}
	}()

	return applied
}

// more waits until the program has applied so many further events.
func more(t *testing.T, applied <-chan int, events int) {
	t.Helper()
	drain(applied)

	late := time.After(stacktest.Patience)

	for n := 0; n < events; {
		select {
		case line, runs := <-applied:
			if !runs {
				t.Fatalf("the program has ended after %d of %d further events", n, events)
			}

			n += line
		case <-late:
			t.Fatalf("the program has applied %d of %d further events", n, events)
		}
	}
}

func drain(applied <-chan int) {
	for len(applied) > 0 {
		<-applied
	}
}

// folded returns how many events the database holds: the events of a key are numbered from 1, and
// the fold fails for a gap.
func folded(t *testing.T, database string) int {
	t.Helper()

	const program = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1], timeout=60)" +
		".execute('SELECT coalesce(sum(last), 0) FROM sequences').fetchone()[0])"

	n, err := strconv.Atoi(strings.TrimSpace(python(t, ".", "-c", program, database)))
	if err != nil {
		t.Fatal(err)
	}

	return n
}

// checkMessages reads the topic: each event is there, those of a key in order, and what comes again
// has the same id.
func checkMessages(t *testing.T, total int) {
	t.Helper()

	ids := map[string][]string{} // by key and sequence
	found := 0
	messages := stack.Messages(t, "commission-events")

	for _, message := range messages {
		var e struct {
			ID       string `json:"id"`
			Sequence int    `json:"sequence"`
		}
		if err := json.Unmarshal([]byte(message.Payload), &e); err != nil {
			t.Fatal(err)
		}

		switch known := ids[message.Key]; {
		case e.Sequence == len(known)+1:
			ids[message.Key] = append(known, e.ID)
			found++
		case e.Sequence > len(known):
			t.Fatalf("%s: event %d follows %d", message.Key, e.Sequence, len(known))
		case known[e.Sequence-1] != e.ID:
			t.Fatalf("%s: event %d is %s, and %s", message.Key, e.Sequence, known[e.Sequence-1], e.ID)
		}
	}

	if found != total {
		t.Errorf("the topic has %d events, want %d", found, total)
	}

	t.Logf("%d events, %d messages", found, len(messages))
}
