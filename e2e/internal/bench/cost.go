package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Costs reports the write-ahead log and the allocations of the service at the URL for each event of
// work: the stable part of the figures.
func Costs(
	ctx context.Context,
	report *Report,
	pool *pgxpool.Pool,
	url string,
	work func(context.Context) (Done, error),
) (Done, error) {
	wal, allocations, err := counted(ctx, pool, url)
	if err != nil {
		return Done{}, err
	}

	done, err := work(ctx)
	if err != nil || done.Events == 0 {
		return done, fmt.Errorf("%d events: %w", done.Events, err)
	}

	walAfter, allocationsAfter, err := counted(ctx, pool, url)
	if err != nil {
		return done, err
	}

	each := float64(done.Events)
	report.AddUsage("single event POST", done)
	report.Add("  write-ahead log", float64(walAfter-wal)/each, "B", "≤ 700")
	report.Add(
		"  allocations in the service, relay included",
		(allocationsAfter-allocations)/each,
		"",
		"",
	)

	return done, nil
}

// counted returns the position of the write-ahead log in bytes, and the number of allocations of
// the service.
func counted(
	ctx context.Context,
	pool *pgxpool.Pool,
	url string,
) (wal int64, allocations float64, err error) {
	if err := pool.QueryRow(
		ctx,
		`SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint`,
	).Scan(&wal); err != nil {
		return 0, 0, err
	}

	allocations, err = metric(ctx, url, "go_memstats_mallocs_total")

	return wal, allocations, err
}

const ticksPerSecond = 100 // USER_HZ on Linux

// cpuOf returns the user and system time of a process, or 0 if it is gone.
func cpuOf(pid int) time.Duration {
	fields, err := stat(pid)
	if err != nil {
		return 0
	}

	return ticks(fields[11]) + ticks(fields[12])
}

// cpuOfChildren returns the time of a server and of its children, including those that have ended.
func cpuOfChildren(parent int) time.Duration {
	var sum time.Duration
	if fields, err := stat(parent); err == nil {
		sum = ticks(fields[11]) + ticks(fields[12]) + ticks(fields[13]) + ticks(fields[14])
	}

	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
		if fields, err := stat(pid); err == nil && fields[1] == strconv.Itoa(parent) {
			sum += ticks(fields[11]) + ticks(fields[12])
		}
	}

	return sum
}

// stat returns the fields after the process's name: 0 is the state, 1 the parent, 11 to 14 the
// times.
func stat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}

	_, rest, _ := strings.Cut(string(text), ") ")

	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return nil, fmt.Errorf("/proc/%d/stat is short", pid)
	}

	return fields, nil
}

func ticks(text string) time.Duration {
	n, _ := strconv.ParseInt(text, 10, 64)
	return time.Duration(n) * time.Second / ticksPerSecond
}

// memory reads VmHWM (the peak) or VmRSS (now) in MiB.
func memory(pid int, what string) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}

	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, what+":"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kib / 1024
		}
	}

	return 0
}

// ForgetPeak resets PeakMemory.
func ForgetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0o600)
}

// PeakMemory returns the peak memory of a process, in MiB.
func PeakMemory(pid int) float64 { return memory(pid, "VmHWM") }
