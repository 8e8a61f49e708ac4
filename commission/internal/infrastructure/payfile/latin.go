package payfile

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// banks' characters beside letters and digits (EPC217-08)
const sepaMarks = "/-?:().,'+ "

// latin returns the text in the characters that every bank of the Single Euro Payments Area takes:
// letters lose their accents, and other marks become the nearest one. The bool is false if a letter
// has no Latin form.
func latin(text string) (string, bool) {
	var out strings.Builder

	for _, c := range norm.NFKD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, c):
		case c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c)),
			strings.ContainsRune(sepaMarks, c):
			out.WriteRune(c)
		case replacement(c) != "":
			out.WriteString(replacement(c))
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			return "", false
		default:
			out.WriteByte('.')
		}
	}

	return strings.Join(strings.Fields(out.String()), " "), true
}

// replacement returns how a character is written that has no canonical decomposition.
func replacement(c rune) string {
	return map[rune]string{
		'ß': "ss", 'ẞ': "SS", 'Æ': "AE", 'æ': "ae", 'Œ': "OE", 'œ': "oe", 'Ø': "O", 'ø': "o",
		'Ł': "L", 'ł': "l", 'Đ': "D", 'đ': "d", 'Ð': "D", 'ð': "d", 'Þ': "Th", 'þ': "th",
		'Ħ': "H", 'ħ': "h", 'ı': "i", 'ĸ': "k", 'Ŋ': "N", 'ŋ': "n", 'Ŧ': "T", 'ŧ': "t",
		'&': "+", '_': "-", '–': "-", '—': "-", '"': "'", '’': "'", '‘': "'", '“': "'", '”': "'",
		'„': "'", '[': "(", ']': ")", '{': "(", '}': ")", ';': ",",
	}[c]
}

// cut returns at most n bytes of a Latin text.
func cut(text string, n int) string { return strings.TrimSpace(text[:min(len(text), n)]) }
