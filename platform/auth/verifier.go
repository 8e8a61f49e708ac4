package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Verifier turns tokens into identities. It is safe for concurrent use.
type Verifier struct {
	keys      keySource // nil if verification is off
	algorithm string
	reader    reader
	validator *jwt.Validator
	cache     *cache
	now       func() time.Time
}

// Dependencies are what a Verifier takes from its process.
type Dependencies struct {
	Now       func() time.Time
	Logger    *slog.Logger
	Transport http.RoundTripper // for JWT_JWKS_URL; nil means http.DefaultTransport
}

// New returns a Verifier for settings that Config.Validate has accepted. A key set that cannot be
// fetched is not an error: until it can, tokens are refused with token_keys_unavailable and Ready
// returns an error. Fetching ends with ctx.
func New(ctx context.Context, cfg Config, deps Dependencies) (*Verifier, error) {
	v := &Verifier{
		algorithm: cfg.Algorithm,
		reader:    newReader(cfg),
		cache:     newCache(),
		now:       deps.Now,
	}
	if !cfg.RequireValidation {
		deps.Logger.WarnContext(
			ctx,
			"TOKENS ARE NOT VERIFIED: anyone can act as any user. JWT_REQUIRE_VALIDATION=false "+
				"is for development only",
		)

		return v, nil
	}

	options := []jwt.ParserOption{
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(cfg.Leeway),
		jwt.WithTimeFunc(deps.Now),
	}
	if cfg.Issuer != "" {
		options = append(options, jwt.WithIssuer(cfg.Issuer))
	}

	if cfg.Audience != "" {
		options = append(options, jwt.WithAudience(cfg.Audience))
	}

	v.validator = jwt.NewValidator(options...)

	var err error
	v.keys, err = keysOf(ctx, cfg, deps)

	return v, err
}

func keysOf(ctx context.Context, cfg Config, deps Dependencies) (keySource, error) {
	switch {
	case cfg.Algorithm == hs256 && len(cfg.Secret) >= minSecret:
		return fixedKeys{{jwt.SigningMethodHS256, []byte(cfg.Secret)}}, nil
	case cfg.Algorithm == hs256:
		return nil, fmt.Errorf("JWT_SECRET_KEY must be at least %d bytes", minSecret)
	case cfg.JWKSURL != "":
		transport := deps.Transport
		if transport == nil {
			transport = http.DefaultTransport
		}

		return newJWKS(ctx, cfg.JWKSURL, transport, deps.Logger), nil
	}

	keys, err := pemKeys(cfg.PublicKeyFile, cfg.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("JWT_PUBLIC_KEY_FILE: %w", err)
	}

	return keys, nil
}

// Ready returns an error if no token can be verified at the moment. It returns nil if verification
// is off.
func (v *Verifier) Ready(ctx context.Context) error {
	if v == nil || v.keys == nil {
		return nil
	}

	return v.keys.ready(ctx)
}

// Verify returns the identity of the token. Its errors are faults: Unauthenticated with one of
// Codes, or Unavailable if the keys cannot be fetched. No fault repeats any part of the token.
func (v *Verifier) Verify(ctx context.Context, text string) (Identity, error) {
	if v.keys == nil {
		return v.unverified(text)
	}

	now := v.now()
	generation := v.keys.generation()

	if len(text) <= maxToken {
		if identity, ok := v.cache.get(text, generation, now); ok {
			return identity, nil
		}
	}

	t, err := split(text)
	if err != nil {
		return Identity{}, err
	}

	if err := v.checkSignature(ctx, t); err != nil {
		return Identity{}, err
	}

	c, err := v.reader.readClaims(t.claims)
	if err != nil {
		return Identity{}, err
	}

	if err := v.validator.Validate(c); err != nil {
		return Identity{}, claimFault(err)
	}

	identity := c.identity(true)
	v.cache.put(text, identity, generation, now)

	return identity, nil
}

// checkSignature verifies the signature. The token does not choose the algorithm: its alg must be
// the configured one and that of the key.
func (v *Verifier) checkSignature(ctx context.Context, t token) error {
	refused := ErrTokenAlgorithmRefused.New("The token is signed with an algorithm that is not accepted.")
	if t.alg != v.algorithm {
		return refused
	}

	keys, err := v.keys.find(ctx, t.kid)
	if err != nil {
		return err
	}

	fits := false
	for _, k := range keys {
		if k.method.Alg() != t.alg {
			continue
		}

		fits = true

		if k.method.Verify(t.signed, t.signature, k.material) == nil {
			return nil
		}
	}

	if !fits {
		return refused
	}

	return ErrTokenSignatureInvalid.New("The signature does not match the token.")
}

// unverified returns the identity of a well-formed token without verifying it.
func (v *Verifier) unverified(text string) (Identity, error) {
	t, err := split(text)
	if err != nil {
		return Identity{}, err
	}

	c, err := v.reader.readClaims(t.claims)
	if err != nil {
		return Identity{}, err
	}

	return c.identity(false), nil
}
