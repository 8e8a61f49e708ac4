package auth

import (
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/ratelimit"
)

// Codes returns every error code of this package, for OpenAPI documents and docs/errors.md.
func Codes() []httpapi.Code {
	return []httpapi.Code{
		{
			Code: "token_missing",
			Kind: fault.Unauthenticated,
			Meaning: "The request has no Authorization header of the form \"Bearer <token>\", or " +
				"several. Send exactly one.",
		},
		{
			Code: "token_malformed",
			Kind: fault.Unauthenticated,
			Meaning: "The bearer token is not a JSON Web Token in compact form. Send the token " +
				"as the identity provider issued it.",
		},
		{
			Code:    "token_too_large",
			Kind:    fault.Unauthenticated,
			Meaning: "The token is longer than 8 KiB. Request one with fewer claims.",
		},
		{
			Code:    "token_type_refused",
			Kind:    fault.Unauthenticated,
			Meaning: "The token's typ is neither JWT nor at+jwt: it was issued for another purpose.",
		},
		{
			Code:    "token_algorithm_refused",
			Kind:    fault.Unauthenticated,
			Meaning: "The token's algorithm is not the one of its key. The algorithm none is never accepted.",
		},
		{
			Code:    "token_key_unknown",
			Kind:    fault.Unauthenticated,
			Meaning: "No known key has the token's kid.",
		},
		{
			Code:    "token_signature_invalid",
			Kind:    fault.Unauthenticated,
			Meaning: "The signature does not match the token.",
		},
		{
			Code:    "token_expired",
			Kind:    fault.Unauthenticated,
			Meaning: "The token has expired (exp). Get a new one.",
		},
		{
			Code:    "token_not_yet_valid",
			Kind:    fault.Unauthenticated,
			Meaning: "The token is not valid yet: its nbf or iat lies in the future.",
		},
		{
			Code: "token_claim_missing",
			Kind: fault.Unauthenticated,
			Meaning: "A required claim is absent: exp, a user id, or iss and aud where " +
				"they are checked.",
		},
		{
			Code: "token_claim_invalid",
			Kind: fault.Unauthenticated,
			Meaning: "A claim has the wrong type or an invalid value, such as a user id that is " +
				"not 1 to 128 printable characters.",
		},
		{
			Code: "token_user_ambiguous",
			Kind: fault.Unauthenticated,
			Meaning: "The claims userId, user_id, sub and id name different users; " +
				"the operator can select one with JWT_USER_CLAIM.",
		},
		{
			Code:    "token_issuer_invalid",
			Kind:    fault.Unauthenticated,
			Meaning: "The token comes from another issuer.",
		},
		{
			Code:    "token_audience_invalid",
			Kind:    fault.Unauthenticated,
			Meaning: "The token is meant for another audience.",
		},
		{
			Code:    "role_missing",
			Kind:    fault.Forbidden,
			Meaning: "The token is valid, but grants no role that the operation requires.",
		},
		{
			Code:    "foreign_user",
			Kind:    fault.Forbidden,
			Meaning: "A partner requested the data of another user. Partners may request only their own.",
		},
		ratelimit.Code(),
		{
			Code:    "token_keys_unavailable",
			Kind:    fault.Unavailable,
			Meaning: "The keys of the identity provider cannot be fetched. Retry after the time in Retry-After.",
		},
	}
}

func refuse(code, detail string) error {
	return fault.New(fault.Unauthenticated, code, detail)
}

func malformed() error {
	return refuse("token_malformed", "The bearer token is not a JSON Web Token.")
}
