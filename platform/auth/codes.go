package auth

import "tributary/platform/fault"

// The codes of refused tokens and callers. A token without a required claim is
// fault.ErrClaimMissing, a request without a token fault.ErrTokenMissing.
var (
	ErrTokenMalformed = fault.Define(
		fault.Unauthenticated,
		"token_malformed",
		"The bearer token is not a JSON Web Token in compact form. Send the token as the identity provider issued it.",
	)
	ErrTokenTooLarge = fault.Define(
		fault.Unauthenticated,
		"token_too_large",
		"The token is longer than 8 KiB. Request one with fewer claims.",
	)
	ErrTokenTypeRefused = fault.Define(
		fault.Unauthenticated,
		"token_type_refused",
		"The token's typ is neither JWT nor at+jwt: it was issued for another purpose.",
	)
	ErrTokenAlgorithmRefused = fault.Define(
		fault.Unauthenticated,
		"token_algorithm_refused",
		"The token's algorithm is not the one of its key. The algorithm none is never accepted.",
	)
	ErrTokenKeyUnknown = fault.Define(
		fault.Unauthenticated,
		"token_key_unknown",
		"No known key has the token's kid.",
	)
	ErrTokenSignatureInvalid = fault.Define(
		fault.Unauthenticated,
		"token_signature_invalid",
		"The signature does not match the token.",
	)
	ErrTokenExpired = fault.Define(
		fault.Unauthenticated,
		"token_expired",
		"The token has expired (exp). Get a new one.",
	)
	ErrTokenNotYetValid = fault.Define(
		fault.Unauthenticated,
		"token_not_yet_valid",
		"The token is not valid yet: its nbf or iat lies in the future.",
	)
	ErrTokenClaimInvalid = fault.Define(
		fault.Unauthenticated,
		"token_claim_invalid",
		"A claim has the wrong type or an invalid value, such as a user id that is not 1 to 128 printable characters.",
	)
	ErrTokenUserAmbiguous = fault.Define(
		fault.Unauthenticated,
		"token_user_ambiguous",
		"The claims userId, user_id, sub and id name different users; the operator can select one with JWT_USER_CLAIM.",
	)
	ErrTokenIssuerInvalid = fault.Define(
		fault.Unauthenticated,
		"token_issuer_invalid",
		"The token comes from another issuer.",
	)
	ErrTokenAudienceInvalid = fault.Define(
		fault.Unauthenticated,
		"token_audience_invalid",
		"The token is meant for another audience.",
	)
	ErrRoleMissing = fault.Define(
		fault.Forbidden,
		"role_missing",
		"The token is valid, but grants no role that the operation requires.",
	)
	ErrTokenKeysUnavailable = fault.Define(
		fault.Unavailable,
		"token_keys_unavailable",
		"The keys of the identity provider cannot be fetched. Retry after the time in Retry-After.",
	)
)

func malformed() error {
	return ErrTokenMalformed.New("The bearer token is not a JSON Web Token.")
}
