package payout

import (
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// A payment file names a payout by its reference, and so does a result of it.

//nolint:gochecknoglobals // a constant
var short = base32.HexEncoding.WithPadding(base32.NoPadding)

// Reference returns the id of a payout without dashes, in 32 characters.
func Reference(id string) string { return strings.ReplaceAll(id, "-", "") }

// ShortReference returns the id of a payout in 26 letters and digits, for systems that take no more
// than 30.
func ShortReference(id string) string {
	bytes, err := hex.DecodeString(Reference(id))
	if err != nil {
		return ""
	}

	return short.EncodeToString(bytes)
}

// ParseReference returns the id that a reference, of either form and in either case, or an id
// itself names. The bool reports whether it is one.
func ParseReference(text string) (id string, ok bool) {
	var (
		bytes []byte
		err   error
	)

	switch len(text) {
	case 26:
		bytes, err = short.DecodeString(strings.ToUpper(text))
		if err == nil && short.EncodeToString(bytes) != strings.ToUpper(text) {
			return "", false // unused bits
		}
	case 32, 36:
		bytes, err = hex.DecodeString(Reference(text))
	default:
		return "", false
	}

	if err != nil || len(bytes) != 16 {
		return "", false
	}

	digits := hex.EncodeToString(bytes)
	id = strings.Join(
		[]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]},
		"-",
	)

	return id, len(text) != len(id) || strings.EqualFold(text, id)
}
