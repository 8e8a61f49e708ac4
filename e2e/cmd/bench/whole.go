package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"tributary/devstack"
	"tributary/e2e/internal/bench"
)

// whole measures the whole path, and when o.against names a commit, that of its build in turn.
func whole(ctx context.Context, o options, say func(string, ...any)) (found []bench.Passages, err error) {
	dir, err := os.MkdirTemp("", "tributary-bench-")
	if err != nil {
		return nil, err
	}

	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the databases' user must pass
		return nil, err
	}

	stack, err := devstack.Load(".", os.Stdout)
	if err != nil {
		return nil, err
	}

	// the ports of a private stack; the builds run one after the other
	if stack, err = stack.Private(ctx, dir); err != nil {
		return nil, err
	}

	builds := []bench.Build{{Name: "this build", Root: stack.Root, State: filepath.Join(dir, "this")}}

	if o.against != "" {
		tree, remove, fault := bench.Checkout(ctx, stack.Root, o.against, dir)
		if fault != nil {
			return nil, fault
		}

		defer func() { err = errors.Join(err, remove()) }()

		against := bench.Build{Name: o.against, Root: tree, State: filepath.Join(dir, "against")}
		builds = append([]bench.Build{against}, builds...)
	}

	for i := range builds {
		builds[i].Ports = stack.Ports
		if err := os.Mkdir(builds[i].State, 0o755); err != nil { //nolint:gosec // as above
			return nil, err
		}
	}

	if found, err = bench.Compare(ctx, builds, o.rounds, o.step, say); err != nil {
		return nil, err
	}

	bench.PrintPassages(os.Stdout, found)

	return found, nil
}
