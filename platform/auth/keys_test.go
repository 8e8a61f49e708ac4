package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"

	"tributary/platform/auth"
	"tributary/platform/auth/authtest"
	"tributary/platform/fault"
)

// keyPair is a private key with its algorithm.
type keyPair struct {
	method  jwt.SigningMethod
	private crypto.Signer
}

func pair(t *testing.T, algorithm string) keyPair {
	t.Helper()

	var (
		k   keyPair
		err error
	)
	switch algorithm {
	case "RS256":
		k.method = jwt.SigningMethodRS256
		k.private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		k.method = jwt.SigningMethodES256
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		k.method = jwt.SigningMethodEdDSA
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	}

	if err != nil {
		t.Fatal(err)
	}

	return k
}

func (k keyPair) sign(t *testing.T, kid string, at time.Time) string {
	t.Helper()

	header := map[string]any{}
	if kid != "" {
		header["kid"] = kid
	}

	return authtest.Sign(t, k.method, k.private, authtest.Claims(at, "user123"), header)
}

func pemOf(t *testing.T, public crypto.PublicKey) []byte {
	t.Helper()

	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}

	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func write(t *testing.T, content []byte) string {
	t.Helper()

	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}

	return path
}

func TestPublicKeyFiles(t *testing.T) {
	t.Parallel()

	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			c := start()
			k := pair(t, algorithm)
			old := pair(t, algorithm)
			stranger := pair(t, algorithm)
			file := append(pemOf(t, old.private.Public()), pemOf(t, k.private.Public())...)
			cfg := hs256()
			cfg.Secret = ""
			cfg.Algorithm = algorithm
			cfg.PublicKeyFile = write(t, file)

			v := verifier(t, cfg, c)
			for name, tc := range map[string]struct{ token, want string }{
				"current key":    {k.sign(t, "", c.at), ""},
				"key before":     {old.sign(t, "any", c.at), ""},
				"stranger's key": {stranger.sign(t, "", c.at), "token_signature_invalid"},
				// the classic confusion: the public key, which anyone can have, used as an HMAC
				// secret
				"PEM as secret":      {authtest.HS256(t, string(file), authtest.Claims(c.at, "user123")), "token_algorithm_refused"},
				"one PEM as secret":  {authtest.HS256(t, string(pemOf(t, k.private.Public())), authtest.Claims(c.at, "user123")), "token_algorithm_refused"},
				"PEM under own name": {authtest.Raw(string(file), `{"alg":"`+algorithm+`"}`, `{"sub":"user123","exp":9999999999}`), "token_signature_invalid"},
				"none":               {authtest.Raw("", `{"alg":"none"}`, `{"sub":"user123","exp":9999999999}`), "token_algorithm_refused"},
			} {
				if _, err := v.Verify(t.Context(), tc.token); (tc.want == "") != (err == nil) ||
					(err != nil && code(err) != tc.want) {
					t.Errorf("%s: %v, want %q", name, err, tc.want)
				}
			}
		})
	}
}

// provider is an identity provider without a network: it answers with its current key set, or
// fails. Fetches run on several goroutines, so tests modify it through change.
type provider struct {
	t       *testing.T
	mu      sync.Mutex
	keys    map[string]keyPair
	extra   string // a further member of keys, as JSON
	down    bool
	body    string // replaces the set
	fetches int
}

func (p *provider) RoundTrip(*http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.fetches++
	if p.down {
		return nil, errors.New("connection refused")
	}

	body := p.body
	if body == "" {
		body = p.set()
	}

	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{},
		Body:       io.NopCloser(strings.NewReader(body)),
	}, nil
}

func (p *provider) change(how func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	how()
}

func (p *provider) set() string {
	var members []string
	for kid, k := range p.keys {
		jwk, err := jwkset.NewJWKFromKey(
			k.private.Public(),
			jwkset.JWKOptions{
				Metadata: jwkset.JWKMetadataOptions{
					KID: kid,
					ALG: jwkset.ALG(k.method.Alg()),
					USE: jwkset.UseSig,
				},
			},
		)
		if err != nil {
			p.t.Fatal(err)
		}

		text, err := json.Marshal(jwk.Marshal())
		if err != nil {
			p.t.Fatal(err)
		}

		members = append(members, string(text))
	}

	if p.extra != "" {
		members = append(members, p.extra)
	}

	return `{"keys":[` + strings.Join(members, ",") + `]}`
}

