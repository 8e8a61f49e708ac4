package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Peers runs the program of e2e/peers, which is built at the first measure. It is a module outside
// go.work.
type Peers struct {
	Dir         string // for the program
	DatabaseURL string
	PulsarURL   string

	build sync.Once
	err   error
}

// Measure returns a function that takes the measure, such as watermill.
func (p *Peers) Measure(
	name string,
) func(ctx context.Context, length time.Duration, workers int) (Done, error) {
	return func(ctx context.Context, length time.Duration, workers int) (Done, error) {
		p.build.Do(func() { p.err = p.compile(ctx) })

		if p.err != nil {
			return Done{}, p.err
		}

		var out, problems bytes.Buffer

		//nolint:gosec // the program was built here
		cmd := exec.CommandContext(
			ctx,
			p.program(),
			"-measure", name,
			"-database", p.DatabaseURL,
			"-pulsar", p.PulsarURL,
			"-length", length.String(),
			"-workers", strconv.Itoa(workers),
		)
		cmd.Stdout = &out
		cmd.Stderr = &problems

		if err := cmd.Run(); err != nil {
			return Done{}, fmt.Errorf("peers -measure %s: %w: %s", name, err, &problems)
		}

		var done Done
		err := json.Unmarshal(out.Bytes(), &done)

		return done, err
	}
}

func (p *Peers) program() string { return filepath.Join(p.Dir, "peers") }

func (p *Peers) compile(ctx context.Context) error {
	//nolint:gosec // the folder is the benchmark's own
	cmd := exec.CommandContext(ctx, "go", "build", "-C", "e2e/peers", "-o", p.program(), ".")
	cmd.Env = append(os.Environ(), "GOWORK=off")

	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build e2e/peers: %w: %s", err, text)
	}

	return nil
}
