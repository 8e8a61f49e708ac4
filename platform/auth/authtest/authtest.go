// Package authtest creates tokens for tests: valid ones, and a table of forged and damaged ones
// that every service must refuse.
package authtest

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
)

// Secret is a valid HS256 secret, accepted in production too.
const Secret = "kP7v!xZ2mQ9w#Lr4bN8s@Td6hJ1yFg5c" //nolint:gosec // a test's secret

// Claims returns the claims of a valid token for the user. The token is valid for an hour before
// and after now.
func Claims(now time.Time, user string) map[string]any {
	return map[string]any{
		"sub":   user,
		"iss":   "test-issuer",
		"aud":   "test-audience",
		"jti":   "token-1",
		"roles": []string{"partner"},
		"iat":   now.Unix(),
		"exp":   now.Add(time.Hour).Unix(),
	}
}

// Sign returns a compact token with the claims, signed with the method and key. The members of
// header are added to the token's header.
func Sign(tb testing.TB, method jwt.SigningMethod, key any, claims, header map[string]any) string {
	tb.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	maps.Copy(token.Header, header)

	text, err := token.SignedString(key)
	if err != nil {
		tb.Fatal(err)
	}

	return text
}

// HS256 returns a token with the claims, signed with the secret.
func HS256(tb testing.TB, secret string, claims map[string]any) string {
	tb.Helper()
	return Sign(tb, jwt.SigningMethodHS256, []byte(secret), claims, nil)
}

// Raw returns a token with any header and payload text, including text that no library would write,
// signed with HMAC-SHA256.
func Raw(secret, header, payload string) string {
	signed := base64.RawURLEncoding.EncodeToString(
		[]byte(header),
	) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(signed))

	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Case is a token that must be refused with status 401 and the code.
type Case struct {
	Name  string
	Token string
	Code  string
}

// Forged returns the tokens that a service must refuse at the time now if it verifies HS256 with
// the secret, the issuer "test-issuer" and the audience "test-audience".
func Forged(tb testing.TB, secret string, now time.Time) []Case {
	tb.Helper()
	cases := damaged(tb, secret, now)
	cases = append(cases, forgedSignatures(tb, secret, now)...)

	return append(cases, badClaims(tb, secret, now)...)
}

func text(tb testing.TB, claims map[string]any) string {
	tb.Helper()

	raw, err := json.Marshal(claims, json.Deterministic(true))
	if err != nil {
		tb.Fatal(err)
	}

	return string(raw)
}

const header = `{"alg":"HS256","typ":"JWT"}`

func damaged(tb testing.TB, secret string, now time.Time) []Case {
	tb.Helper()
	good := HS256(tb, secret, Claims(now, "user123"))
	parts := strings.Split(good, ".")
	body := text(tb, Claims(now, "user123"))
	large := Claims(now, "user123")
	large["padding"] = strings.Repeat("x", 8<<10)

	return []Case{
		{"junk", "junk", "token_malformed"},
		{"dots only", "..", "token_malformed"},
		{"two parts", parts[0] + "." + parts[1], "token_malformed"},
		{"four parts", good + ".x", "token_malformed"},
		{"five parts as of JWE", parts[0] + ".a.b.c.d", "token_malformed"},
		{"empty header", "." + parts[1] + "." + parts[2], "token_malformed"},
		{"empty claims", parts[0] + ".." + parts[2], "token_malformed"},
		{"padded base64", parts[0] + "=." + parts[1] + "." + parts[2], "token_malformed"},
		{"standard base64 alphabet", parts[0] + "." + parts[1] + ".++//", "token_malformed"},
		{"space inside", parts[0] + ". " + parts[1] + "." + parts[2], "token_malformed"},
		{"header not JSON", Raw(secret, "alg", body), "token_malformed"},
		{"header an array", Raw(secret, `["HS256"]`, body), "token_malformed"},
		{"header null", Raw(secret, `null`, body), "token_malformed"},
		{"header without alg", Raw(secret, `{"typ":"JWT"}`, body), "token_malformed"},
		{"alg a number", Raw(secret, `{"alg":256}`, body), "token_malformed"},
		{"alg twice", Raw(secret, `{"alg":"none","alg":"HS256"}`, body), "token_malformed"},
		{"kid a number", Raw(secret, `{"alg":"HS256","kid":1}`, body), "token_malformed"},
		{
			"critical extension",
			Raw(secret, `{"alg":"HS256","crit":["b64"],"b64":false}`, body),
			"token_malformed",
		},
		{"claims not JSON", Raw(secret, header, "user123"), "token_malformed"},
		{"claims an array", Raw(secret, header, `[]`), "token_malformed"},
		{"claims truncated", Raw(secret, header, body[:len(body)-1]), "token_malformed"},
		{"claims with trailing text", Raw(secret, header, body+"{}"), "token_malformed"},
		{
			"claim twice",
			Raw(secret, header, `{"sub":"someone","sub":"user123","exp":9999999999}`),
			"token_malformed",
		},
		{
			"invalid UTF-8",
			Raw(secret, header, "{\"sub\":\"\xff\xfe\",\"exp\":9999999999}"),
			"token_malformed",
		},
		{"larger than 8 KiB", HS256(tb, secret, large), "token_too_large"},
		{
			"logout token",
			Raw(secret, `{"alg":"HS256","typ":"logout+jwt"}`, body),
			"token_type_refused",
		},
	}
}