// inBubble runs the test in a synctest bubble, with a verifier for the provider's ES256 keys.
func inBubble(t *testing.T, p *provider, test func(t *testing.T, v *auth.Verifier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cfg := hs256()
		cfg.Secret = ""
		cfg.Algorithm = "ES256"
		cfg.JWKSURL = "https://identity.example/keys"
		p.t = t

		v, err := auth.New(
			ctx,
			cfg,
			auth.Dependencies{Now: time.Now, Logger: slog.New(slog.DiscardHandler), Transport: p},
		)
		if err != nil {
			t.Fatal(err)
		}

		test(t, v)
		cancel()
		synctest.Wait() // the refreshing goroutine has ended, otherwise the bubble would not end
	})
}

func expect(t *testing.T, v *auth.Verifier, name, token, want string) {
	t.Helper()

	_, err := v.Verify(t.Context(), token)
	if (want == "") != (err == nil) || (err != nil && code(err) != want) {
		t.Errorf("%s: %v, want %q", name, err, want)
	}
}

func TestKeySetRotation(t *testing.T) {
	t.Parallel()
	first, second := pair(t, "ES256"), pair(t, "ES256")
	p := &provider{keys: map[string]keyPair{"first": first}}
	inBubble(t, p, func(t *testing.T, v *auth.Verifier) {
		t.Helper()
		expect(t, v, "first key", first.sign(t, "first", time.Now()), "")
		expect(
			t,
			v,
			"second key, too early",
			second.sign(t, "second", time.Now()),
			"token_key_unknown",
		)
		p.change(func() { p.keys["second"] = second })
		expect(
			t,
			v,
			"second key, just published",
			second.sign(t, "second", time.Now()),
			"token_key_unknown",
		)
		time.Sleep(time.Minute) // the limiter allows another fetch after the early token's
		expect(t, v, "second key, a minute later", second.sign(t, "second", time.Now()), "")
		expect(t, v, "first key, meanwhile", first.sign(t, "first", time.Now()), "")
		old := first.sign(t, "first", time.Now())
		expect(t, v, "first key, before it goes", old, "")
		p.change(func() { delete(p.keys, "first") })
		time.Sleep(time.Minute)
		// the fetch caused by an unknown key also invalidates the cache
		expect(t, v, "unknown key", first.sign(t, "other", time.Now()), "token_key_unknown")
		expect(t, v, "first key, withdrawn", old, "token_key_unknown")
		expect(t, v, "second key, still there", second.sign(t, "second", time.Now()), "")
	})
}

func TestJunkKeyIDsCostOneFetchAMinute(t *testing.T) {
	t.Parallel()
	k := pair(t, "ES256")
	p := &provider{keys: map[string]keyPair{"k": k}}
	inBubble(t, p, func(t *testing.T, v *auth.Verifier) {
		t.Helper()

		began := time.Now()
		for range 500 {
			expect(t, v, "junk", k.sign(t, rand.Text(), time.Now()), "token_key_unknown")
		}

		p.change(func() {
			if p.fetches > 2 {
				t.Errorf("%d fetches", p.fetches)
			}
		})

		if waited := time.Since(began); waited > time.Second {
			t.Errorf("junk waited %s", waited)
		}
	})
}

func TestKeySetAway(t *testing.T) {
	t.Parallel()
	k := pair(t, "ES256")
	p := &provider{keys: map[string]keyPair{"k": k}, down: true}
	inBubble(t, p, func(t *testing.T, v *auth.Verifier) {
		t.Helper()

		if v.Ready(t.Context()) == nil {
			t.Error("ready without keys")
		}

		_, err := v.Verify(t.Context(), k.sign(t, "k", time.Now()))
		if f, _ := fault.As(err); f == nil || f.Kind() != fault.Unavailable || f.RetryAfter <= 0 {
			t.Errorf("away from the start: %v", err)
		}

		p.change(func() { p.down = false })
		time.Sleep(2 * time.Minute)
		expect(t, v, "back", k.sign(t, "k", time.Now()), "")

		if err := v.Ready(t.Context()); err != nil {
			t.Error(err)
		}

		p.change(func() { p.down = true })
		time.Sleep(40 * time.Minute)
		expect(t, v, "known key while away", k.sign(t, "k", time.Now()), "")
		expect(
			t,
			v,
			"unknown key while away",
			k.sign(t, "other", time.Now()),
			"token_keys_unavailable",
		)
		p.change(func() { p.down, p.body = false, strings.Repeat(" ", 2<<20)+p.set() })
		time.Sleep(2 * time.Minute)
		expect(t, v, "an endless answer", k.sign(t, "other", time.Now()), "token_keys_unavailable")
	})
}

