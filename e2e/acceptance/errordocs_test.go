package acceptance_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// listed matches a code in the first column of a table: | `some_code` | …
var listed = regexp.MustCompile("(?m)^\\| *`([a-z0-9_]+)`")

// Every code of an answer is explained, and every explained code is one of an answer.
func TestErrorsAreDocumented(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile(filepath.Join(stack.Root, "docs", "errors.md"))
	if err != nil {
		t.Fatal(err)
	}

	// Codes of single fields follow this heading: they are not values of Problem.code.
	problems, _, _ := strings.Cut(string(text), "\n## Codes of fields")

	documented := map[string]bool{}
	for _, match := range listed.FindAllStringSubmatch(problems, -1) {
		documented[match[1]] = true
	}

	answered := map[string]string{}
	for _, s := range services() {
		for _, code := range openAPI(t, s).Components.Schemas["Problem"].Properties["code"].Enum {
			name, _ := code.(string)
			answered[name] = s.name
		}
	}

	for code, service := range answered {
		if !documented[code] {
			t.Errorf("docs/errors.md lacks: | `%s` | (of %s)", code, service)
		}
	}

	for code := range documented {
		if answered[code] == "" {
			t.Errorf("docs/errors.md explains `%s`, which no service answers with", code)
		}
	}
}
