package auth

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"tributary/platform/config"
)

// Config says which tokens are believed. Exactly one source of keys is used: the secret for HS256,
// a PEM file or a JSON Web Key Set for the others.
type Config struct {
	// Secret verifies HS256 tokens; 32 bytes or more. Production: must not be an example or easy to
	// guess.
	Secret string `envconfig:"JWT_SECRET_KEY"`
	// Algorithm is HS256, RS256, ES256 or EdDSA; tokens of any other are refused.
	Algorithm string `envconfig:"JWT_ALGORITHM" default:"HS256"`
	// RequireValidation verifies tokens. With false any well-formed token is believed, and its
	// commands are marked as unverified. Production: must be true.
	RequireValidation bool `envconfig:"JWT_REQUIRE_VALIDATION" default:"true"`
	// Issuer is the iss that tokens must have; empty for any. Production: required for RS256, ES256
	// and EdDSA.
	Issuer string `envconfig:"JWT_ISSUER"`
	// Audience is the aud that tokens must hold; empty for any. Production: required for RS256,
	// ES256 and EdDSA.
	Audience string `envconfig:"JWT_AUDIENCE"`
	// JWKSURL is the address of the JSON Web Key Set that verifies RS256, ES256 and EdDSA.
	// Production: must be https.
	JWKSURL string `envconfig:"JWT_JWKS_URL"`
	// PublicKeyFile is a PEM file of public keys, instead of JWT_JWKS_URL.
	PublicKeyFile string `envconfig:"JWT_PUBLIC_KEY_FILE"`
	// Leeway is how far the clocks of issuer and service may differ; at most 60s.
	Leeway time.Duration `envconfig:"JWT_LEEWAY" default:"30s"`

	// UserClaim is the claim that names the user; empty for the first of userId, user_id, sub and
	// id. A claim is named as it stands in the token, or by a path with dots such as
	// realm_access.roles.
	UserClaim string `envconfig:"JWT_USER_CLAIM"`
	// RolesClaim is the claim that holds the roles, or several, separated by commas; empty for
	// roles.
	RolesClaim []string `envconfig:"JWT_ROLES_CLAIM"`
	// AudienceClaim is the claim that holds the audience, such as client_id; empty for aud.
	AudienceClaim string `envconfig:"JWT_AUDIENCE_CLAIM"`
}

const (
	hs256     = "HS256"
	maxLeeway = time.Minute
)

// Validate tells every fault of the settings; production adds the refusals of insecure ones. No
// fault holds a value.
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
			"JWT_REQUIRE_VALIDATION=false is refused in production: anybody could write a token",
		)

		return faults
	}

	// Keys are shared by many applications: an identity provider's by design, a secret by habit.
	note(
		production && c.Issuer == "",
		"JWT_ISSUER must be set in production: a key says who signs, not for whom",
	)
	note(
		production && c.Audience == "",
		"JWT_AUDIENCE must be set in production: a key says who signs, not for whom",
	)

	switch c.Algorithm {
	case hs256:
		note(
			c.JWKSURL != "" || c.PublicKeyFile != "",
			"JWT_JWKS_URL and JWT_PUBLIC_KEY_FILE need JWT_ALGORITHM RS256, ES256 or EdDSA",
		)
		note(
			len(c.Secret) < minSecret,
			"JWT_SECRET_KEY must be at least 32 bytes (openssl rand -base64 48 makes one)",
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
		"JWT_ALGORITHM "+c.Algorithm+" needs one of JWT_JWKS_URL and JWT_PUBLIC_KEY_FILE",
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
