// Package settings generates the reference of all settings from the code that reads them: the
// fields with an envconfig tag of each program's settings, and the variables of devstack.
package settings

import (
	"cmp"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tributary/devstack"
)

//go:embed head.md
var head string

// program is a command whose settings are the struct of that name in its main package.
type program struct{ name, dir string }

func programs() []program {
	var list []program
	for _, name := range devstack.Services() {
		list = append(list, program{name, name + "/cmd/" + name})
	}

	return append(
		list,
		program{"migrate", "migrations/cmd/migrate"},
		program{"provision", "contracts/cmd/provision"},
	)
}

// Setting is a row of the reference.
type Setting struct {
	Name       string
	Default    string
	Meaning    string
	Production string   // what APP_ENV=production requires, if anything
	Readers    []string // programs and stacks
}

// All returns every setting of the checkout at root, by name. Programs that read a setting in the
// same way share a row.
func All(root string) ([]Setting, error) {
	rows := map[string]*Setting{}
	add := func(s Setting, reader string) {
		key := strings.Join([]string{s.Name, s.Default, s.Meaning, s.Production}, "\x00")
		if rows[key] == nil {
			rows[key] = &s
		}

		if !slices.Contains(rows[key].Readers, reader) {
			rows[key].Readers = append(rows[key].Readers, reader)
		}
	}

	for _, p := range programs() {
		list, err := read(root, p.dir, "settings")
		if err != nil {
			return nil, fmt.Errorf("settings of %s: %w", p.name, err)
		}

		for _, s := range list {
			add(s, p.name)
		}
	}

	for _, s := range devstack.Settings() {
		add(Setting{Name: s.Name, Default: s.Default, Meaning: s.Meaning}, s.Reader)
	}

	list := make([]Setting, 0, len(rows))
	for _, s := range slices.Collect(maps.Values(rows)) {
		list = append(list, *s)
	}

	slices.SortFunc(list, func(a, b Setting) int {
		return cmp.Or(
			cmp.Compare(a.Name, b.Name),
			cmp.Compare(strings.Join(a.Readers, ""), strings.Join(b.Readers, "")),
		)
	})

	return list, nil
}

// Page returns the text of docs/settings.md for the checkout at root.
func Page(root string) (string, error) {
	list, err := All(root)
	if err != nil {
		return "", err
	}

	var page strings.Builder
	page.WriteString(head)

	for _, s := range list {
		value := "–"
		if s.Default != "" {
			value = "`" + s.Default + "`"
		}

		fmt.Fprintf(
			&page,
			"| `%s` | %s | %s | %s | %s |\n",
			s.Name,
			value,
			strings.Join(s.Readers, ", "),
			s.Meaning,
			cmp.Or(s.Production, "–"),
		)
	}

	return page.String(), nil
}
