package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"tributary/devstack"
	"tributary/e2e/internal/bench"
)

// builds returns this checkout's build and, if o.against names a commit, that commit's build before
// it, each with a stack on the same private ports: they run in turn. discard removes their remains.
func builds(ctx context.Context, o options) (list []bench.Build, discard func() error, err error) {
	dir, err := os.MkdirTemp("", "tributary-bench-")
	if err != nil {
		return nil, nil, err
	}

	discard = func() error { return os.RemoveAll(dir) }
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the databases' user must pass
		return nil, discard, err
	}

	stack, err := devstack.Load(".", os.Stdout)
	if err != nil {
		return nil, discard, err
	}

	if stack, err = stack.Private(ctx, dir); err != nil {
		return nil, discard, err
	}

	list = []bench.Build{{Name: "this build", Root: stack.Root, State: filepath.Join(dir, "this")}}

	if o.against != "" {
		tree, remove, err := bench.Checkout(ctx, stack.Root, o.against, dir)
		if err != nil {
			return nil, discard, err
		}

		discard = func() error { return errors.Join(remove(), os.RemoveAll(dir)) }
		against := bench.Build{Name: o.against, Root: tree, State: filepath.Join(dir, "against")}
		list = append([]bench.Build{against}, list...)
	}

	for i := range list {
		list[i].Ports = stack.Ports
		if err := os.Mkdir(list[i].State, 0o755); err != nil { //nolint:gosec // as above
			return nil, discard, err
		}
	}

	return list, discard, nil
}

// whole measures the whole path of each build in turn.
func whole(
	ctx context.Context,
	o options,
	list []bench.Build,
	say func(string, ...any),
) ([]bench.BuildResults, error) {
	found, err := bench.Compare(ctx, list, o.rounds, o.step, say)
	if err == nil {
		bench.PrintBuildResults(os.Stdout, found)
	}

	return found, err
}

// pairs measures the parts of both builds in turn, each by its own benchmark.
func pairs(ctx context.Context, o options, list []bench.Build, say func(string, ...any)) error {
	flags := []string{
		"-only", o.only,
		"-warm", o.warm.String(),
		"-length", o.length.String(),
		"-sustained", o.sustained.String(),
		"-outage", o.outage.String(),
		"-backlog", strconv.Itoa(o.backlog),
		"-rows", strconv.Itoa(o.rows),
	}
	reports := make([][]bench.Report, len(list))

	for round := range o.rounds {
		for n := range list {
			i := (n + round) % len(list)
			say("round %d/%d  %s: the parts", round+1, o.rounds, list[i].Name)

			report, err := list[i].Parts(ctx, flags)
			if err != nil {
				return err
			}

			reports[i] = append(reports[i], report)
		}
	}

	bench.PrintReports(os.Stdout, reports[0], reports[len(list)-1])

	return nil
}
