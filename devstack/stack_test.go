package devstack_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/devstack"
)

// TestInfrastructure runs the real databases and the real broker on ports of their own.
func TestInfrastructure(t *testing.T) {
	t.Parallel()

	root, err := devstack.Root(must(os.Getwd()))
	if err != nil {
		t.Fatal(err)
	}

	var shown bytes.Buffer

	c, err := devstack.Load(root, &shown)
	if err != nil {
		t.Fatal(err)
	}

	if c, err = c.Private(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		if err := c.Clean(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("Clean: %v", err)
		}

		if t.Failed() {
			t.Log(shown.String())
		}
	})

	if err := c.StartInfrastructure(t.Context()); err != nil {
		t.Fatal(err)
	}

	query(t, c.TrackingDatabaseURL(), "CREATE TABLE kept (n int)")

	if err := c.Kill(t.Context(), "tracking-db"); err != nil {
		t.Fatal(err)
	}

	before := map[string]int{}
	for _, name := range []string{"commission-db", "pulsar"} {
		before[name] = pid(t, c, name)
	}

	if err := c.StartInfrastructure(t.Context()); err != nil {
		// restarts what is dead and touches nothing else
		t.Fatal(err)
	}

	query(t, c.TrackingDatabaseURL(), "SELECT n FROM kept")

	ids := []int{pid(t, c, "tracking-db")}
	for name, id := range before {
		if now := pid(t, c, name); now != id {
			t.Errorf("%s was started again", name)
		}

		ids = append(ids, id)
	}

	if err := c.Down(t.Context()); err != nil {
		t.Fatal(err)
	}

	for _, id := range ids {
		if stat, err := os.ReadFile("/proc/" + strconv.Itoa(id) + "/stat"); err == nil &&
			!strings.Contains(string(stat), ") Z ") {
			t.Errorf("process %d still runs: %s", id, stat)
		}
	}
}

func query(t *testing.T, url, statement string) {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()

	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func must(dir string, err error) string {
	if err != nil {
		return err.Error()
	}

	return dir
}

func TestTheCommandsCodeIsHandedOn(t *testing.T) {
	t.Parallel()

	for script, code := range map[string]int{"exit 7": 7, "kill -9 $$": 128 + 9} {
		var ended devstack.ExitError

		err := devstack.Attend(t.Context(), exec.CommandContext(t.Context(), "sh", "-c", script))
		if !errors.As(err, &ended) || ended.Code != code {
			t.Errorf("%s: %v, want code %d", script, err, code)
		}
	}

	if err := devstack.Attend(t.Context(), exec.CommandContext(t.Context(), "true")); err != nil {
		t.Errorf("true: %v", err)
	}
}

func TestACommandIsEndedWithItsChildren(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "child")
	ctx, cancel := context.WithCancel(t.Context())

	result := make(chan error, 1)
	go func() {
		//nolint:noctx // ended by Attend
		result <- devstack.Attend(ctx, exec.Command("sh", "-c", "sleep 1000 & echo $! >"+file+"; wait"))
	}()

	var child int
	until(t, func() bool {
		text, _ := os.ReadFile(file)
		child, _ = strconv.Atoi(strings.TrimSpace(string(text)))

		return child != 0
	})
	cancel()

	select {
	case err := <-result:
		if err == nil {
			t.Error("nil, want an Exit")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the command still runs")
	}

	until(t, func() bool {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(child) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

func TestWhatAKilledRunLeftIsSweptAway(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	c, _ := setup(t)
	leave := func(name string) devstack.Config {
		left := c

		left.State = filepath.Join(temp, "tributary-test-"+name)
		if err := left.Own(); err != nil {
			t.Fatal(err)
		}

		if err := left.Launch(t.Context(), "napper", "", nil, "sleep", "1000"); err != nil {
			t.Fatal(err)
		}

		return left
	}
	mine, orphan := leave("mine"), leave("orphan")
	record := filepath.Join(orphan.State, "owner", "run", "stack.json")

	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}

	// above every process id
	text = bytes.Replace(text, []byte(strconv.Itoa(os.Getpid())), []byte(strconv.Itoa(1<<22+1)), 1)
	if err := os.WriteFile(record, text, 0o600); err != nil {
		t.Fatal(err)
	}

	id := pid(t, orphan, "napper")
	c.Sweep(t.Context())

	if _, err := os.Stat(orphan.State); err == nil {
		t.Error("the orphan's folder is still there")
	}

	until(t, func() bool { return syscall.Kill(id, 0) != nil })

	if _, alive := mine.PID("napper"); !alive {
		t.Error("what has an owner was swept away too")
	}

	if err := mine.Kill(t.Context(), "napper"); err != nil {
		t.Error(err)
	}
}
