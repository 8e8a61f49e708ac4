package auth

import "context"

// User returns the user of the request's token, or "" if the request has no token.
func User(ctx context.Context) string {
	identity, _ := From(ctx)
	return identity.UserID
}
