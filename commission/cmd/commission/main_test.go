package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The image has no zone files. The machine of a test always has some that Go finds before its own,
// so the test looks at the packages of the program; e2e/compose.sh asks the container.
func TestTheProgramBringsItsTimeZones(t *testing.T) {
	t.Parallel()

	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}

	if !slices.Contains(strings.Fields(string(out)), "time/tzdata") {
		t.Error("time/tzdata is not linked: tz=Europe/Berlin is unknown in the container")
	}
}
