// Package caller (domain) is the sender of a command: the identity from a bearer token.
package caller

import (
	"slices"
	"time"

	"tributary/platform/fault"
)

// Claims are the known facts about a caller. UserID is required; the other fields are empty if the
// token lacks them.
type Claims struct {
	UserID    string
	Subject   string
	Issuer    string
	TokenID   string
	Roles     []string
	ExpiresAt time.Time // zero if absent
	Verified  bool      // false if the token's signature was not verified
}

// Caller is a known user. The zero value is not a user.
type Caller struct{ claims Claims }

// New returns a caller. An Invalid fault is returned if the user id is empty.
func New(claims Claims) (Caller, error) {
	if claims.UserID == "" {
		return Caller{}, fault.ErrClaimMissing.New("The token names no user.")
	}

	claims.Roles = slices.Clone(claims.Roles)
	claims.ExpiresAt = claims.ExpiresAt.UTC()

	return Caller{claims: claims}, nil
}

// UserID returns the id of the user.
func (c Caller) UserID() string { return c.claims.UserID }

// Claims returns a copy of the claims.
func (c Caller) Claims() Claims {
	claims := c.claims
	claims.Roles = slices.Clone(claims.Roles)

	return claims
}
