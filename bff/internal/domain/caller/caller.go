// Package caller (domain) is the sender of a command: the identity from a bearer token.
package caller

import (
	"slices"
	"time"

	"tributary/platform/fault"
)

// Snapshot is what is known of a caller. UserID is required; the other fields are empty if the
// token lacks them.
type Snapshot struct {
	UserID    string
	Subject   string
	Issuer    string
	TokenID   string
	Roles     []string
	ExpiresAt time.Time // zero if absent
	Verified  bool      // false if the token's signature was not verified
}

// Caller is a known user. The zero value is not a user.
type Caller struct{ snapshot Snapshot }

// New returns a caller. An Invalid fault is returned if the user id is empty.
func New(snapshot Snapshot) (Caller, error) {
	if snapshot.UserID == "" {
		return Caller{}, fault.ErrClaimMissing.New("The token names no user.")
	}

	snapshot.Roles = slices.Clone(snapshot.Roles)
	snapshot.ExpiresAt = snapshot.ExpiresAt.UTC()

	return Caller{snapshot: snapshot}, nil
}

// UserID returns the id of the user.
func (c Caller) UserID() string { return c.snapshot.UserID }

// Snapshot returns a copy of the fields.
func (c Caller) Snapshot() Snapshot {
	snapshot := c.snapshot
	snapshot.Roles = slices.Clone(snapshot.Roles)

	return snapshot
}
