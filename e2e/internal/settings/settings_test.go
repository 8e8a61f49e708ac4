package settings_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tributary/e2e/internal/settings"
)

const root = "../../.."

func TestThePageIsWhatTheCodeReads(t *testing.T) {
	t.Parallel()

	want, err := settings.Page(root)
	if err != nil {
		t.Fatal(err)
	}

	page, err := os.ReadFile(filepath.Join(root, "docs", "settings.md"))
	if err != nil || string(page) != want {
		t.Errorf("docs/settings.md is not what the code reads (%v): run `make generate`", err)
	}
}

var assignment = regexp.MustCompile(`(?m)^(?:# )?([A-Z][A-Z0-9_]+)=`)

// Every example names only existing settings, and every setting is in an example.
func TestTheExamplesAndTheCodeNameTheSameSettings(t *testing.T) {
	t.Parallel()

	list, err := settings.All(root)
	if err != nil {
		t.Fatal(err)
	}

	known := map[string]bool{}
	for _, s := range list {
		known[s.Name] = true
	}

	// Of the jobs alone: the stacks set or need none of these.
	jobs := []string{
		"TRACKING_MIGRATION_URL", "COMMISSION_MIGRATION_URL", "MIGRATION_WAIT", "PROVISION_WAIT",
	}

	example := map[string]bool{}
	for _, file := range []string{".env.example", "bff/.env.example", "tracking/.env.example", "commission/.env.example"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}

		for _, found := range assignment.FindAllStringSubmatch(string(text), -1) {
			example[found[1]] = true

			if !known[found[1]] {
				t.Errorf("%s names %s, which nothing reads", file, found[1])
			}
		}
	}

	for name := range known {
		if !example[name] && !slices.Contains(jobs, name) {
			t.Errorf("%s stands in no .env.example", name)
		}
	}
}

func TestProductionRulesAreInTheirOwnColumn(t *testing.T) {
	t.Parallel()

	list, err := settings.All(root)
	if err != nil {
		t.Fatal(err)
	}

	for _, s := range list {
		if strings.Contains(s.Meaning, "roduction:") {
			t.Errorf("the meaning of %s holds its production rule: %q", s.Name, s.Meaning)
		}

		if s.Name == "JWT_REQUIRE_VALIDATION" && s.Production != "Must be true." {
			t.Errorf("the production rule of %s is %q", s.Name, s.Production)
		}
	}
}
