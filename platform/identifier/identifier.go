// Package identifier defines the ids that callers choose: 1 to 128 printable characters that
// neither begin nor end with a blank.
package identifier

import (
	"unicode"
	"unicode/utf8"

	"tributary/platform/fault"
)

// Max is the largest number of characters of an id.
const Max = 128

// Valid reports whether the text is a valid id.
func Valid(text string) bool { return violation(text).code == nil }

// Check adds a fault of the field unless the text is a valid id.
func Check(faults *fault.Fields, field, text string) {
	if v := violation(text); v.code != nil {
		faults.Add(field, v.code, v.message)
	}
}

// CheckOptional is Check for a field that may be absent, which is the empty text.
func CheckOptional(faults *fault.Fields, field, text string) {
	if text != "" {
		Check(faults, field, text)
	}
}

// Readable reports whether the text can be the id of something already stored or published: 1 to
// 128 characters without control characters. The rule for new ids became stricter later; what was
// accepted before keeps its decision and can be looked up.
func Readable(text string) bool {
	if text == "" || TooLong(text) || !utf8.ValidString(text) {
		return false
	}

	for _, r := range text {
		if unicode.IsControl(r) {
			return false
		}
	}

	return true
}

// ErrBlankAtEnd is the code of an id that begins or ends with a blank.
var ErrBlankAtEnd = fault.DefineField("blank_at_end", "must neither begin nor end with a blank")

type broken struct {
	code    *fault.FieldCode
	message string
}

// violation returns the part of the rule that the text violates, or the zero value.
func violation(text string) broken {
	switch {
	case text == "":
		return broken{fault.ErrTooShort, "must have at least 1 character"}
	case TooLong(text):
		return broken{fault.ErrTooLong, "must have at most 128 characters"}
	case !Printable(text):
		return broken{fault.ErrNotPrintable, "must consist of printable characters"}
	case text[0] == ' ' || text[len(text)-1] == ' ': // no other white space is printable
		return broken{ErrBlankAtEnd, "must neither begin nor end with a blank"}
	}

	return broken{}
}

// TooLong reports whether the text has more characters than an id may have.
func TooLong(text string) bool { return len(text) > Max && utf8.RuneCountInString(text) > Max }

// Printable reports whether the text is valid UTF-8 without invisible characters other than spaces.
// The replacement character stands for lost text and is refused too.
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
		if !unicode.IsPrint(r) || r == utf8.RuneError || invisible(r) {
			return false
		}
	}

	return true
}

// invisible reports whether the character has no visible form although Unicode does not class it as
// control or format: fillers, joiners, variation selectors, the empty Braille pattern.
func invisible(r rune) bool {
	const emptyBraille = '\u2800'

	return r == emptyBraille ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
