// Package version names the release of the programs.
package version

import (
	"path"
	"runtime/debug"
)

// Number is the release, by semantic versioning. CHANGELOG.md describes it, and the images carry it
// as a label.
const Number = "0.1.0"

// Line returns one line for people: the program, its release, the revision of its build if
// recorded, and the version of Go. Its arguments are the results of debug.ReadBuildInfo.
func Line(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return Number
	}

	text := path.Base(info.Path) + " " + Number
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			text += " " + setting.Value
		}
	}

	return text + " " + info.GoVersion
}
