package strictjson

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Canonical returns the same text for all JSON values that are equal to value: members sorted, no
// white space, no unnecessary escapes, and numbers that are equal as decimals written alike (100,
// 100.0, 1.00e2). Numbers are never evaluated, so precision is kept and 1e999999999 takes no
// memory. The text is for comparing and hashing. An error means that value is not valid JSON.
func Canonical(value []byte) ([]byte, error) {
	text := jsontext.Value(bytes.Clone(value))

	err := text.Canonicalize(
		jsontext.CanonicalizeRawInts(false),
		jsontext.CanonicalizeRawFloats(false),
	)
	if err != nil {
		return nil, err
	}

	out := make([]byte, 0, len(text)+8)
	for i := 0; i < len(text); {
		end := i + 1

		switch c := text[i]; {
		case c == '"':
			end = afterString(text, i)
			out = append(out, text[i:end]...)
		case c == '-' || (c >= '0' && c <= '9'):
			end = i + numberLength(text[i:])
			out = appendNumber(out, text[i:end])
		default:
			out = append(out, c)
		}

		i = end
	}

	return out, nil
}

// Number returns the same text for all JSON numbers that are equal to text as decimals. The bool is
// false if text is not a JSON number.
func Number(text string) (string, bool) {
	value := jsontext.Value(text)
	if !value.IsValid() || value.Kind() != jsontext.KindNumber ||
		numberLength(value) != len(value) {
		return "", false
	}

	return string(appendNumber(nil, value)), true
}

// afterString returns the index after the string that begins at i.
func afterString(text []byte, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}

	return i + 1
}

func numberLength(text []byte) int {
	for i, c := range text {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return i
		}
	}

	return len(text)
}

// appendNumber appends a valid number as its digits, without zeros at either end, and a power of
// ten. Zero has no sign.
func appendNumber(out, number []byte) []byte {
	mantissa, power := number, []byte(nil)
	if at := bytes.IndexAny(number, "eE"); at >= 0 {
		mantissa, power = number[:at], number[at+1:]
	}

	unsigned := bytes.TrimPrefix(mantissa, []byte("-"))
	whole, fraction, _ := bytes.Cut(unsigned, []byte("."))
	all := append(bytes.Clone(whole), fraction...)
	digits := bytes.TrimRight(all, "0")
	shift := len(all) - len(digits) - len(fraction)
	digits = bytes.TrimLeft(digits, "0")

	if len(digits) == 0 {
		return append(out, '0')
	}

	exponent := 0
	if len(power) > 0 {
		var err error
		if exponent, err = strconv.Atoi(string(power)); err != nil || tooFar(exponent) {
			return append(out, number...) // beyond every exponent that can be written otherwise
		}
	}

	if len(unsigned) < len(mantissa) {
		out = append(out, '-')
	}

	out = append(out, digits...)
	if exponent += shift; exponent != 0 {
		out = append(out, 'e')
		out = strconv.AppendInt(out, int64(exponent), 10)
	}

	return out
}

// tooFar reports whether adding the length of a text to the exponent could overflow.
func tooFar(exponent int) bool {
	const far = 1 << 62
	return exponent > far || exponent < -far
}
