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
	"strconv"
	"strings"
	"syscall"
	"time"
)

// record is what is remembered of a started process. Started tells processes with the same id apart, so that nothing is ever
// stopped that was not started here.
type record struct {
	PID     int    `json:"pid"`
	Started string `json:"started"` // clock ticks since boot, from /proc
	Spec    string `json:"spec"`    // what it was started with; another means that it has to be started anew
}

func (c Config) recordFile(name string) string {
	return filepath.Join(c.State, "run", name+".json")
}

// running gives the record of a process that was started here and still runs.
func (c Config) running(name string) (record, bool) {
	var r record
	text, err := os.ReadFile(c.recordFile(name))
	if err != nil || json.Unmarshal(text, &r) != nil {
		return record{}, false
	}
	started, alive := startTime(r.PID)
	return r, alive && started == r.Started
}

// startTime reads when a process started; a process that is gone or only waits to be reaped is not alive.
func startTime(pid int) (ticks string, alive bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", false
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // the name before may hold anything
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", false
	}
	return fields[19], true
}

// start runs the command in a session of its own, with its output appended to the process's log.
func (c Config) start(name, spec string, cmd *exec.Cmd) error {
	for _, file := range []string{c.logFile(name), c.recordFile(name)} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // the databases' user must pass
			return err
		}
	}
	log, err := os.OpenFile(c.logFile(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644) //nolint:gosec // logs are for everybody on the machine
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
	started, _ := startTime(cmd.Process.Pid)
	text, err := json.Marshal(record{PID: cmd.Process.Pid, Started: started, Spec: spec})
	if err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // reaps the child while this process lives; afterwards init does
	return os.WriteFile(c.recordFile(name), text, 0o600)
}

// end asks the process to stop and kills it and its session when it does not within the limit.
func (c Config) end(ctx context.Context, name string, signal syscall.Signal, limit time.Duration) error {
	r, alive := c.running(name)
	if !alive {
		return forget(c.recordFile(name))
	}
	if err := syscall.Kill(r.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop %s: %w", name, err)
	}
	gone := func() error {
		if _, alive := c.running(name); alive {
			return fmt.Errorf("%s (process %d) still runs", name, r.PID)
		}
		return nil
	}
	if await(ctx, limit, gone) == nil {
		return forget(c.recordFile(name))
	}
	_ = syscall.Kill(-r.PID, syscall.SIGKILL)
	if err := await(ctx, limit, gone); err != nil {
		return err
	}
	return forget(c.recordFile(name))
}

func forget(file string) error {
	if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// await asks every 50 ms until the condition gives nil; after the limit it returns the last answer.
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

// lastLines gives the end of a process's log.
func (c Config) lastLines(name string, n int) string {
	text, err := os.ReadFile(c.logFile(name))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func itoa(n int) string { return strconv.Itoa(n) }
