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

// Cost is what a number of events took: the stable part of every figure here.
type Cost struct {
	Events         int           `json:"events"`
	ServiceCPU     time.Duration `json:"service_cpu_per_event_ns"`
	PostgresCPU    time.Duration `json:"postgres_cpu_per_event_ns"`
	WALBytes       float64       `json:"wal_bytes_per_event"`
	ServicePeakMiB float64       `json:"service_peak_memory_mib"`
	ServiceMiB     float64       `json:"service_memory_mib"`
}

// Costs measures around work, which returns how many events it did. pid is the service's, postmaster the database server's.
func Costs(ctx context.Context, pool *pgxpool.Pool, pid, postmaster int, work func() (int, error)) (Cost, error) {
	wal, err := walPosition(ctx, pool)
	if err != nil {
		return Cost{}, err
	}
	service, database := cpuOf(pid), cpuOfChildren(postmaster)
	events, err := work()
	if err != nil || events == 0 {
		return Cost{}, fmt.Errorf("%d events: %w", events, err)
	}
	walAfter, err := walPosition(ctx, pool)
	if err != nil {
		return Cost{}, err
	}
	each := time.Duration(events)
	return Cost{
		Events: events, ServiceCPU: (cpuOf(pid) - service) / each, PostgresCPU: (cpuOfChildren(postmaster) - database) / each,
		WALBytes: float64(walAfter-wal) / float64(events), ServicePeakMiB: memory(pid, "VmHWM"), ServiceMiB: memory(pid, "VmRSS"),
	}, nil
}

func walPosition(ctx context.Context, pool *pgxpool.Pool) (int64, error) {
	var n int64
	err := pool.QueryRow(ctx, `SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint`).Scan(&n)
	return n, err
}

const ticksPerSecond = 100 // USER_HZ on Linux

// cpuOf is the user and system time of a process, 0 when it is gone.
func cpuOf(pid int) time.Duration {
	fields, err := stat(pid)
	if err != nil {
		return 0
	}
	return ticks(fields[11]) + ticks(fields[12])
}

// cpuOfChildren is the time of a server and of its children, those that have ended too.
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

// stat gives the fields after the process's name: 0 is the state, 1 the parent, 11 to 14 the times.
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

// PeakMemory is the most that a process has held, in MiB.
func PeakMemory(pid int) float64 { return memory(pid, "VmHWM") }