// A withdrawn key is accepted until the next fetch, for at most five minutes, by the cache too.
func TestWithdrawnKey(t *testing.T) {
	t.Parallel()
	first, second := pair(t, "ES256"), pair(t, "ES256")
	p := &provider{keys: map[string]keyPair{"first": first, "second": second}}
	inBubble(t, p, func(t *testing.T, v *auth.Verifier) {
		t.Helper()
		time.Sleep(4 * time.Minute)

		old := first.sign(t, "first", time.Now())
		expect(t, v, "before it goes", old, "")
		p.change(func() { delete(p.keys, "first") })
		time.Sleep(time.Minute + time.Second)
		expect(t, v, "withdrawn", old, "token_key_unknown")
	})
}

// An unusable answer of the identity provider locks no caller out.
func TestUnusableKeySets(t *testing.T) {
	t.Parallel()
	k := pair(t, "ES256")

	for name, body := range map[string]string{
		"empty":           `{"keys":[]}`,
		"no keys":         `{}`,
		"null":            `{"keys":null}`,
		"a page":          "<html>",
		"an array":        "[]",
		"other keys only": `{"keys":[{"kty":"oct","kid":"k","k":"AAAA"},null,1]}`,
	} {
		p := &provider{keys: map[string]keyPair{"k": k}}
		inBubble(t, p, func(t *testing.T, v *auth.Verifier) {
			t.Helper()
			p.change(func() { p.body = body })
			time.Sleep(11 * time.Minute)
			expect(t, v, name, k.sign(t, "k", time.Now()), "")
			expect(t, v, name+", other kid", k.sign(t, "x", time.Now()), "token_keys_unavailable")

			if err := v.Ready(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}

			p.change(func() { p.body = "" })
			time.Sleep(16 * time.Second)
			expect(t, v, name+", mended", k.sign(t, "x", time.Now()), "token_key_unknown")
		})
	}
}

// A key that cannot be read, or is for another purpose, does not affect the others.
func TestOddKeysBesideAGoodOne(t *testing.T) {
	t.Parallel()
	good := pair(t, "ES256")
	odd := pair(t, "ES256")

	own := func(members string) string {
		p := &provider{t: t, keys: map[string]keyPair{"odd": odd}}
		set := strings.TrimSuffix(strings.TrimPrefix(p.set(), `{"keys":[`), `}]}`)

		return strings.ReplaceAll(set, `"use":"sig",`, "") + "," + members + "}"
	}
	for name, tc := range map[string]struct {
		key  string
		want string // for a token that the odd key signed
	}{
		"x5t of hex digits":       {own(`"x5t":"RTM4Q0RGNkQ4RDg1QkQ0NTAxOTc2Q0FF"`), ""},
		"x5c as PEM text":         {own(`"x5c":["-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"]`), ""},
		"x5c a string":            {own(`"x5c":"MIIB"`), ""},
		"unknown member":          {own(`"exp":1,"x-note":{"a":[1]}`), ""},
		"for signatures":          {own(`"use":"sig"`), ""},
		"for verifying":           {own(`"key_ops":["sign","verify"]`), ""},
		"for encryption":          {own(`"use":"enc"`), "token_key_unknown"},
		"for another use":         {own(`"use":"tls"`), "token_key_unknown"},
		"to encrypt":              {own(`"key_ops":["encrypt"]`), "token_key_unknown"},
		"for nothing":             {own(`"key_ops":[]`), "token_key_unknown"},
		"to wrap, for signatures": {own(`"use":"sig","key_ops":["wrapKey"]`), "token_key_unknown"},
		"a member twice":          {own(`"use":"sig","use":"enc"`), "token_key_unknown"},
		"kid a number":            {strings.ReplaceAll(own(`"use":"sig"`), `"kid":"odd"`, `"kid":7`), "token_key_unknown"},
		"other algorithm":         {strings.ReplaceAll(own(`"use":"sig"`), `"alg":"ES256"`, `"alg":"ES384"`), "token_key_unknown"},
		"no JWK":                  {`"odd"`, "token_key_unknown"},
		"no curve":                {`{"kty":"EC","kid":"odd","x":"AA","y":"AA"}`, "token_key_unknown"},
		"not on the curve":        {`{"kty":"EC","kid":"odd","crv":"P-256","x":"AQ","y":"AQ"}`, "token_key_unknown"},
		"new type":                {`{"kty":"AKP","kid":"odd","alg":"ML-DSA-65","pub":"AA"}`, "token_key_unknown"},
	} {
		p := &provider{keys: map[string]keyPair{"good": good}, extra: tc.key}
		inBubble(t, p, func(t *testing.T, v *auth.Verifier) {
			t.Helper()
			expect(t, v, name+", the good one", good.sign(t, "good", time.Now()), "")
			expect(t, v, name, odd.sign(t, "odd", time.Now()), tc.want)
		})
	}
}

