package contracts

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

//go:embed errors.head.md
var errorDocsHead string

// services returns the services that have an OpenAPI document.
func services() ([]string, error) {
	documents, err := fs.Glob(files, "openapi/*.json")

	var names []string
	for _, d := range documents {
		names = append(names, strings.TrimSuffix(path.Base(d), ".json"))
	}

	return names, err
}

// ErrorDocs returns the text of docs/errors.md: every error code of every service, from their
// OpenAPI documents.
func ErrorDocs() (string, error) {
	type code struct {
		Code    string `json:"code"`
		Status  int    `json:"status"`
		Meaning string `json:"meaning"`
	}

	all, err := services()
	if err != nil {
		return "", err
	}

	codes, where := map[string]code{}, map[string][]string{}
	for _, service := range all {
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
		if len(where[name]) < len(all) {
			services = strings.Join(where[name], ", ")
		}

		fmt.Fprintf(&out, "| `%s` | %d | %s | %s |\n", c.Code, c.Status, services, c.Meaning)
	}

	return out.String(), nil
}
