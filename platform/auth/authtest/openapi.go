package authtest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// Operation is a route of an OpenAPI document with the rights that it requires.
type Operation struct {
	Method string // GET, POST, …
	Path   string // with every parameter replaced by "x1"
	Public bool   // no token required
	Roles  []string
}

// Operations returns every operation of an OpenAPI document, ordered by path and method. A test
// that uses it covers new routes too.
func Operations(tb testing.TB, document []byte) []Operation {
	tb.Helper()

	var parsed struct {
		Paths map[string]map[string]struct {
			Security *[]map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(document, &parsed); err != nil {
		tb.Fatal(err)
	}

	parameter := regexp.MustCompile(`\{[^}]*\}`)

	var list []Operation
	for path, methods := range parsed.Paths {
		for method, details := range methods {
			op := Operation{
				Method: strings.ToUpper(method),
				Path:   parameter.ReplaceAllString(path, "x1"),
			}
			if details.Security != nil {
				op.Public = len(*details.Security) == 0
				for _, requirement := range *details.Security {
					op.Roles = append(op.Roles, requirement["bearer"]...)
				}
			}

			list = append(list, op)
		}
	}

	slices.SortFunc(
		list,
		func(a, b Operation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) },
	)

	return list
}
