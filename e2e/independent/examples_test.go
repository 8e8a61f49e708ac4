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
			history(t, stacktest.Unique("user"))
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
		for _, args := range programs {
			kill(t, 1+lines%4, args...)
		}
	}

	if t.Failed() {
		t.FailNow()
	}

	want := awaitEvents(t, "")

	for name, args := range programs {
		example(t, args...)

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

	var types []string
	for _, e := range want {
		types = append(types, e.Type)
	}

	slices.Sort(types)
	types = slices.Compact(types)

	if all := typesOfContract(t); !slices.Equal(types, all) {
		t.Errorf("there were events of %v, want all of %v", types, all)
	}

	if got.Rows != len(want) || got.Events != len(want) || got.Gaps != 0 ||
		!slices.Equal(got.Types, types) {
		t.Errorf("the files hold %+v, want %d events of %v", got, len(want), types)
	}
}

// typesOfContract returns the types of events that the schema knows.
func typesOfContract(t *testing.T) []string {
	t.Helper()

	text, err := os.ReadFile(
		filepath.Join(stack.Root, "contracts", "schemas", "commission-event-v1.schema.json"),
	)
	if err != nil {
		t.Fatal(err)
	}

	var schema struct {
		Properties struct {
			Type struct {
				Enum []string
			}
		}
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}

	return slices.Sorted(slices.Values(schema.Properties.Type.Enum))
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

	return program(t, folder, interpreter, args...)
}

// program returns a program that finds the stack.
func program(t *testing.T, folder, path string, args ...string) *exec.Cmd {
	t.Helper()

	cmd := exec.CommandContext(t.Context(), path, args...)
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

	end(cmd)
}

type feedEvent struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// awaitEvents returns the events of the feed, of one user or of all, when no more come.
func awaitEvents(t *testing.T, user string) []feedEvent {
	t.Helper()

	var all []feedEvent

	query := url.Values{"limit": {"1000"}, "wait": {"3s"}, "user_id": {user}}

	for {
		var page struct {
			Data       []feedEvent `json:"data"`
			NextCursor string      `json:"next_cursor"`
		}

		stacktest.Want(t, http.StatusOK, stacktest.Request{
			URL: stack.Commission + "/api/v1/commission/events?" + query.Encode(),
		}, &page)

		if len(page.Data) == 0 {
			return all
		}

		all = append(all, page.Data...)
		query.Set("cursor", page.NextCursor)
	}
}
