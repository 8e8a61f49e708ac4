package auth

import (
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/ratelimit"
)

// Codes documents every error code of this package, for OpenAPI documents and docs/errors.md.
func Codes() []httpapi.Code {
	return []httpapi.Code{
		{
			Code:    "token_missing",
			Kind:    fault.Unauthenticated,
			Meaning: "There is no Authorization header of the form \"Bearer <token>\", or more than one.",
		},
		{
			Code:    "token_malformed",
			Kind:    fault.Unauthenticated,
			Meaning: "The bearer token is not a JSON Web Token in compact form.",
		},
		{
			Code:    "token_too_large",
			Kind:    fault.Unauthenticated,
			Meaning: "The token is longer than 8 KiB.",
		},
		{
			Code:    "token_type_refused",
			Kind:    fault.Unauthenticated,
			Meaning: "The token's typ is not JWT or at+jwt: it was made for another purpose.",
		},
		{
			Code:    "token_algorithm_refused",
			Kind:    fault.Unauthenticated,
			Meaning: "The token names another algorithm than the one its key is for (none is never taken).",
		},
		{
			Code:    "token_key_unknown",
			Kind:    fault.Unauthenticated,
			Meaning: "No known key has the token's kid.",
		},
		{
			Code:    "token_signature_invalid",
			Kind:    fault.Unauthenticated,
			Meaning: "The signature does not fit the token.",
		},
		{
			Code:    "token_expired",
			Kind:    fault.Unauthenticated,
			Meaning: "The token's exp has passed; get a new one.",
		},
		{
			Code:    "token_not_yet_valid",
			Kind:    fault.Unauthenticated,
			Meaning: "The token's nbf, or iat, lies ahead.",
		},
		{
			Code: "token_claim_missing",
			Kind: fault.Unauthenticated,
			Meaning: "A claim that is required is absent: exp, a user id, or iss and aud where " +
				"they are checked.",
		},
		{
			Code: "token_claim_invalid",
			Kind: fault.Unauthenticated,
			Meaning: "A claim has the wrong type or breaks its rule, such as a user id that is " +
				"not 1 to 128 printable characters.",
		},
		{
			Code: "token_user_ambiguous",
			Kind: fault.Unauthenticated,
			Meaning: "The claims userId, user_id, sub and id name different users; " +
				"JWT_USER_CLAIM says which of them counts.",
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
			Meaning: "The token is valid and grants none of the roles that the operation needs.",
		},
		{
			Code:    "foreign_user",
			Kind:    fault.Forbidden,
			Meaning: "A partner asked for the data of another user.",
		},
		ratelimit.Code(),
		{
			Code:    "token_keys_unavailable",
			Kind:    fault.Unavailable,
			Meaning: "The keys of the identity provider cannot be fetched; try again after Retry-After.",
		},
	}
}

func refuse(code, detail string) error {
	return fault.New(fault.Unauthenticated, code, detail)
}

func malformed() error {
	return refuse("token_malformed", "The bearer token is not a JSON Web Token.")
}
