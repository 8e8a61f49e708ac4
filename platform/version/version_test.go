package version_test

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"tributary/platform/version"
)

func TestTheLineNamesProgramReleaseRevisionAndGo(t *testing.T) {
	t.Parallel()

	info := &debug.BuildInfo{GoVersion: "go1.26.0", Path: "tributary/bff/cmd/bff"}
	if got, want := version.Line(info, true), "bff "+version.Number+" go1.26.0"; got != want {
		t.Errorf("line = %q, want %q", got, want)
	}

	info.Settings = []debug.BuildSetting{{Key: "vcs.revision", Value: "c0ffee"}}
	if got, want := version.Line(info, true), "bff "+version.Number+" c0ffee go1.26.0"; got != want {
		t.Errorf("line = %q, want %q", got, want)
	}
}

// The number is defined once in code; the documents and images that repeat it must agree.
func TestDocumentsAndImagesNameTheRelease(t *testing.T) {
	t.Parallel()

	dockerfiles, err := filepath.Glob("../../*/Dockerfile")
	if err != nil || len(dockerfiles) < 4 {
		t.Fatalf("found Dockerfiles %v (%v), want four or more", dockerfiles, err)
	}

	wants := map[string]string{
		"../../CHANGELOG.md":            "## [" + version.Number + "]",
		"../../contracts/asyncapi.yaml": "\n  version: " + version.Number + "\n",
	}
	for _, file := range dockerfiles {
		wants[file] = `org.opencontainers.image.version="` + version.Number + `"`
	}

	for file, want := range wants {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s does not contain %q (%v)", file, want, err)
		}
	}
}
