// Package auth determines who asks and what they may do. A Verifier turns a bearer token (a JSON
// Web Token) into an Identity or into a fault with a stable code; operations state the rights they
// need with Require or Public, and Middleware enforces them. It is technical code for all services:
// it knows roles, and nothing of what they are used for.
package auth

import (
	"context"
	"slices"
	"time"

	"tributary/platform/fault"
)

// Role is a right that a token grants, by its claim roles or the claims that JWT_ROLES_CLAIM names.
type Role string

// The roles. Admin may do what Operator and Finance may; none of the three acts as a Partner.
const (
	Partner  Role = "partner"  // sees and asks only for itself
	Operator Role = "operator" // sees everyone; approves, holds and adjusts commissions
	Finance  Role = "finance"  // sees everyone; opens account details and settles payouts
	Admin    Role = "admin"    // writes rules, replays
)

// Identity is who a request comes from, as its token says.
type Identity struct {
	// UserID is the first of the claims userId, user_id, sub, id, or the claim that JWT_USER_CLAIM
	// names: 1 to 128 printable characters.
	UserID string
	// Subject, Issuer and TokenID are the claims sub, iss and jti; empty when absent.
	Subject string
	Issuer  string
	TokenID string
	// Roles are the names in the claims that grant roles, each once, also those that this package
	// does not know. A token without those claims says nothing about rights and stands for a
	// partner.
	Roles []Role
	// ExpiresAt is the claim exp in UTC; zero only when Verified is false and there is none.
	ExpiresAt time.Time
	// Verified is false when verification is switched off: then anybody may have written the token.
	Verified bool
}

// Has reports whether the identity holds at least one of the roles. Admin stands for Operator and
// Finance too.
func (i Identity) Has(roles ...Role) bool {
	admin := slices.Contains(i.Roles, Admin)
	for _, want := range roles {
		if slices.Contains(i.Roles, want) || (admin && want != Partner) {
			return true
		}
	}

	return false
}

// seesAll reports whether the identity may read what belongs to others.
func (i Identity) seesAll() bool { return i.Has(Operator, Finance) }

type contextKey struct{}

// With returns ctx carrying the identity. Middleware does it; tests may.
func With(ctx context.Context, identity Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, identity)
}

// From returns the identity of the request; false when the route is public or authentication is
// off.
func From(ctx context.Context) (Identity, bool) {
	identity, ok := ctx.Value(contextKey{}).(Identity)
	return identity, ok
}

// OwnUser returns the user id that a list must be limited to ("" for no limit) when the caller
// asked for the user id asked ("" for all). Operators and finance get what they ask for; a partner
// gets itself, and a Forbidden fault foreign_user when it asks for another user. With
// authentication off every caller gets what it asks for.
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

// SeesAll reports whether the caller may read what belongs to others, and what the staff notes.
// With authentication off every caller may.
func SeesAll(ctx context.Context) bool {
	identity, known := From(ctx)
	return !known || identity.seesAll()
}

// MaySee reports whether the caller may read what belongs to the user. A service answers "not
// found" otherwise, so that ids of others cannot be probed.
func MaySee(ctx context.Context, owner string) bool {
	identity, known := From(ctx)
	return !known || identity.seesAll() || identity.UserID == owner
}
