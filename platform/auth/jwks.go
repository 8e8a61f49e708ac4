package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"golang.org/x/time/rate"

	"tributary/platform/fault"
)

// Limits of fetching a JSON Web Key Set. A kid that is not known leads to a fetch, at most one a
// minute, so that junk costs nothing.
const (
	jwksTimeout    = 3 * time.Second
	jwksRefresh    = 15 * time.Minute
	jwksRefreshMin = time.Minute
	jwksWait       = time.Second
	maxJWKS        = 1 << 20
)

// jwks are the keys of an identity provider, fetched again every 15 minutes and when a token names
// an unknown kid.
type jwks struct {
	storage jwkset.Storage
	failing atomic.Bool // the last fetch failed
}

// newJWKS fetches the set once and goes on without it when that fails. Refreshing ends with ctx.
func newJWKS(
	ctx context.Context,
	url string,
	transport http.RoundTripper,
	logger *slog.Logger,
) (*jwks, error) {
	set := &jwks{}
	failed := func(string) func(context.Context, error) {
		return func(ctx context.Context, err error) {
			set.failing.Store(true)
			logger.WarnContext(ctx, "cannot fetch the keys of the identity provider", "error", err)
		}
	}
	client := &http.Client{
		Timeout:       jwksTimeout,
		Transport:     fetcher{next: transport, fetched: func() { set.failing.Store(false) }},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("a key set must not redirect") },
	}

	source, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{url}, keyfunc.Override{
		Client:                  client,
		HTTPTimeout:             jwksTimeout,
		RefreshInterval:         jwksRefresh,
		RateLimitWaitMax:        jwksWait,
		RefreshUnknownKID:       rate.NewLimiter(rate.Every(jwksRefreshMin), 1),
		RefreshErrorHandlerFunc: failed,
	})
	if err != nil {
		return nil, fmt.Errorf("JWT_JWKS_URL: %w", err)
	}

	set.storage = source.Storage()

	return set, nil
}

func (s *jwks) find(ctx context.Context, kid string) ([]key, error) {
	if kid == "" {
		return s.only(ctx)
	}

	found, err := s.storage.KeyRead(ctx, kid)
	if err != nil {
		return nil, s.unknown()
	}

	k, err := s.usable(found)
	if err != nil {
		return nil, err
	}

	return []key{k}, nil
}

// only serves tokens without a kid: there must be no choice.
func (s *jwks) only(ctx context.Context) ([]key, error) {
	all, err := s.storage.KeyReadAll(ctx)
	if err != nil || len(all) != 1 {
		return nil, s.unknown()
	}

	k, err := s.usable(all[0])
	if err != nil {
		return nil, err
	}

	return []key{k}, nil
}

// usable binds a key of the set to its one algorithm. Symmetric keys have no place in a published
// set.
func (s *jwks) usable(found jwkset.JWK) (key, error) {
	k, err := publicKey(found.Key())

	marshalled := found.Marshal()
	switch {
	case err != nil,
		marshalled.ALG != "" && marshalled.ALG.String() != k.method.Alg(),
		marshalled.USE != "" && marshalled.USE != jwkset.UseSig:
		return key{}, s.unknown()
	}

	return k, nil
}

// unknown says that it is the token's fault, unless the set could not be fetched: then nobody
// knows.
func (s *jwks) unknown() error {
	if s.failing.Load() {
		return fault.RetryIn(
			jwksRefreshMin,
			"token_keys_unavailable",
			"The keys of the identity provider cannot be fetched.",
			nil,
		)
	}

	return refuse("token_key_unknown", "No known key has the token's kid.")
}

func (s *jwks) ready(ctx context.Context) error {
	all, err := s.storage.KeyReadAll(ctx)
	if err == nil && len(all) == 0 {
		err = errors.New("no keys of the identity provider")
	}

	return err
}

// fetcher bounds what is read from the identity provider and tells of answers that came.
type fetcher struct {
	next    http.RoundTripper
	fetched func()
}

func (f fetcher) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := f.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}

	if answer.StatusCode == http.StatusOK {
		f.fetched() // an answer that cannot be read is told to the error handler, which comes later
	}

	answer.Body = bounded{io.LimitReader(answer.Body, maxJWKS), answer.Body}

	return answer, nil
}

type bounded struct {
	io.Reader
	io.Closer
}
