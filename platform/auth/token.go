package auth

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const maxToken = 8 << 10

// token is a compact JWT that is split but not verified.
type token struct {
	alg       string
	kid       string
	signed    string // what the signature covers
	claims    []byte // JSON object
	signature []byte
}

// split splits the text. It refuses a token that is too large, is not three strict base64url parts,
// whose header or claims are not a JSON object with distinct names, or that requires extensions
// (crit).
func split(text string) (token, error) {
	if len(text) > maxToken {
		return token{}, ErrTokenTooLarge.New("The token is longer than 8 KiB.")
	}

	parts := strings.SplitN(text, ".", 4)
	if len(parts) != 3 {
		return token{}, malformed()
	}

	var decoded [3][]byte
	for i, part := range parts {
		// DecodeString skips line breaks, which RFC 7515 does not allow.
		raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") {
			return token{}, malformed()
		}

		decoded[i] = raw
	}

	header, err := object(decoded[0])
	if err != nil {
		return token{}, err
	}

	if _, err := object(decoded[1]); err != nil {
		return token{}, err
	}

	t := token{signed: parts[0] + "." + parts[1], claims: decoded[1], signature: decoded[2]}

	return t, t.readHeader(header)
}

func (t *token) readHeader(header map[string]jsontext.Value) error {
	if _, critical := header["crit"]; critical {
		return malformed()
	}

	alg, given, ok := text(header["alg"])
	if !ok || !given {
		return malformed()
	}

	kid, _, ok := text(header["kid"])
	if !ok || len(kid) > 255 {
		return malformed()
	}

	typ, given, ok := text(header["typ"])
	if !ok {
		return malformed()
	}

	switch kind := strings.TrimPrefix(strings.ToLower(typ), "application/"); {
	case !given, kind == "jwt", kind == "at+jwt":
	default:
		return ErrTokenTypeRefused.New("The token was issued for another purpose.")
	}

	t.alg, t.kid = alg, kid

	return nil
}

// object reads a JSON object. It refuses duplicate names, invalid UTF-8, trailing text and other
// values.
func object(raw []byte) (map[string]jsontext.Value, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(raw, &members); err != nil || members == nil {
		return nil, malformed()
	}

	return members, nil
}

// text reads an optional string. null is treated as absent; for another type ok is false.
func text(raw jsontext.Value) (value string, given, ok bool) {
	if raw == nil || raw.Kind() == 'n' {
		return "", false, true
	}

	if raw.Kind() != '"' {
		return "", true, false
	}

	return value, true, json.Unmarshal(raw, &value) == nil
}
