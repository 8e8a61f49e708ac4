package devstack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"tributary/devstack"
)

// setup returns an empty stack.
func setup(t *testing.T) (devstack.Config, *bytes.Buffer) {
	t.Helper()

	var shown bytes.Buffer
	c := devstack.Config{
		State: t.TempDir(),
		Root:  t.TempDir(),
		Env:   map[string]string{},
		Out:   &shown,
	}
	t.Cleanup(func() {
		if err := c.Down(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("Down: %v", err)
		}
	})

	return c, &shown
}

func pid(t *testing.T, c devstack.Config, name string) int {
	t.Helper()

	id, alive := c.PID(name)
	if !alive {
		t.Fatalf("%s does not run", name)
	}

	return id
}

func TestLaunchIsIdempotent(t *testing.T) {
	t.Parallel()
	c, _ := setup(t)
	launch := func(spec string) int {
		if err := c.Launch(t.Context(), "napper", spec, nil, "sleep", "1000"); err != nil {
			t.Fatal(err)
		}

		return pid(t, c, "napper")
	}

	first := launch("a")
	if again := launch("a"); again != first {
		t.Errorf("the same specification started process %d beside %d", again, first)
	}

	changed := launch("b")
	if changed == first {
		t.Error("another specification left the old process running")
	}

	if err := c.Kill(t.Context(), "napper"); err != nil {
		t.Fatal(err)
	}

	if _, alive := c.PID("napper"); alive {
		t.Error("Kill left the process running")
	}

	if launch("b") == changed {
		t.Error("a dead process counts as running")
	}
}

func TestAnotherProcessWithTheSameIDIsLeftAlone(t *testing.T) {
	t.Parallel()

	for _, field := range []string{"started", "boot"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			c, _ := setup(t)

			bystander := exec.CommandContext(t.Context(), "sleep", "1000")
			if err := c.Launch(t.Context(), "napper", "", nil, "sleep", "1000"); err != nil {
				t.Fatal(err)
			}

			if err := bystander.Start(); err != nil {
				t.Fatal(err)
			}

			mine := pid(t, c, "napper")

			text, err := os.ReadFile(c.RecordFile("napper"))
			if err != nil {
				t.Fatal(err)
			}

			record := map[string]any{}
			if err := json.Unmarshal(text, &record); err != nil {
				t.Fatal(err)
			}

			record["pid"] = bystander.Process.Pid
			if field == "boot" {
				record["pid"], record["boot"] = mine, "another"
			}

			if text, err = json.Marshal(record); err != nil {
				t.Fatal(err)
			}

			if err := os.WriteFile(c.RecordFile("napper"), text, 0o600); err != nil {
				t.Fatal(err)
			}

			if err := c.Down(t.Context()); err != nil {
				t.Fatal(err)
			}

			for _, id := range []int{bystander.Process.Pid, mine} {
				if err := syscall.Kill(id, 0); err != nil {
					t.Errorf("process %d was ended although the record is not of it: %v", id, err)
				}

				_ = syscall.Kill(id, syscall.SIGKILL)
			}

			_ = bystander.Wait()
		})
	}
}

func TestStopKillsWhatDoesNotFollow(t *testing.T) {
	t.Parallel()

	c, shown := setup(t)
	if err := c.Launch(
		t.Context(),
		"deaf",
		"a",
		nil,
		"sh",
		"-c",
		"trap '' TERM; echo deaf; while :; do sleep 0.1; done",
	); err != nil {
		t.Fatal(err)
	}

	until(
		t,
		func() bool { text, _ := os.ReadFile(c.LogFile("deaf")); return strings.Contains(string(text), "deaf") },
	)

	if err := c.Launch(t.Context(), "deaf", "b", nil, "sleep", "1000"); err != nil {
		// a change stops the old one within 5 s
		t.Fatal(err)
	}

	if !strings.Contains(shown.String(), "killing it") {
		t.Errorf("shown: %s", shown)
	}
}

func TestKillTakesTheDescendantsToo(t *testing.T) {
	t.Parallel()

	c, _ := setup(t)
	if err := c.Launch(
		t.Context(),
		"family",
		"",
		nil,
		"sh",
		"-c",
		"setsid sleep 1000 & echo $!; wait",
	); err != nil {
		t.Fatal(err)
	}

	var child string
	until(t, func() bool {
		text, _ := os.ReadFile(c.LogFile("family"))
		child = strings.TrimSpace(string(text))

		return child != ""
	})

	if err := c.Kill(t.Context(), "family"); err != nil {
		t.Fatal(err)
	}

	until(t, func() bool {
		stat, err := os.ReadFile("/proc/" + child + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

func TestPausedProcessIsStopped(t *testing.T) {
	t.Parallel()

	c, _ := setup(t)
	if err := c.Launch(t.Context(), "napper", "", nil, "sleep", "1000"); err != nil {
		t.Fatal(err)
	}

	if err := c.Pause("napper"); err != nil {
		t.Fatal(err)
	}

	begin := time.Now()

	if err := c.Stop(t.Context(), "napper"); err != nil {
		t.Fatal(err)
	}

	if _, alive := c.PID("napper"); alive || time.Since(begin) > 20*time.Second {
		t.Errorf("alive %v after %s", alive, time.Since(begin))
	}
}

func TestUnreadyProcessTellsItsLogAndWhatToDo(t *testing.T) {
	t.Parallel()

	for name, command := range map[string]string{"ends": "echo broken pipe; exit 3", "hangs": "echo broken pipe; sleep 1000"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c, _ := setup(t)
			if err := c.Launch(t.Context(), name, "", nil, "sh", "-c", command); err != nil {
				t.Fatal(err)
			}

			until(t, func() bool { text, _ := os.ReadFile(c.LogFile(name)); return len(text) > 0 })

			err := c.AwaitReady(t.Context(), name)
			for _, want := range []string{name + " does not become ready", "broken pipe", "advice", c.LogFile(name)} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

func TestOneCommandAtATime(t *testing.T) {
	t.Parallel()
	c, _ := setup(t)
	unlock, err := c.Lock()
	if err != nil {
		t.Fatal(err)
	}

	if err := c.Down(t.Context()); err == nil || !strings.Contains(err.Error(), "another command") {
		t.Errorf("Down beside another command: %v", err)
	}

	unlock()

	if err := c.Down(t.Context()); err != nil {
		t.Error(err)
	}
}

// until waits for a condition that another process fulfils.
func until(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)

	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()

	for !condition() {
		select {
		case <-deadline:
			t.Fatal("waited for 20 s in vain")
		case <-tick.C:
		}
	}
}
