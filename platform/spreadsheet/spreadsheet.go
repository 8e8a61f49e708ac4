// Package spreadsheet renders texts harmless for programs that read CSV and take some texts for
// formulas.
package spreadsheet

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Harmless prefixes ' to a text that a spreadsheet could take for a formula, as a whole or in part
// after a separator. Blanks and full-width forms do not hide a formula.
func Harmless(text string) string {
	var out strings.Builder

	begins := true // a cell could begin here
	for i, c := range text {
		if begins && formula(text[i:]) {
			out.WriteByte('\'')
		}

		begins = strings.ContainsRune(";\t\r\n", c)

		out.WriteRune(c)
	}

	return out.String()
}

// formula reports whether a cell with the text would be a formula, by its first character after
// blanks.
func formula(text string) bool {
	if text[0] == '\t' || text[0] == '\r' || text[0] == '\n' {
		return true
	}

	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(text, blank))

	return strings.ContainsRune("=+-@＝＋－＠", first)
}

// blank reports whether a character is invisible.
func blank(c rune) bool {
	return unicode.IsSpace(c) || unicode.Is(unicode.Cf, c)
}
