// Package auth determines who sends a request and what they may do. A Verifier turns a bearer token
// (a JSON Web Token) into an Identity, or returns a fault with a stable code. Operations state the
// rights they require with Require or Public, and Middleware enforces them. The package is
// technical code for all services: it knows roles, but not what they are used for.
package auth

import (
	"context"
	"slices"
	"time"

	"tributary/platform/fault"
)

// Role is a right that a token grants, in its claim roles or in the claims that JWT_ROLES_CLAIM
// names.
type Role string

// Admin has the rights of Operator and Finance. None of the three acts as a Partner.
const (
	Partner  Role = "partner"  // sees and requests only its own data
	Operator Role = "operator" // sees everyone, and changes what belongs to others
	Finance  Role = "finance"  // sees everyone, opens what is sealed, and moves money
	Admin    Role = "admin"    // changes what applies to all
)

// Identity is the caller of a request, as its token says.
type Identity struct {
	// UserID is the value of the first of the claims userId, user_id, sub and id, or of the claim
	// that JWT_USER_CLAIM names: 1 to 128 printable characters.
	UserID string
	// Subject, Issuer and TokenID are the claims sub, iss and jti, or empty if absent.
	Subject string
	Issuer  string
	TokenID string
	// Roles are the distinct names in the claims that grant roles, including names that this
	// package does not know. A token without such a claim has the role of a partner.
	Roles []Role
	// ExpiresAt is the claim exp in UTC. It is zero only if Verified is false and the claim is
	// absent.
	ExpiresAt time.Time
	// Verified is false if verification is switched off: anyone may have written the token.
	Verified bool
}

// Has reports whether the identity has at least one of the roles. Admin includes Operator and
// Finance.
func (i Identity) Has(roles ...Role) bool {
	admin := slices.Contains(i.Roles, Admin)
	for _, want := range roles {
		if slices.Contains(i.Roles, want) || (admin && want != Partner) {
			return true
		}
	}

	return false
}

// seesAll reports whether the identity may read the data of other users.
func (i Identity) seesAll() bool { return i.Has(Operator, Finance) }

type contextKey struct{}

// With returns a context that carries the identity. It is for Middleware and for tests.
func With(ctx context.Context, identity Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, identity)
}

// From returns the identity of the request. The bool is false if the route is public or
// authentication is off.
func From(ctx context.Context) (Identity, bool) {
	identity, ok := ctx.Value(contextKey{}).(Identity)
	return identity, ok
}

// OwnUser returns the user id that a list must be limited to, or "" for no limit, if the caller
// requests the user id asked ("" for all). Operators and finance get the user they request. A
// partner gets itself, and fault.ErrForeignUser if it requests another user. With
// authentication off every caller gets the user it requests.
func OwnUser(ctx context.Context, asked string) (string, error) {
	identity, known := From(ctx)
	if !known || identity.seesAll() {
		return asked, nil
	}

	if asked != "" && asked != identity.UserID {
		return "", fault.ErrForeignUser.New("You may request only your own data.")
	}

	return identity.UserID, nil
}

// SeesAll reports whether the caller may read the data of other users and the notes of the staff.
// With authentication off every caller may.
func SeesAll(ctx context.Context) bool {
	identity, known := From(ctx)
	return !known || identity.seesAll()
}

// MaySee reports whether the caller may read the data of the user. If not, a service answers "not
// found", so that callers cannot probe for the ids of others.
func MaySee(ctx context.Context, owner string) bool {
	identity, known := From(ctx)
	return !known || identity.seesAll() || identity.UserID == owner
}