func forgedSignatures(tb testing.TB, secret string, now time.Time) []Case {
	tb.Helper()
	claims := Claims(now, "user123")
	good := HS256(tb, secret, claims)
	parts := strings.Split(good, ".")
	other := Claims(now, "victim")

	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}

	none := base64.RawURLEncoding.EncodeToString(
		[]byte(`{"alg":"none","typ":"JWT"}`),
	) + "." + parts[1] + "."
	flipped := []byte(parts[2])
	flipped[0] = map[bool]byte{true: 'B', false: 'A'}[flipped[0] == 'A']

	return []Case{
		{"none", none, "token_algorithm_refused"},
		{
			"None in another case",
			Raw(secret, `{"alg":"NONE"}`, text(tb, claims)),
			"token_algorithm_refused",
		},
		{"empty alg", Raw(secret, `{"alg":""}`, text(tb, claims)), "token_algorithm_refused"},
		{
			"alg in another case",
			Raw(secret, `{"alg":"hs256"}`, text(tb, claims)),
			"token_algorithm_refused",
		},
		{"unknown alg", Raw(secret, `{"alg":"HS1"}`, text(tb, claims)), "token_algorithm_refused"},
		{
			"HS512 by the same secret",
			Sign(tb, jwt.SigningMethodHS512, []byte(secret), claims, nil),
			"token_algorithm_refused",
		},
		{
			"RS256 by a stranger",
			Sign(tb, jwt.SigningMethodRS256, crypto.PrivateKey(stranger), claims, nil),
			"token_algorithm_refused",
		},
		{
			"other secret",
			HS256(tb, strings.Repeat("another-", 5), claims),
			"token_signature_invalid",
		},
		{"empty secret", HS256(tb, "", claims), "token_signature_invalid"},
		{"no signature", parts[0] + "." + parts[1] + ".", "token_signature_invalid"},
		{
			"truncated signature",
			parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(
				make([]byte, 16),
			),
			"token_signature_invalid",
		},
		{
			"flipped signature",
			parts[0] + "." + parts[1] + "." + string(flipped),
			"token_signature_invalid",
		},
		{
			"claims exchanged",
			parts[0] + "." + strings.Split(HS256(tb, "x", other), ".")[1] + "." + parts[2],
			"token_signature_invalid",
		},
		{
			"header exchanged",
			base64.RawURLEncoding.EncodeToString(
				[]byte(`{"alg":"HS256"}`),
			) + "." + parts[1] + "." + parts[2],
			"token_signature_invalid",
		},
	}
}

func badClaims(tb testing.TB, secret string, now time.Time) []Case {
	tb.Helper()
	with := func(name string, value any) string {
		claims := Claims(now, "user123")

		claims[name] = value
		if value == nil {
			delete(claims, name)
		}

		return HS256(tb, secret, claims)
	}
	raw := func(member string) string {
		return Raw(
			secret,
			header,
			`{"sub":"user123","iss":"test-issuer","aud":"test-audience",`+member+`}`,
		)
	}

	return []Case{
		{"no exp", with("exp", nil), "token_claim_missing"},
		{"exp null", raw(`"exp":null`), "token_claim_missing"},
		{"exp a string", raw(`"exp":"9999999999"`), "token_claim_invalid"},
		{"exp negative", raw(`"exp":-1`), "token_claim_invalid"},
		{"exp beyond all bounds", raw(`"exp":1e400`), "token_claim_invalid"},
		{"exp beyond the calendar", raw(`"exp":1e18`), "token_claim_invalid"},
		{"expired", with("exp", now.Add(-2*time.Minute).Unix()), "token_expired"},
		{"expired long ago", raw(`"exp":0`), "token_expired"},
		{"not yet valid", with("nbf", now.Add(2*time.Minute).Unix()), "token_not_yet_valid"},
		{"nbf a string", with("nbf", "tomorrow"), "token_claim_invalid"},
		{"issued in the future", with("iat", now.Add(time.Hour).Unix()), "token_not_yet_valid"},
		{"no issuer", with("iss", nil), "token_claim_missing"},
		{"other issuer", with("iss", "test-issuer.evil"), "token_issuer_invalid"},
		{"issuer an array", with("iss", []string{"test-issuer"}), "token_claim_invalid"},
		{"no audience", with("aud", nil), "token_claim_missing"},
		{"other audience", with("aud", "another"), "token_audience_invalid"},
		{"other audiences", with("aud", []string{"a", "b"}), "token_audience_invalid"},
		{
			"audience an object",
			with("aud", map[string]any{"test-audience": true}),
			"token_claim_invalid",
		},
		{"no user", with("sub", nil), "token_claim_missing"},
		{"user empty", with("sub", ""), "token_claim_invalid"},
		{"user too long", with("sub", strings.Repeat("u", 129)), "token_claim_invalid"},
		{"user with a control character", with("sub", "user\n123"), "token_claim_invalid"},
		{"user with NUL", with("sub", "user\x00"), "token_claim_invalid"},
		{"user an object", with("userId", map[string]any{"$ne": ""}), "token_claim_invalid"},
		{"user a fraction", with("userId", 1.5), "token_claim_invalid"},
		{"user a boolean", with("userId", true), "token_claim_invalid"},
		{"damaged userId before a good sub", with("userId", ""), "token_claim_invalid"},
		{"roles a string", with("roles", "admin"), "token_claim_invalid"},
		{"roles with a number", with("roles", []any{"partner", 1}), "token_claim_invalid"},
		{"userId and sub differ", with("userId", "victim"), "token_user_ambiguous"},
		{"sub and id differ", with("id", 42), "token_user_ambiguous"},
	}
}
