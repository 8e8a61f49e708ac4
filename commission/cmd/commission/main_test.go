package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The image has no zone files. On the machine of a test there always are some that Go finds before
// its own, so what is looked at is the list of packages of which the program is made;
// e2e/compose.sh asks the container.
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
