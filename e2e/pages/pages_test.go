package pages_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	patience = 30 * time.Second
	pause    = 200 * time.Millisecond
	columns  = 120
)

// The pages share one stack and one order: the README speaks of a stack that has seen nothing yet.
//
//nolint:paralleltest // in order
func TestPages(t *testing.T) {
	for _, page := range []string{"README.md", "docs/concepts.md", "docs/rules.md"} {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(stack.Root, page))
			if err != nil {
				t.Fatal(err)
			}

			list := steps(string(text))
			if len(list) < 5 {
				t.Fatalf("%d shell blocks, want more: is the fence still ```sh?", len(list))
			}

			sh := open(t)
			for _, s := range list {
				follow(t, sh, s)
			}
		})
	}
}

// follow runs a step and compares its output. A step that only reads is repeated until it prints
// what the page shows, since the data arrive through the broker.
func follow(t *testing.T, sh *shell, s step) {
	t.Helper()

	for deadline := time.Now().Add(patience); ; {
		printed, code := sh.run(t, s.command)
		if code == 0 && s.matches(printed) {
			return
		}

		if s.writes() || time.Now().After(deadline) {
			t.Fatalf("line %d:\n%s\nends with %d and prints\n%s\nthe page shows\n%s", s.line, s.command, code, printed, s.shown)
		}

		<-time.After(pause)
	}
}

// The output on a page must fit on a screen without scrolling.
func TestNoBlockIsWiderThanAScreen(t *testing.T) {
	t.Parallel()

	for _, page := range []string{"README.md", "docs/concepts.md", "docs/rules.md"} {
		text, err := os.ReadFile(filepath.Join(stack.Root, page))
		if err != nil {
			t.Fatal(err)
		}

		fenced := false
		for i, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			}

			if fenced && len([]rune(line)) > columns {
				t.Errorf("%s:%d is wider than %d columns", page, i+1, columns)
			}
		}
	}
}
