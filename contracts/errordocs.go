package contracts

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

//go:embed errors.head.md
var errorDocsHead string

// services returns the services in the order of the documents.
func services() []string { return []string{"bff", "tracking", "commission"} }

// ErrorDocs returns the text of docs/errors.md: every error code of every service, from their
// OpenAPI documents.
func ErrorDocs() (string, error) {
	type code struct {
		Code    string `json:"code"`
		Status  int    `json:"status"`
		Meaning string `json:"meaning"`
	}

	codes, where := map[string]code{}, map[string][]string{}
	for _, service := range services() {
		text, err := fs.ReadFile(files, "openapi/"+service+".json")
		if err != nil {
			return "", err
		}

		var document struct {
			Codes []code `json:"x-error-codes"`
		}
		if err := json.Unmarshal(text, &document); err != nil {
			return "", fmt.Errorf("openapi document of %s: %w", service, err)
		}

		for _, c := range document.Codes {
			codes[c.Code] = c
			where[c.Code] = append(where[c.Code], service)
		}
	}

	var out strings.Builder
	out.WriteString(errorDocsHead)

	for _, name := range slices.Sorted(maps.Keys(codes)) {
		c, services := codes[name], "all"
		if len(where[name]) < 3 {
			services = strings.Join(where[name], ", ")
		}

		fmt.Fprintf(&out, "| `%s` | %d | %s | %s |\n", c.Code, c.Status, services, c.Meaning)
	}

	return out.String(), nil
}
