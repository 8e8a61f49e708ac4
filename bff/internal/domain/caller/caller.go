// Package caller (domain) is who gives a command: the identity that the service has taken from a
// bearer token.
package caller

import (
	"slices"
	"time"

	"tributary/platform/fault"
)

// Claims are what is known of a caller. UserID is required; the rest is empty when the token does
// not say it.
type Claims struct {
	UserID    string
	Subject   string
	Issuer    string
	TokenID   string
	Roles     []string
	ExpiresAt time.Time // zero: none
	Verified  bool      // false: nobody has checked the token's signature
}

// Caller is a known user. The zero value is nobody.
type Caller struct{ claims Claims }

// New makes a caller; it is Invalid without a user id.
func New(claims Claims) (Caller, error) {
	if claims.UserID == "" {
		return Caller{}, fault.New(
			fault.Unauthenticated,
			"token_claim_missing",
			"The token names no user.",
		)
	}

	claims.Roles = slices.Clone(claims.Roles)
	claims.ExpiresAt = claims.ExpiresAt.UTC()

	return Caller{claims: claims}, nil
}

// UserID is the user who acts.
func (c Caller) UserID() string { return c.claims.UserID }

// Claims gives a copy of everything known.
func (c Caller) Claims() Claims {
	claims := c.claims
	claims.Roles = slices.Clone(claims.Roles)

	return claims
}
