package auth

import (
	"context"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/fault"
	"tributary/platform/httpapi"
)

// Scheme is the name of the bearer scheme in the OpenAPI documents.
const Scheme = "bearer"

// Require is what an operation puts into its Security: a valid token, and one of the roles when any
// are given. The same words appear in the OpenAPI document, so that tests can list the protected
// routes.
//
//	huma.Operation{…, Security: auth.Require(auth.Operator)}
func Require(roles ...Role) []map[string][]string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}

	return []map[string][]string{{Scheme: names}}
}

// Public is the Security of an operation without authentication. An operation without Security
// requires a token.
func Public() []map[string][]string { return []map[string][]string{} }

// Middleware verifies the token of every operation that is not Public, counts the request against
// the caller's limit and checks the roles that the operation requires. It must precede middleware
// that reads the body. A nil verifier switches authentication off: every operation is open, no
// limit applies, and From finds no identity.
func Middleware(v *Verifier, limits Limits) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if v == nil {
			next(ctx)
			return
		}

		roles, protected := required(ctx.Operation().Security)
		if !protected {
			next(ctx)
			return
		}

		var headers []string
		ctx.EachHeader(func(name, value string) {
			if strings.EqualFold(name, "Authorization") {
				headers = append(headers, value)
			}
		})

		identity, err := authenticate(ctx.Context(), v, headers)
		if err != nil {
			if limited := limits.tooManyRefused(err, ctx.RemoteAddr()); limited != nil {
				err = limited
			}

			httpapi.WriteHumaError(ctx, err)

			return
		}

		allowance := limits.callers.Take(identity.UserID)
		limits.callers.Headers(allowance, ctx.SetHeader)

		err = allowance.Err()
		if err == nil {
			err = identity.check(roles)
		}

		if err != nil {
			httpapi.WriteHumaError(ctx, err)
			return
		}

		next(huma.WithValue(ctx, contextKey{}, identity))
	}
}

// required reads what Require and Public wrote. Anything else requires a token.
func required(security []map[string][]string) (roles []Role, protected bool) {
	if security != nil && len(security) == 0 {
		return nil, false
	}

	for _, requirement := range security {
		for _, name := range requirement[Scheme] {
			roles = append(roles, Role(name))
		}
	}

	return roles, true
}

func authenticate(ctx context.Context, v *Verifier, headers []string) (Identity, error) {
	text, err := bearer(headers)
	if err != nil {
		return Identity{}, err
	}

	return v.Verify(ctx, text)
}

// check returns ErrRoleMissing unless the identity has one of the roles.
func (i Identity) check(roles []Role) error {
	if len(roles) == 0 || i.Has(roles...) {
		return nil
	}

	return ErrRoleMissing.New("This operation requires one of the roles: " + list(roles) + ".")
}

// bearer reads the Authorization header (RFC 9110, 11.4): the scheme in any case, one or more
// spaces, the token.
func bearer(headers []string) (string, error) {
	if len(headers) == 1 {
		scheme, token, found := strings.Cut(headers[0], " ")

		token = strings.TrimLeft(token, " ")

		if found && strings.EqualFold(scheme, "Bearer") && token != "" {
			return token, nil
		}
	}

	return "", fault.ErrTokenMissing.New("Send exactly one header Authorization: Bearer <token>.")
}

func list(roles []Role) string {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}

	slices.Sort(names)

	return strings.Join(names, ", ")
}