// Two keys may share a kid if their algorithms differ.
func TestKeysOfOneKid(t *testing.T) {
	t.Parallel()
	es := pair(t, "ES256")
	rs := pair(t, "RS256")
	other := &provider{t: t, keys: map[string]keyPair{"k": rs}}
	extra := strings.TrimSuffix(strings.TrimPrefix(other.set(), `{"keys":[`), `]}`)
	inBubble(
		t,
		&provider{keys: map[string]keyPair{"k": es}, extra: extra},
		func(t *testing.T, v *auth.Verifier) {
			t.Helper()
			expect(t, v, "ES256", es.sign(t, "k", time.Now()), "")
			expect(t, v, "RS256", rs.sign(t, "k", time.Now()), "token_algorithm_refused")
		},
	)
}

// A set may hold keys of other types and for other purposes. Each verifies its own algorithm only,
// and secrets are never used.
func TestKeySetConfusion(t *testing.T) {
	t.Parallel()
	es := pair(t, "ES256")
	rs := pair(t, "RS256")
	ed := pair(t, "EdDSA")
	secret := base64.RawURLEncoding.EncodeToString([]byte(authtest.Secret))
	p := &provider{
		keys:  map[string]keyPair{"es": es, "rs": rs, "ed": ed},
		extra: `{"kty":"oct","kid":"hmac","alg":"HS256","k":"` + secret + `"}`,
	}
	inBubble(t, p, func(t *testing.T, v *auth.Verifier) {
		t.Helper()
		now := time.Now()
		claims := authtest.Claims(now, "user123")
		expect(t, v, "right", es.sign(t, "es", now), "")
		expect(t, v, "RSA token of its key", rs.sign(t, "rs", now), "token_algorithm_refused")
		expect(t, v, "Ed25519 token of its key", ed.sign(t, "ed", now), "token_algorithm_refused")
		expect(t, v, "EC token under the RSA kid", es.sign(t, "rs", now), "token_algorithm_refused")
		expect(
			t,
			v,
			"HMAC by the published secret",
			authtest.Sign(
				t,
				jwt.SigningMethodHS256,
				[]byte(authtest.Secret),
				claims,
				map[string]any{"kid": "hmac"},
			),
			"token_algorithm_refused",
		)
		expect(
			t,
			v,
			"EC token under the secret's kid",
			es.sign(t, "hmac", now),
			"token_key_unknown",
		)
		expect(t, v, "no kid and a choice", es.sign(t, "", now), "token_key_unknown")
		expect(t, v, "kid with a path", es.sign(t, "../../es", now), "token_key_unknown")
	})
	alone := &provider{keys: map[string]keyPair{"es": es}}
	inBubble(t, alone, func(t *testing.T, v *auth.Verifier) {
		t.Helper()
		expect(t, v, "no kid and no choice", es.sign(t, "", time.Now()), "")
	})
}

