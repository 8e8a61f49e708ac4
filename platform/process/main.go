package process

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main is the body of every main function: it runs until SIGINT or SIGTERM and gives the exit code. A second signal kills
// the process at once.
func Main(args []string, stderr io.Writer, run func(ctx context.Context, args []string) error) int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) //nolint:forbidigo // the root of every context
	defer cancel()
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
