package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"tributary/platform/config"
)

// localSecret is the secret of the local stacks if no other is set.
const localSecret = "development-only-secret-change-me-in-production"

// settings are the settings with which the BFF verifies tokens. Only this command uses
// PrivateKeyFile: the BFF has public keys.
type settings struct {
	Secret         string `envconfig:"JWT_SECRET_KEY"`
	Algorithm      string `envconfig:"JWT_ALGORITHM" default:"HS256"`
	Issuer         string `envconfig:"JWT_ISSUER"`
	Audience       string `envconfig:"JWT_AUDIENCE"`
	PrivateKeyFile string `envconfig:"JWT_PRIVATE_KEY_FILE"`
}

// Validate returns what prevents a token from being signed.
func (s *settings) Validate() []string {
	if s.Secret == "" {
		s.Secret = localSecret
	}

	if s.Algorithm == jwt.SigningMethodHS256.Alg() && len(s.Secret) < 32 {
		return []string{
			"JWT_SECRET_KEY must have at least 32 bytes",
		}
	}

	return nil
}

type request struct {
	user     string
	roles    string
	lifetime time.Duration
	keyID    string
	claims   claimFlags
}

// claimFlags collects -claim name=value. A value that is JSON is used as JSON, any other value as
// text.
type claimFlags map[string]any

func (c claimFlags) String() string { return "" }

func (c claimFlags) Set(text string) error {
	name, value, found := strings.Cut(text, "=")
	if !found || name == "" {
		return errors.New("must be name=value")
	}

	var parsed any
	if json.Unmarshal([]byte(value), &parsed) != nil {
		parsed = value
	}

	c[name] = parsed

	return nil
}

func run(args []string, stdout, stderr io.Writer) error {
	req := request{claims: claimFlags{}}
	flags := flag.NewFlagSet("generate-jwt", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&req.user, "user", "user123", "user `id` that the token speaks for (claim sub)")
	flags.StringVar(
		&req.roles,
		"roles",
		"partner",
		"comma-separated roles: partner, operator, finance, admin; empty for none",
	)
	flags.DurationVar(
		&req.lifetime,
		"lifetime",
		24*time.Hour,
		"time until the token expires; negative for an expired one",
	)
	flags.StringVar(
		&req.keyID,
		"kid",
		"",
		"key `id` for the header, for services that use a key set",
	)
	flags.Var(
		req.claims,
		"claim",
		"further claim as `name=value`; may be repeated, and replaces the others",
	)

	if err := flags.Parse(args); err != nil {
		return err
	}

	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument: %s", flags.Arg(0))
	}

	var s settings
	if err := config.Load(&s); err != nil {
		return err
	}

	token, err := sign(s, req, time.Now())
	if err != nil {
		return err
	}

	_, err = fmt.Fprintln(stdout, token)

	return err
}

func sign(s settings, req request, now time.Time) (string, error) {
	method := jwt.GetSigningMethod(s.Algorithm)
	if method == nil || method == jwt.SigningMethodNone {
		return "", fmt.Errorf("JWT_ALGORITHM %s cannot sign", s.Algorithm)
	}

	claims := jwt.MapClaims{
		"sub":   req.user,
		"jti":   uuid.NewString(),
		"iat":   now.Unix(),
		"exp":   now.Add(req.lifetime).Unix(),
		"roles": []string{},
	}
	if req.roles != "" {
		claims["roles"] = strings.Split(req.roles, ",")
	}

	if s.Issuer != "" {
		claims["iss"] = s.Issuer
	}

	if s.Audience != "" {
		claims["aud"] = s.Audience
	}

	for name, value := range req.claims {
		claims[name] = value
	}

	token := jwt.NewWithClaims(method, claims)
	if req.keyID != "" {
		token.Header["kid"] = req.keyID
	}

	key, err := signingKey(s, method)
	if err != nil {
		return "", err
	}

	return token.SignedString(key)
}

func signingKey(s settings, method jwt.SigningMethod) (any, error) {
	if _, symmetric := method.(*jwt.SigningMethodHMAC); symmetric {
		return []byte(s.Secret), nil
	}

	if s.PrivateKeyFile == "" {
		return nil, errors.New(
			"JWT_ALGORITHM " + s.Algorithm + " requires JWT_PRIVATE_KEY_FILE, a PKCS #8 PEM file, to sign with",
		)
	}

	content, err := os.ReadFile(s.PrivateKeyFile)
	if err != nil {
		return nil, fmt.Errorf("JWT_PRIVATE_KEY_FILE: %w", err)
	}

	block, _ := pem.Decode(content)
	if block == nil {
		return nil, errors.New("JWT_PRIVATE_KEY_FILE contains no PEM block")
	}

	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("JWT_PRIVATE_KEY_FILE contains no PKCS #8 key")
	}

	switch key := key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return crypto.PrivateKey(key), nil
	}

	return nil, errors.New("JWT_PRIVATE_KEY_FILE contains a key that cannot sign")
}
