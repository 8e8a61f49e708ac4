//go:build python

package independent_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

// The examples that consume commission events are killed again and again while things happen. What
// they hold in the end is what the API says.
//
//nolint:paralleltest // compares whole lists, so no other test may change them meanwhile
func TestExamplesOfEvents(t *testing.T) {
	done := make(chan struct{})

	go func() {
		defer close(done)

		for range 6 {
			history(t)
		}
	}()

	folder := t.TempDir()
	programs := map[string][]string{
		"feed": {"fold.py", "--page", "7", "--database", filepath.Join(folder, "feed.db")},
		"topic": {
			"fold.py", "--page", "7", "--database", filepath.Join(folder, "topic.db"),
			"--topic", stacktest.Unique("fold"),
		},
		"warehouse": {"warehouse.py", "--events", "20", "--folder", filepath.Join(folder, "warehouse")},
	}

	for lines := 1; open(done); lines++ {
		for _, program := range programs {
			kill(t, 1+lines%4, program...)
		}
	}

	if t.Failed() {
		t.FailNow()
	}

	want := awaitEvents(t)

	for name, program := range programs {
		example(t, program...)

		if name == "warehouse" {
			continue
		}

		text := example(t, "fold.py", "--database", filepath.Join(folder, name+".db"), "--compare")
		t.Logf("%s: %s", name, text)

		for _, list := range []string{"commissions", "payouts", "rules"} {
			if !strings.Contains(text, " "+list+" compared") || strings.Contains(text, "\n0 "+list) {
				t.Errorf("%s: no %s were compared", name, list)
			}
		}
	}

	var got struct {
		Rows, Events, Gaps int
		Types              []string
	}

	text := python(t, ".", "parquet.py", filepath.Join(folder, "warehouse"))
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("parquet.py printed %s: %v", text, err)
	}

	if got.Rows != want.count || got.Events != want.count || got.Gaps != 0 ||
		!slices.Equal(got.Types, want.types) {
		t.Errorf("the files hold %+v, want %d events of %v", got, want.count, want.types)
	}
}

func open(c <-chan struct{}) bool {
	select {
	case <-c:
		return false
	default:
		return true
	}
}

// command returns a program in Python, of the folder.
func command(t *testing.T, folder string, args ...string) *exec.Cmd {
	t.Helper()

	interpreter := os.Getenv("TEST_PYTHON")
	if interpreter == "" {
		t.Fatal("TEST_PYTHON is not set: run `make test-python`")
	}

	cmd := exec.CommandContext(t.Context(), interpreter, args...)
	cmd.Dir = folder
	cmd.Stderr = os.Stderr
	cmd.Env = append(
		os.Environ(),
		"COMMISSION_URL="+stack.Commission,
		"PULSAR_SERVICE_URL="+stack.Pulsar,
		"PULSAR_TENANT="+stack.Tenant,
		"PULSAR_NAMESPACE="+stack.Namespace,
	)

	return cmd
}

// python runs a program to its end and returns what it prints.
func python(t *testing.T, folder string, args ...string) string {
	t.Helper()

	output, err := command(t, folder, args...).Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, output)
	}

	return string(output)
}

func events(t *testing.T) string {
	t.Helper()
	return filepath.Join(stack.Root, "examples", "events-python")
}

func example(t *testing.T, args ...string) string {
	t.Helper()
	return python(t, events(t), args...)
}

// kill runs an example and kills it when it has printed so many lines, unless it ends before.
func kill(t *testing.T, lines int, args ...string) {
	t.Helper()

	cmd := command(t, events(t), args...)

	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}

	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}

	printed := bufio.NewScanner(output)
	for range lines {
		if !printed.Scan() {
			break
		}
	}

	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

type feedCount struct {
	count int
	types []string
}

// awaitEvents counts the events of the feed when no more come.
func awaitEvents(t *testing.T) feedCount {
	t.Helper()

	var all feedCount

	query := url.Values{"limit": {"1000"}, "wait": {"3s"}}

	for {
		var page struct {
			Data []struct {
				Type string `json:"type"`
			} `json:"data"`
			NextCursor string `json:"next_cursor"`
		}

		stacktest.Want(t, http.StatusOK, stacktest.Request{
			URL: stack.Commission + "/api/v1/commission/events?" + query.Encode(),
		}, &page)

		if len(page.Data) == 0 {
			slices.Sort(all.types)
			all.types = slices.Compact(all.types)

			return all
		}

		for _, e := range page.Data {
			all.count++
			all.types = append(all.types, e.Type)
		}

		query.Set("cursor", page.NextCursor)
	}
}

const patience = 20 * time.Second
