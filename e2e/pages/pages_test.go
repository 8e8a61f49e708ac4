package pages_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tributary/e2e/internal/pagetest"
)

const columns = 120

// The pages share one stack and one order: the README speaks of a stack that has seen nothing yet.
//
//nolint:paralleltest // in order
func TestPages(t *testing.T) {
	for _, name := range []string{"README.md", "docs/concepts.md", "docs/rules.md"} {
		t.Run(name, func(t *testing.T) {
			pagetest.Follow(t, stack, name)
		})
	}
}

// The output on a page must fit on a screen without scrolling.
func TestNoBlockIsWiderThanAScreen(t *testing.T) {
	t.Parallel()

	for _, name := range []string{
		"README.md", "docs/concepts.md", "docs/rules.md", "docs/finance.md",
	} {
		text, err := os.ReadFile(filepath.Join(stack.Root, name))
		if err != nil {
			t.Fatal(err)
		}

		fenced := false
		for i, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(line, "```") {
				fenced = !fenced
			}

			if fenced && len([]rune(line)) > columns {
				t.Errorf("%s:%d is wider than %d columns", name, i+1, columns)
			}
		}
	}
}
