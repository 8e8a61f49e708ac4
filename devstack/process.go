package devstack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// record describes a started process. Boot and Started distinguish processes with the same id, so
// that only processes started here are ever stopped.
type record struct {
	PID     int    `json:"pid"`
	Boot    string `json:"boot"`    // the id of the machine's boot
	Started string `json:"started"` // clock ticks since that boot
	// Spec is what the process was started with; if it differs, the process is restarted.
	Spec string `json:"spec"`
}

func (c Config) recordFile(name string) string {
	return filepath.Join(c.State, "run", name+".json")
}

// running returns the record of a process that was started here and still runs.
func (c Config) running(name string) (record, bool) {
	var r record

	text, err := os.ReadFile(c.recordFile(name))
	if err != nil || json.Unmarshal(text, &r) != nil || r.Boot != bootID() {
		return record{}, false
	}

	p, alive := inspect(r.PID)

	return r, alive && p.started == r.Started
}

// process is the state of a process in /proc.
type process struct {
	pid, parent int
	started     string
}

// inspect reads the state of a process. A process that is gone or only waits to be reaped is not
// alive; while threads of it are ending, and hold its ports, it is.
func inspect(pid int) (p process, alive bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}

	// the name before may hold anything
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 || fields[0] == "X" {
		return process{}, false
	}

	if threads, err := strconv.Atoi(fields[17]); fields[0] == "Z" && (err != nil || threads < 2) {
		return process{}, false
	}

	parent, err := strconv.Atoi(fields[1])

	return process{pid: pid, parent: parent, started: fields[19]}, err == nil
}

// bootID returns "" if the kernel does not have it.
func bootID() string {
	text, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text))
}

// family returns the process and all its descendants: PostgreSQL starts each of its processes in a
// session of its own, so a signal to the group does not reach them.
func family(pid int) []int {
	members := []int{pid}

	entries, err := os.ReadDir("/proc")
	if err != nil {
		return members
	}

	children := map[int][]int{}
	for _, e := range entries {
		if id, err := strconv.Atoi(e.Name()); err == nil {
			if p, alive := inspect(id); alive {
				children[p.parent] = append(children[p.parent], id)
			}
		}
	}

	for i := 0; i < len(members); i++ {
		members = append(members, children[members[i]]...)
	}

	return members
}

// start runs the command in a session of its own and appends its output to the process's log.
func (c Config) start(name, spec string, cmd *exec.Cmd) error {
	for _, file := range []string{c.logFile(name), c.recordFile(name)} {
		//nolint:gosec // the databases' user must pass
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
	}

	log, err := openLog(c.logFile(name))
	if err != nil {
		return err
	}

	defer func() { _ = log.Close() }()

	cmd.Stdout, cmd.Stderr = log, log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}

	cmd.SysProcAttr.Setsid = true
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}

	err = c.remember(name, cmd.Process.Pid, spec)
	go func() { _ = cmd.Wait() }() // reaps the child while this process lives; init does later

	return err
}

// remember writes the record of a process atomically.
func (c Config) remember(name string, pid int, spec string) error {
	p, _ := inspect(pid)

	text, err := json.Marshal(record{
		PID:     pid,
		Boot:    bootID(),
		Started: p.started,
		Spec:    spec,
	})
	if err != nil {
		return err
	}

	file := c.recordFile(name)
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}

	return os.Rename(file+".new", file)
}

// fullLog is the size from which a log is rotated at the next start of its process.
const fullLog = 32 << 20

func openLog(file string) (*os.File, error) {
	if info, err := os.Stat(file); err == nil && info.Size() > fullLog {
		if err := os.Rename(file, file+".1"); err != nil {
			return nil, err
		}
	}

	//nolint:gosec // any user of the machine may read logs
	return os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
}

// end asks the process to stop, and kills it and its descendants if it does not stop within the
// limit.
func (c Config) end(
	ctx context.Context,
	name string,
	signal syscall.Signal,
	limit time.Duration,
) error {
	r, alive := c.running(name)
	if !alive {
		return forget(c.recordFile(name))
	}

	members := []int{r.PID}
	if signal == syscall.SIGKILL {
		members = family(r.PID)
	}

	if err := send(signal, members...); err != nil {
		return fmt.Errorf("stop %s: %w", name, err)
	}

	_ = send(syscall.SIGCONT, family(r.PID)...) // a paused one would never see it
	gone := func() error {
		if slices.ContainsFunc(
			members,
			func(pid int) bool { _, alive := inspect(pid); return alive },
		) {
			return fmt.Errorf("%s (process %d) is still running", name, r.PID)
		}

		return nil
	}

	err := await(ctx, limit, gone)
	if err != nil && signal != syscall.SIGKILL {
		c.say("  %s does not stop within %s: killing it", name, limit)
		members = family(r.PID)
		_ = send(syscall.SIGKILL, members...)
		err = await(ctx, 10*time.Second, gone)
	}

	if err != nil {
		return err
	}

	return forget(c.recordFile(name))
}

// send signals processes. It ignores those that are gone.
func send(signal syscall.Signal, pids ...int) error {
	for _, pid := range pids {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}

	return nil
}

func forget(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}

	return nil
}

// await polls every 50 ms until the condition returns nil. After the limit it returns the last
// error.
func await(ctx context.Context, limit time.Duration, condition func() error) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()

	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()

	for {
		err := condition()
		if err == nil {
			return nil
		}

		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return err
		case <-tick.C:
		}
	}
}

// lastLines returns the end of a process's log.
func (c Config) lastLines(name string, n int) string {
	text, err := os.ReadFile(c.logFile(name))
	if err != nil {
		return ""
	}

	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	for i, line := range lines {
		if len(line) > 400 { // Pulsar prints its whole configuration in one
			lines[i] = line[:400] + " …"
		}
	}

	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
