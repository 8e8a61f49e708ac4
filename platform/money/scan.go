package money

import "strings"

// number is digits × 10^exponent with neither leading nor trailing zeros in digits; zero has no
// digits and exponent 0.
type number struct {
	negative bool
	digits   string
	exponent int
}

// Limits of a text. A longer text is not a meaningful amount.
const (
	maxText     = 64
	maxExponent = 99
)

// scan reads the JSON number grammar and nothing else.
func scan(text string) (number, bool) {
	if text == "" || len(text) > maxText {
		return number{}, false
	}

	var n number
	rest, negative := strings.CutPrefix(text, "-")
	n.negative = negative

	integer, rest := leadingDigits(rest)
	if integer == "" || (len(integer) > 1 && integer[0] == '0') {
		return number{}, false
	}

	fraction := ""
	if after, ok := strings.CutPrefix(rest, "."); ok {
		if fraction, rest = leadingDigits(after); fraction == "" {
			return number{}, false
		}
	}

	exponent, ok := scanExponent(rest)
	if !ok {
		return number{}, false
	}

	n.digits, n.exponent = integer+fraction, exponent-len(fraction)
	n.normalise()

	return n, true
}

func leadingDigits(text string) (digits, rest string) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}

	return text[:i], text[i:]
}

// scanExponent reads "", "e5", "E+5" or "e-05".
func scanExponent(text string) (int, bool) {
	if text == "" {
		return 0, true
	}

	if text[0] != 'e' && text[0] != 'E' {
		return 0, false
	}

	text = text[1:]

	negative := strings.HasPrefix(text, "-")
	if negative || strings.HasPrefix(text, "+") {
		text = text[1:]
	}

	digits, rest := leadingDigits(text)
	if digits == "" || rest != "" {
		return 0, false
	}

	value := 0
	for _, c := range []byte(digits) {
		if value = value*10 + int(c-'0'); value > maxExponent {
			return 0, false
		}
	}

	if negative {
		value = -value
	}

	return value, true
}

func (n *number) normalise() {
	n.digits = strings.TrimLeft(n.digits, "0")
	trimmed := strings.TrimRight(n.digits, "0")
	n.exponent += len(n.digits) - len(trimmed)

	n.digits = trimmed
	if n.digits == "" {
		n.negative, n.exponent = false, 0
	}
}