func TestSettingsAreRefused(t *testing.T) {
	t.Parallel()

	small, err := rsa.GenerateKey(rand.Reader, 1024) // too small on purpose
	if err != nil {
		t.Fatal(err)
	}

	wrongCurve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	private, err := x509.MarshalPKCS8PrivateKey(wrongCurve)
	if err != nil {
		t.Fatal(err)
	}

	rs := pemOf(t, pair(t, "RS256").private.Public())
	for name, tc := range map[string]struct {
		change     func(*auth.Config)
		production bool
		want       string
	}{
		"short secret":            {func(c *auth.Config) { c.Secret = "short" }, false, "JWT_SECRET_KEY"},
		"no secret":               {func(c *auth.Config) { c.Secret = "" }, false, "JWT_SECRET_KEY"},
		"example secret":          {func(c *auth.Config) { c.Secret = "your-secret-key-change-in-production!" }, true, "JWT_SECRET_KEY"},
		"monotonous secret":       {func(c *auth.Config) { c.Secret = strings.Repeat("ab", 20) }, true, "JWT_SECRET_KEY"},
		"alphabet":                {func(c *auth.Config) { c.Secret = "abcdefghijklmnopqrstuvwxyz0123456789" }, true, "JWT_SECRET_KEY"},
		"none":                    {func(c *auth.Config) { c.Algorithm = "none" }, false, "JWT_ALGORITHM"},
		"unknown algorithm":       {func(c *auth.Config) { c.Algorithm = "HS384" }, false, "JWT_ALGORITHM"},
		"secret beside a key set": {func(c *auth.Config) { c.JWKSURL = "https://a.example/" }, false, "JWT_JWKS_URL"},
		"no key":                  {func(c *auth.Config) { c.Algorithm = "RS256" }, false, "JWT_PUBLIC_KEY_FILE"},
		"two sources": {func(c *auth.Config) {
			c.Algorithm = "RS256"
			c.JWKSURL = "https://a.example/"
			c.PublicKeyFile = write(t, rs)
		}, false, "one of"},
		"absent file":         {func(c *auth.Config) { c.Algorithm, c.PublicKeyFile = "RS256", "/nowhere.pem" }, false, "cannot be read"},
		"no PEM":              {func(c *auth.Config) { c.Algorithm, c.PublicKeyFile = "RS256", write(t, []byte("hello")) }, false, "no PEM block"},
		"small RSA key":       {func(c *auth.Config) { c.Algorithm, c.PublicKeyFile = "RS256", write(t, pemOf(t, small.Public())) }, false, "2048"},
		"other curve":         {func(c *auth.Config) { c.Algorithm, c.PublicKeyFile = "ES256", write(t, pemOf(t, wrongCurve.Public())) }, false, "P-256"},
		"key of another kind": {func(c *auth.Config) { c.Algorithm, c.PublicKeyFile = "ES256", write(t, rs) }, false, "RS256"},
		"private key": {func(c *auth.Config) {
			c.Algorithm, c.PublicKeyFile = "ES256", write(t, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
		}, false, "private key"},
		"relative key set":  {func(c *auth.Config) { c.Algorithm, c.JWKSURL = "RS256", "/keys" }, false, "JWT_JWKS_URL"},
		"plaintext key set": {func(c *auth.Config) { c.Algorithm, c.JWKSURL = "RS256", "http://a.example/" }, true, "https"},
		"provider without issuer": {func(c *auth.Config) {
			c.Algorithm = "RS256"
			c.JWKSURL = "https://a.example/"
			c.Issuer = ""
		}, true, "JWT_ISSUER"},
		"provider, no audience": {func(c *auth.Config) {
			c.Algorithm = "RS256"
			c.JWKSURL = "https://a.example/"
			c.Audience = ""
		}, true, "JWT_AUDIENCE"},
		"secret without issuer":   {func(c *auth.Config) { c.Issuer = "" }, true, "JWT_ISSUER"},
		"secret without audience": {func(c *auth.Config) { c.Audience = "" }, true, "JWT_AUDIENCE"},
		"blank in a claim's name": {func(c *auth.Config) { c.RolesClaim = []string{"roles "} }, false, "JWT_ROLES_CLAIM"},
		"empty claim":             {func(c *auth.Config) { c.RolesClaim = []string{"roles", ""} }, false, "JWT_ROLES_CLAIM"},
		"blank issuer":            {func(c *auth.Config) { c.Issuer = " " }, false, "JWT_ISSUER"},
		"long leeway":             {func(c *auth.Config) { c.Leeway = 2 * time.Minute }, false, "JWT_LEEWAY"},
		"verification off":        {func(c *auth.Config) { c.RequireValidation = false }, true, "JWT_REQUIRE_VALIDATION"},
	} {
		cfg := hs256()
		tc.change(&cfg)

		faults := cfg.Validate(tc.production)
		if !slices.ContainsFunc(
			faults,
			func(f string) bool { return strings.Contains(f, tc.want) },
		) {
			t.Errorf("%s: %v, want one with %s", name, faults, tc.want)
		}

		for _, f := range faults {
			if cfg.Secret != "" && strings.Contains(f, cfg.Secret) {
				t.Errorf("%s: the fault shows the secret", name)
			}
		}
	}

	if faults := hs256().Validate(true); len(faults) > 0 {
		t.Errorf("good settings: %v", faults)
	}
}
