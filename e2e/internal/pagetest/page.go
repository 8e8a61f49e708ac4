// Package pagetest follows a page of the documentation literally: it runs the page's shell blocks
// against a running stack and compares their output with what the page shows.
package pagetest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

const (
	patience = 30 * time.Second
	pause    = 200 * time.Millisecond
)

// Follow runs the blocks of the page, a path in the checkout, one after another in one shell.
func Follow(t *testing.T, stack *stacktest.Stack, name string) {
	t.Helper()

	text, err := os.ReadFile(filepath.Join(stack.Root, name)) //nolint:gosec // of the checkout
	if err != nil {
		t.Fatal(err)
	}

	list := steps(string(text))
	if len(list) < 5 {
		t.Fatalf("%d shell blocks, want more: is the fence still ```sh?", len(list))
	}

	sh := open(t, stack)
	for _, s := range list {
		follow(t, sh, s)
	}
}

// follow runs a step and compares its output. A step that only reads is repeated until it prints
// what the page shows, since the data arrive through the broker.
func follow(t *testing.T, sh *shell, s step) {
	t.Helper()

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()

	for {
		printed, code := sh.run(t, s.command)
		if code == 0 && s.matches(printed) {
			return
		}

		if s.writes() || ctx.Err() != nil {
			t.Fatalf(
				"line %d:\n%s\nends with %d and prints\n%s\nthe page shows\n%s",
				s.line,
				s.command,
				code,
				printed,
				s.shown,
			)
		}

		<-time.After(pause)
	}
}
