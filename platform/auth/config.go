package auth

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"tributary/platform/config"
)

// Config says which tokens are accepted. Exactly one source of keys is used: the secret for HS256,
// or a PEM file or a JSON Web Key Set for the other algorithms.
type Config struct {
	// Secret verifies HS256 tokens; at least 32 bytes. Production: must not be an example or easy
	// to guess.
	Secret string `envconfig:"JWT_SECRET_KEY"`
	// Algorithm is HS256, RS256, ES256 or EdDSA. Tokens with any other algorithm are refused.
	Algorithm string `envconfig:"JWT_ALGORITHM" default:"HS256"`
	// RequireValidation enables verification. If false, any well-formed token is accepted, and its
	// commands are marked as unverified. Production: must be true.
	RequireValidation bool `envconfig:"JWT_REQUIRE_VALIDATION" default:"true"`
	// Issuer is the required iss of tokens; empty for any. Production: required for RS256, ES256
	// and EdDSA.
	Issuer string `envconfig:"JWT_ISSUER"`
	// Audience must be in the aud of tokens; empty for any. Production: required for RS256, ES256
	// and EdDSA.
	Audience string `envconfig:"JWT_AUDIENCE"`
	// JWKSURL is the address of the JSON Web Key Set for RS256, ES256 and EdDSA. Production: must
	// be https.
	JWKSURL string `envconfig:"JWT_JWKS_URL"`
	// PublicKeyFile is a PEM file of public keys; it replaces JWT_JWKS_URL.
	PublicKeyFile string `envconfig:"JWT_PUBLIC_KEY_FILE"`
	// Leeway is the accepted difference between the clocks of issuer and service; at most 60s.
	Leeway time.Duration `envconfig:"JWT_LEEWAY" default:"30s"`

	// UserClaim is the claim that names the user; empty for the first of userId, user_id, sub and
	// id. A claim is named as in the token, or by a path with dots such as realm_access.roles.
	UserClaim string `envconfig:"JWT_USER_CLAIM"`
	// RolesClaim lists the claims that grant roles, separated by commas; empty for roles.
	RolesClaim []string `envconfig:"JWT_ROLES_CLAIM"`
	// AudienceClaim is the claim that holds the audience, such as client_id; empty for aud.
	AudienceClaim string `envconfig:"JWT_AUDIENCE_CLAIM"`
}

const (
	hs256     = "HS256"
	maxLeeway = time.Minute
)

// Validate returns a message for each invalid setting; production adds those for insecure ones. No
// message contains a secret.
func (c Config) Validate(production bool) []string {
	var faults []string
	note := func(wrong bool, text string) {
		if wrong {
			faults = append(faults, text)
		}
	}
	note(c.Leeway < 0 || c.Leeway > maxLeeway, "JWT_LEEWAY must be between 0s and 60s")
	note(
		c.Issuer != strings.TrimSpace(c.Issuer),
		"JWT_ISSUER must not begin or end with white space",
	)
	note(
		c.Audience != strings.TrimSpace(c.Audience),
		"JWT_AUDIENCE must not begin or end with white space",
	)

	for name, claims := range map[string][]string{
		"JWT_USER_CLAIM":     {c.UserClaim},
		"JWT_ROLES_CLAIM":    c.RolesClaim,
		"JWT_AUDIENCE_CLAIM": {c.AudienceClaim},
	} {
		note(
			slices.ContainsFunc(claims, func(claim string) bool { return claim != strings.TrimSpace(claim) }),
			name+" must name claims without white space around them",
		)
	}

	note(
		len(c.RolesClaim) > 1 && slices.Contains(c.RolesClaim, ""),
		"JWT_ROLES_CLAIM must not list an empty name",
	)

	if !c.RequireValidation {
		note(
			production,
			"JWT_REQUIRE_VALIDATION=false is refused in production: anyone could write a token",
		)

		return faults
	}

	// Several applications share a key: an identity provider's by design, a secret by habit.
	note(
		production && c.Issuer == "",
		"JWT_ISSUER must be set in production: a key identifies the signer, not the recipient",
	)
	note(
		production && c.Audience == "",
		"JWT_AUDIENCE must be set in production: a key identifies the signer, not the recipient",
	)

	switch c.Algorithm {
	case hs256:
		note(
			c.JWKSURL != "" || c.PublicKeyFile != "",
			"JWT_JWKS_URL and JWT_PUBLIC_KEY_FILE require JWT_ALGORITHM RS256, ES256 or EdDSA",
		)
		note(
			len(c.Secret) < minSecret,
			"JWT_SECRET_KEY must be at least 32 bytes (create one with openssl rand -base64 48)",
		)
		note(
			production && len(c.Secret) >= minSecret &&
				(config.Guessable(c.Secret) || config.Monotonous(c.Secret)),
			"JWT_SECRET_KEY is an example or too simple: refused in production",
		)
	case "RS256", "ES256", "EdDSA":
		faults = append(faults, c.publicKeyFaults(production)...)
	default:
		note(true, "JWT_ALGORITHM must be HS256, RS256, ES256 or EdDSA")
	}

	return faults
}

func (c Config) publicKeyFaults(production bool) []string {
	var faults []string
	note := func(wrong bool, text string) {
		if wrong {
			faults = append(faults, text)
		}
	}
	note(
		(c.JWKSURL == "") == (c.PublicKeyFile == ""),
		"JWT_ALGORITHM "+c.Algorithm+" requires one of JWT_JWKS_URL and JWT_PUBLIC_KEY_FILE",
	)

	if c.PublicKeyFile != "" {
		_, err := pemKeys(c.PublicKeyFile, c.Algorithm)
		if err != nil {
			faults = append(faults, "JWT_PUBLIC_KEY_FILE: "+err.Error())
		}
	}

	if c.JWKSURL != "" {
		address, err := url.Parse(c.JWKSURL)
		bad := err != nil || address.Host == "" ||
			(address.Scheme != "https" && address.Scheme != "http")
		note(bad, "JWT_JWKS_URL must be an absolute http or https URL")
		note(
			production && !bad && address.Scheme != "https",
			"JWT_JWKS_URL must be https in production",
		)
	}

	return faults
}
