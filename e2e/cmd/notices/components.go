package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"tributary/devstack"
)

// component is third-party software that is distributed with the project.
type component struct {
	Name    string
	Version string
	Texts   []string // licence files first, then notices
}

// programs are the modules whose commands are distributed.
func programs() []string { return append(devstack.Services(), "contracts", "migrations") }

// shipped returns every third-party component, by name and version. It runs in the root of the
// checkout.
func shipped(ctx context.Context) ([]component, error) {
	found := map[string]component{}
	for _, program := range programs() {
		modules, err := modulesOf(ctx, program)
		if err != nil {
			return nil, err
		}

		for _, m := range modules {
			c := component{Name: m.Path, Version: m.Version}
			if c.Texts, err = texts(m.Dir); err != nil {
				return nil, err
			}

			found[c.Name+" "+c.Version] = c
		}
	}

	standard := component{Name: "Go standard library and runtime", Version: goVersion()}

	for _, extra := range []struct {
		component
		dir string
	}{
		{standard, goRoot(ctx)},
		{component{Name: "swagger-ui", Version: pageVersion()}, pageAssets},
	} {
		text, err := texts(extra.dir)
		if err != nil {
			return nil, err
		}

		extra.Texts = text
		found[extra.Name] = extra.component
	}

	list := make([]component, 0, len(found))
	for _, c := range found {
		list = append(list, c)
	}

	slices.SortFunc(list, func(a, b component) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})

	return list, nil
}

const pageAssets = "platform/docsui/assets"

func pageVersion() string {
	text, _ := os.ReadFile(filepath.Join(pageAssets, "VERSION"))
	return strings.TrimSpace(string(text))
}

// goVersion returns the series, since every patch of it has the same licence.
func goVersion() string {
	series := strings.SplitN(runtime.Version(), ".", 3)
	return strings.Join(series[:min(2, len(series))], ".")
}

func goRoot(ctx context.Context) string {
	out, _ := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	return strings.TrimSpace(string(out))
}

// module is what `go list` prints about a module.
type module struct {
	Path    string
	Version string
	Dir     string
	Main    bool
}

// modulesOf returns the third-party modules whose packages are compiled into the module's commands,
// as the images build them: alone, for Linux.
func modulesOf(ctx context.Context, dir string) ([]module, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Module", "./cmd/...")
	cmd.Dir = dir

	cmd.Env = append(os.Environ(), "GOWORK=off", "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr

	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w", dir, err)
	}

	found := map[string]module{}

	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p struct{ Module *module }

		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}

		if err != nil {
			return nil, fmt.Errorf("go list in %s: %w", dir, err)
		}

		if m := p.Module; m != nil && !m.Main && !strings.HasPrefix(m.Path, "tributary/") {
			found[m.Path] = *m
		}
	}

	list := make([]module, 0, len(found))
	for _, m := range found {
		list = append(list, m)
	}

	return list, nil
}

// texts returns the licence and notice files of a folder.
func texts(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}

	var licences, notices []string
	for _, entry := range entries {
		name := strings.ToUpper(entry.Name())

		licence := strings.Contains(name, "LICENSE") || strings.Contains(name, "LICENCE") ||
			strings.HasPrefix(name, "COPYING") || strings.HasPrefix(name, "PATENTS")
		if entry.IsDir() || (!licence && !strings.HasPrefix(name, "NOTICE")) {
			continue
		}

		text, err := os.ReadFile(filepath.Join(dir, entry.Name())) //nolint:gosec // listed above
		if err != nil {
			return nil, err
		}

		clean := strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))
		if licence {
			licences = append(licences, clean)
		} else {
			notices = append(notices, clean)
		}
	}

	return append(licences, notices...), nil
}
