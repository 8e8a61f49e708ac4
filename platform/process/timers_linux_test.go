package process_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"tributary/platform/process"
)

const showSlack = "SHOW_TIMER_SLACK"

// A program that relaxes its timers goes on as the same process, and its threads have the slack.
func TestRelaxTimers(t *testing.T) {
	t.Parallel()

	if os.Getenv(showSlack) != "" {
		process.RelaxTimers()

		slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
		t.Log("pid", os.Getpid(), "slack", slack, err)

		return
	}

	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRelaxTimers$", "-test.v")
	again.Env = append(os.Environ(), showSlack+"=1")

	output, err := again.CombinedOutput()

	want := "pid " + strconv.Itoa(again.ProcessState.Pid()) + " slack 1000000 <nil>"
	if err != nil || strings.Count(string(output), want) != 1 {
		t.Errorf("%v: %s\nwant once: %s", err, output, want)
	}
}
