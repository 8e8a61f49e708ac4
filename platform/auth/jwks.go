package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// Limits of fetching a JSON Web Key Set. An unknown kid causes a fetch at most once a minute, so
// that invalid tokens cost little.
const (
	jwksTimeout    = 3 * time.Second
	jwksRefresh    = 5 * time.Minute
	jwksRetry      = 15 * time.Second // after a failed fetch
	jwksUnknownKid = time.Minute
	maxJWKS        = 1 << 20
)

// jwks are the keys of an identity provider. They are fetched again every five minutes, and when a
// token names an unknown kid. A fetch without a usable key changes nothing: the last usable set
// remains.
type jwks struct {
	url     string
	client  *http.Client
	logger  *slog.Logger
	limiter *rate.Limiter // of fetches caused by an unknown kid
	fetches singleflight.Group

	current atomic.Pointer[keySet] // never nil
	failing atomic.Bool            // the last fetch failed
}

// keySet is the result of one fetch. Each successful fetch increases its number.
type keySet struct {
	number uint64
	keys   []namedKey
}

type namedKey struct {
	kid string
	key key
}

// newJWKS fetches the set once; if that fails it continues without keys. Refreshing ends with ctx.
func newJWKS(
	ctx context.Context,
	url string,
	transport http.RoundTripper,
	logger *slog.Logger,
) *jwks {
	s := &jwks{
		url:     url,
		logger:  logger,
		limiter: rate.NewLimiter(rate.Every(jwksUnknownKid), 1),
		client: &http.Client{
			Timeout:   jwksTimeout,
			Transport: transport,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return errors.New("a key set must not redirect")
			},
		},
	}
	s.current.Store(&keySet{})
	s.fetch(ctx, always)

	go s.refresh(ctx)

	return s
}

// refresh fetches the set periodically until ctx ends.
func (s *jwks) refresh(ctx context.Context) {
	for {
		wait := jwksRefresh
		if s.failing.Load() {
			wait = jwksRetry
		}

		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			s.fetch(ctx, always)
		}
	}
}

func always() bool { return true }

// fetch replaces the set if may allows it. Concurrent callers share one fetch.
func (s *jwks) fetch(ctx context.Context, may func() bool) {
	// The first caller may leave; the others still wait for the answer.
	ctx = context.WithoutCancel(ctx)
	_, _, _ = s.fetches.Do("", func() (any, error) {
		if !may() {
			return nil, nil
		}

		keys, err := s.download(ctx)
		s.failing.Store(err != nil)

		if err != nil {
			s.logger.WarnContext(
				ctx,
				"cannot fetch the keys of the identity provider; the keys fetched before remain in use",
				"error",
				err,
			)

			return nil, nil
		}

		s.current.Store(&keySet{number: s.current.Load().number + 1, keys: keys})

		return nil, nil
	})
}

func (s *jwks) download(ctx context.Context) ([]namedKey, error) {
	//nolint:gosec,nolintlint // the operator set the address; not every run of the linter minds
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return nil, err
	}

	answer, err := s.client.Do(r) //nolint:gosec,nolintlint // as above
	if err != nil {
		return nil, err
	}

	defer func() { _ = answer.Body.Close() }()

	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answer with status %d", answer.StatusCode)
	}

	body, err := io.ReadAll(io.LimitReader(answer.Body, maxJWKS+1))
	if err != nil {
		return nil, err
	}

	if len(body) > maxJWKS {
		return nil, errors.New("the key set is larger than 1 MiB")
	}

	return readSet(body)
}

// readSet returns the keys of the set that can verify. Keys of other types or for other purposes,
// and damaged ones, are left out: they do not affect the others. A set without a usable key is an
// error.
func readSet(body []byte) ([]namedKey, error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(body, &set, jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, errors.New("the answer is not a JSON Web Key Set")
	}

	var keys []namedKey
	for _, raw := range set.Keys {
		if k, err := readKey(raw); err == nil {
			keys = append(keys, k)
		}
	}

	if len(keys) == 0 {
		return nil, errors.New("the key set has no key for RS256, ES256 or EdDSA")
	}

	return keys, nil
}

// readKey reads a key of the set for its one algorithm. Certificates (x5c, x5t) are ignored: their
// forms vary, and nothing relies on them. Symmetric keys are refused.
func readKey(raw jsontext.Value) (namedKey, error) {
	var member struct {
		Type    string   `json:"kty"`
		Use     string   `json:"use"`
		Ops     []string `json:"key_ops"`
		Alg     string   `json:"alg"`
		KeyID   string   `json:"kid"`
		Curve   string   `json:"crv"`
		X       string   `json:"x"`
		Y       string   `json:"y"`
		Modulus string   `json:"n"`
		E       string   `json:"e"`
	}
	if err := json.Unmarshal(raw, &member); err != nil {
		return namedKey{}, err
	}

	if member.Use != "" && member.Use != "sig" {
		return namedKey{}, errors.New("not for signatures")
	}

	if member.Ops != nil && !slices.Contains(member.Ops, "verify") {
		return namedKey{}, errors.New("not for verifying")
	}

	parsed, err := jwkset.NewJWKFromMarshal(
		jwkset.JWKMarshal{
			KTY: jwkset.KTY(member.Type),
			CRV: jwkset.CRV(member.Curve),
			X:   member.X,
			Y:   member.Y,
			N:   member.Modulus,
			E:   member.E,
		},
		jwkset.JWKMarshalOptions{},
		jwkset.JWKValidateOptions{SkipAll: true},
	)
	if err != nil {
		return namedKey{}, err
	}

	k, err := publicKey(parsed.Key())
	if err == nil && member.Alg != "" && member.Alg != k.method.Alg() {
		err = errors.New("for another algorithm")
	}

	return namedKey{member.KeyID, k}, err
}

// find returns the keys with the kid. A token without a kid is accepted only if there is no choice.
func (s *jwks) find(ctx context.Context, kid string) ([]key, error) {
	found := s.current.Load().find(kid)
	if len(found) == 0 && kid != "" {
		s.fetch(ctx, s.limiter.Allow)
		found = s.current.Load().find(kid)
	}

	if len(found) == 0 {
		return nil, s.unknown()
	}

	return found, nil
}

func (set *keySet) find(kid string) []key {
	if kid == "" {
		if len(set.keys) != 1 {
			return nil
		}

		return []key{set.keys[0].key}
	}

	var found []key
	for _, k := range set.keys {
		if k.kid == kid {
			found = append(found, k.key)
		}
	}

	return found
}

// unknown returns a fault of the token, unless the last fetch failed: then the key may exist.
func (s *jwks) unknown() error {
	if s.failing.Load() {
		return ErrTokenKeysUnavailable.
			New("The keys of the identity provider cannot be fetched.").
			RetryIn(jwksRetry)
	}

	return ErrTokenKeyUnknown.New("No known key has the token's kid.")
}

func (s *jwks) generation() uint64 { return s.current.Load().number }

func (s *jwks) ready(context.Context) error {
	if len(s.current.Load().keys) == 0 {
		return errors.New("no keys of the identity provider")
	}

	return nil
}
