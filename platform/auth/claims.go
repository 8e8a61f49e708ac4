package auth

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"

	"tributary/platform/fault"
)

// claims are the type-checked claims of a token. They implement jwt.Claims for the library's
// validator.
type claims struct {
	userID   string
	subject  string
	issuer   string
	tokenID  string
	audience []string
	roles    []Role

	expires, notBefore, issuedAt *jwt.NumericDate
}

var _ jwt.Claims = claims{}

func (c claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.expires, nil }
func (c claims) GetNotBefore() (*jwt.NumericDate, error)      { return c.notBefore, nil }
func (c claims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.issuedAt, nil }
func (c claims) GetAudience() (jwt.ClaimStrings, error)       { return c.audience, nil }
func (c claims) GetIssuer() (string, error)                   { return c.issuer, nil }
func (c claims) GetSubject() (string, error)                  { return c.subject, nil }

func (c claims) identity(verified bool) Identity {
	id := Identity{
		UserID:   c.userID,
		Subject:  c.subject,
		Issuer:   c.issuer,
		TokenID:  c.tokenID,
		Roles:    c.roles,
		Verified: verified,
	}
	if c.expires != nil {
		id.ExpiresAt = c.expires.UTC()
	}

	return id
}

func invalidClaim(name, rule string) error {
	return ErrTokenClaimInvalid.New("The claim " + name + " " + rule + ".")
}

func missingClaim(name string) error {
	return fault.ErrClaimMissing.New("The token has no " + name + ".")
}

// readClaims reads the claims of a token. It returns the faults token_claim_missing,
// token_claim_invalid and token_user_ambiguous.
func (r reader) readClaims(raw []byte) (claims, error) {
	members, err := object(raw)
	if err != nil {
		return claims{}, err
	}

	var c claims
	if c.userID, err = r.userID(members); err != nil {
		return claims{}, err
	}

	for name, target := range map[string]*string{"sub": &c.subject, "iss": &c.issuer, "jti": &c.tokenID} {
		value, _, ok := text(members[name])
		if name == "sub" && !ok { // an integer sub is accepted as a user id
			value, ok = integer(members[name])
		}

		if !ok || (value != "" && !short(value)) {
			return claims{}, invalidClaim(
				name,
				"is not a string of at most 255 printable characters",
			)
		}

		*target = value
	}

	for name, target := range map[string]**jwt.NumericDate{
		"exp": &c.expires, "nbf": &c.notBefore, "iat": &c.issuedAt,
	} {
		if *target, err = date(name, members[name]); err != nil {
			return claims{}, err
		}
	}

	if c.audience, err = r.audience(members); err != nil {
		return claims{}, err
	}

	c.roles, err = r.roles(members)

	return c, err
}

// integer reads a whole number without sign, fraction or exponent. Frameworks with numeric keys
// write such user ids into tokens.
func integer(raw jsontext.Value) (string, bool) {
	if raw.Kind() != '0' || len(raw) > 19 {
		return "", false
	}

	for _, digit := range raw {
		if digit < '0' || digit > '9' {
			return "", false
		}
	}

	return string(raw), true
}

func short(value string) bool {
	return utf8.RuneCountInString(value) <= 255 &&
		!strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f })
}

const lastDate = 253402300799 // the end of year 9999

// date reads a NumericDate, a JSON number of seconds. Fractions are cut off.
func date(name string, raw jsontext.Value) (*jwt.NumericDate, error) {
	if raw == nil || raw.Kind() == 'n' {
		return nil, nil // absent, by the validator's convention
	}

	if raw.Kind() == '0' && len(raw) <= 32 {
		seconds, err := strconv.ParseFloat(string(raw), 64)
		if err == nil && seconds >= 0 && seconds <= lastDate {
			return jwt.NewNumericDate(time.Unix(int64(seconds), 0)), nil
		}
	}

	return nil, invalidClaim(name, "is not a number of seconds since 1970")
}

// stringArray reads an array of strings. A null member is an error.
func stringArray(raw jsontext.Value) ([]string, error) {
	var values []jsontext.Value
	if err := json.Unmarshal(raw, &values); err != nil {
		return nil, err
	}

	list := make([]string, len(values))
	for i, value := range values {
		name, given, ok := text(value)
		if !given || !ok {
			return nil, errors.New("not a string")
		}

		list[i] = name
	}

	return list, nil
}

// claimFault turns an error of the library's validator into a fault. If the error joins several,
// the first in the order below counts.
func claimFault(err error) error {
	switch {
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return missingClaim("required claim: exp, or iss or aud")
	case errors.Is(err, jwt.ErrTokenExpired):
		return ErrTokenExpired.New("The token has expired.")
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return ErrTokenNotYetValid.New("The token is not valid yet.")
	case errors.Is(err, jwt.ErrTokenInvalidIssuer):
		return ErrTokenIssuerInvalid.New("The token comes from another issuer.")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return ErrTokenAudienceInvalid.New("The token is meant for another audience.")
	}

	return ErrTokenClaimInvalid.Because(err, "A claim of the token is invalid.")
}
