package process

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"

	"tributary/platform/version"
)

// Main is the body of every main function: it runs until SIGINT or SIGTERM and returns the exit
// code. A second signal kills the process at once. With the only argument version, or -version, it
// prints the release instead.
func Main(args []string, stderr io.Writer, run func(ctx context.Context, args []string) error) int {
	if len(args) == 1 && slices.Contains([]string{"version", "-version", "--version"}, args[0]) {
		_, _ = fmt.Fprintln(os.Stdout, version.Line(debug.ReadBuildInfo()))
		return 0
	}

	//nolint:forbidigo // the root of every context
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	collectSeldom()

	go func() {
		<-ctx.Done()
		cancel()
	}()

	err := run(ctx, args)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	default:
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
}

const (
	garbagePercent = 400
	// Bytes of heap and stacks. Near the bound the collector runs as often as it must.
	memoryBound = 112 << 20
)

// collectSeldom trades memory for CPU time: a service keeps some 15 MiB alive, and at Go's default
// the collector took a tenth of its time. GOGC and GOMEMLIMIT take precedence.
func collectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}

	LimitMemory(memoryBound)
}

// LimitMemory sets the bytes near which the collector works as often as it must. GOMEMLIMIT, when
// set, wins.
func LimitMemory(bytes int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(bytes)
	}
}
