//go:build openapi

// Package clients_test compiles what generators make of the OpenAPI documents, together with
// programs that use it.
package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// services are those that have an OpenAPI document.
func services() []string { return []string{"bff", "commission", "tracking"} }

// The client that oapi-codegen generates compiles, and a program that holds amounts in strings and
// ranges over lists.
func TestGoClientCompiles(t *testing.T) {
	t.Parallel()
	dir := copyOf(t, "clientgo")

	for _, service := range services() {
		if err := os.Mkdir(filepath.Join(dir, service), 0o755); err != nil {
			t.Fatal(err)
		}

		run(t, dir, "go", "tool", "oapi-codegen",
			"-generate", "types,client",
			"-package", service,
			"-o", filepath.Join(service, "client.go"),
			document(service),
		)

		text, err := os.ReadFile(filepath.Join(dir, service, "client.go"))
		if err != nil || strings.Contains(string(text), "float") {
			t.Errorf("the client of %s holds a number in a float (%v)", service, err)
		}
	}

	run(t, dir, "go", "build", "-o", os.DevNull, ".")
}

// The types that openapi-typescript generates compile in strict mode, and a program that uses them.
func TestTypeScriptClientCompiles(t *testing.T) {
	t.Parallel()
	dir := copyOf(t, "clientts")

	modules, err := filepath.Abs("../../../.bin/clientts/node_modules")
	if err != nil {
		t.Fatal(err)
	}

	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}

	for _, service := range services() {
		run(t, dir, filepath.Join(modules, ".bin", "openapi-typescript"),
			document(service),
			"--output", service+".ts",
		)
	}

	run(t, dir, filepath.Join(modules, ".bin", "tsc"), "--project", ".")
}

// document is the path of the document of a service; the tests run in their own folders.
func document(service string) string {
	path, err := filepath.Abs("../../../contracts/openapi/" + service + ".json")
	if err != nil {
		return service
	}

	return path
}

func copyOf(t *testing.T, program string) string {
	t.Helper()

	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(program)); err != nil {
		t.Fatal(err)
	}

	return dir
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()

	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOWORK=off")

	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
