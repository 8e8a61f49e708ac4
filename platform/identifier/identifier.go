// Package identifier is the rule for the ids that callers choose (of users, campaigns, events,
// products, orders): 1 to 128 printable characters.
package identifier

import (
	"unicode"
	"unicode/utf8"
)

// Max is the number of characters that an id has at most.
const Max = 128

// Valid tells whether the text can be an id.
func Valid(text string) bool { return text != "" && !TooLong(text) && Printable(text) }

// TooLong tells whether the text has more characters than an id may have.
func TooLong(text string) bool { return len(text) > Max && utf8.RuneCountInString(text) > Max }

// Printable tells whether the text is valid UTF-8 and holds nothing invisible but spaces. The
// replacement character stands for what got lost earlier and is not taken either.
func Printable(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			return printableRunes(text)
		}
	}

	return true
}

func printableRunes(text string) bool {
	for _, r := range text {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return false
		}
	}

	return true
}
