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

//go:embed errors.fields.md
var fieldDocsHead string

// services returns the services that have an OpenAPI document.
func services() ([]string, error) {
	documents, err := fs.Glob(files, "openapi/*.json")

	var names []string
	for _, d := range documents {
		names = append(names, strings.TrimSuffix(path.Base(d), ".json"))
	}

	return names, err
}

// code is an entry of x-error-codes or x-field-codes; the latter have no status.
type code struct {
	Code    string `json:"code"`
	Status  int    `json:"status"`
	Meaning string `json:"meaning"`
}

// codes are the merged lists of several services.
type codes struct {
	services int // the number of all
	byName   map[string]code
	where    map[string][]string // services by code
}

// ErrorDocs returns the text of docs/errors.md: every code of every service, from their OpenAPI
// documents, which are made from the codes that each program defines. It returns an error if a code
// has two meanings.
func ErrorDocs() (string, error) {
	all, err := services()
	if err != nil {
		return "", err
	}

	faults, fields := newCodes(len(all)), newCodes(len(all))
	for _, service := range all {
		text, err := fs.ReadFile(files, "openapi/"+service+".json")
		if err != nil {
			return "", err
		}

		var document struct {
			Faults []code `json:"x-error-codes"`
			Fields []code `json:"x-field-codes"`
		}
		if err := json.Unmarshal(text, &document); err != nil {
			return "", fmt.Errorf("openapi document of %s: %w", service, err)
		}

		if err := faults.add(service, document.Faults); err != nil {
			return "", err
		}

		if err := fields.add(service, document.Fields); err != nil {
			return "", err
		}
	}

	var out strings.Builder
	out.WriteString(errorDocsHead)

	for c, services := range faults.sorted {
		fmt.Fprintf(&out, "| `%s` | %d | %s | %s |\n", c.Code, c.Status, services, c.Meaning)
	}

	out.WriteString(fieldDocsHead)

	for c, services := range fields.sorted {
		fmt.Fprintf(&out, "| `%s` | %s | %s |\n", c.Code, services, c.Meaning)
	}

	return out.String(), nil
}

func newCodes(services int) codes {
	return codes{
		services: services,
		byName:   map[string]code{},
		where:    map[string][]string{},
	}
}

func (l codes) add(service string, list []code) error {
	for _, c := range list {
		if known, ok := l.byName[c.Code]; ok && known != c {
			return fmt.Errorf("%s of %s means something else elsewhere", c.Code, service)
		}

		l.byName[c.Code] = c
		l.where[c.Code] = append(l.where[c.Code], service)
	}

	return nil
}

// sorted yields every code with the names of its services.
func (l codes) sorted(yield func(code, string) bool) {
	for _, name := range slices.Sorted(maps.Keys(l.byName)) {
		in := "all"
		if len(l.where[name]) < l.services {
			in = strings.Join(l.where[name], ", ")
		}

		if !yield(l.byName[name], in) {
			return
		}
	}
}
