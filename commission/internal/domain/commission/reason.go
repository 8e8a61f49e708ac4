package commission

import (
	"strings"
	"unicode/utf8"

	"tributary/platform/fault"
	"tributary/platform/identifier"
)

// maxReason is the largest length of a reason, in characters.
const maxReason = 500

// CheckReason returns a fault for an empty or over-long reason.
func CheckReason(reason string) error {
	var faults fault.Fields
	if strings.TrimSpace(reason) == "" || utf8.RuneCountInString(reason) > maxReason ||
		!printable(reason) {
		faults.Add("reason", fault.ErrInvalidValue, "must be 1 to 500 printable characters")
	}

	return faults.Err()
}

// printable reports whether every character can be seen, but for spaces, tabs and line ends.
func printable(text string) bool {
	return identifier.Printable(strings.NewReplacer("\n", " ", "\t", " ").Replace(text))
}
