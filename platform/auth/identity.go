// Package auth tells who asks and what they may do. A Verifier turns a bearer token (a JSON Web
// Token) into an Identity or into a fault with a stable code; operations state the rights they need
// with Require or Public, and Middleware enforces them. It is technical code for all services: it
// knows roles, and nothing of what they are used for.
package auth

import (
	"context"
	"slices"
	"time"

	"tributary/platform/fault"
)

// Role is a right that a token grants, by its claim roles (an array) or scope (a string of words).
type Role string

// The roles. Admin may do what Operator may; neither of them acts as a Partner.
const (
	Partner  Role = "partner"  // sees and asks only for itself
	Operator Role = "operator" // sees everyone; approves, holds, completes payouts
	Admin    Role = "admin"    // writes rules
)

// Identity is who a request comes from, as its token says.
type Identity struct {
	// UserID is the first of the claims userId, user_id, sub, id: 1 to 128 printable characters.
	UserID string
	// Subject, Issuer and TokenID are the claims sub, iss and jti; empty when absent.
	Subject string
	Issuer  string
	TokenID string
	// Roles are the names in roles and scope, each once, also those that this package does not
	// know. A token without both claims says nothing about rights and stands for a partner.
	Roles []Role
	// ExpiresAt is the claim exp in UTC; zero only when Verified is false and there is none.
	ExpiresAt time.Time
	// Verified is false when verification is switched off: then anybody may have written the token.
	Verified bool
}

// Has tells whether the identity holds at least one of the roles. Admin stands for Operator too.
func (i Identity) Has(roles ...Role) bool {
	for _, want := range roles {
		if slices.Contains(i.Roles, want) || (want == Operator && slices.Contains(i.Roles, Admin)) {
			return true
		}
	}

	return false
}

// seesAll tells whether the identity may read what belongs to others.
func (i Identity) seesAll() bool { return i.Has(Operator, Admin) }

type contextKey struct{}

// With returns ctx carrying the identity. Middleware does it; tests may.
func With(ctx context.Context, identity Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, identity)
}

// From gives the identity of the request; false when the route is public or authentication is off.
func From(ctx context.Context) (Identity, bool) {
	identity, ok := ctx.Value(contextKey{}).(Identity)
	return identity, ok
}

// OwnUser gives the user id that a list must be limited to ("" for no limit) when the caller asked
// for the user id asked ("" for all). Operators get what they ask; a partner gets itself, and a
// Forbidden fault foreign_user when it asks for somebody else. With authentication off everybody
// gets what they ask.
func OwnUser(ctx context.Context, asked string) (string, error) {
	identity, known := From(ctx)
	if !known || identity.seesAll() {
		return asked, nil
	}

	if asked != "" && asked != identity.UserID {
		return "", fault.New(fault.Forbidden, "foreign_user", "You may only ask for your own data.")
	}

	return identity.UserID, nil
}

// MaySee tells whether the caller may read what belongs to the user. A service answers "not found"
// otherwise, so that ids of others cannot be probed.
func MaySee(ctx context.Context, owner string) bool {
	identity, known := From(ctx)
	return !known || identity.seesAll() || identity.UserID == owner
}
