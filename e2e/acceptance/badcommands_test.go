package acceptance_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tributary/e2e/stacktest"
)

const (
	acceptPath   = "/api/v1/campaigns/camp123/accept"
	evidencePath = "/api/v1/evidence/upload"
	paymentPath  = "/api/v1/payments/request"
)

// badCommands are sent with a valid token.
func badCommands(t *testing.T) []bad {
	t.Helper()
	token := stack.Token(t, stacktest.Unique("user"))
	command := func(name, path, body string, fields ...string) bad {
		return bad{
			name:   name,
			url:    stack.BFF,
			path:   path,
			body:   body,
			token:  token,
			status: 422,
			code:   "validation_failed",
			fields: fields,
		}
	}
	malformed := func(name, body string, status int, code string) bad {
		return bad{
			name:   name,
			url:    stack.BFF,
			path:   acceptPath,
			body:   body,
			token:  token,
			status: status,
			code:   code,
		}
	}
	payment := func(name, amount, currency string, fields ...string) bad {
		return command(
			name,
			paymentPath,
			`{"amount": `+amount+`, "currency": `+currency+`, "payment_method": "paypal", "account_details": {"email": "`+marker+`"}}`,
			fields...)
	}
	evidence := func(name, url string, fields ...string) bad {
		return command(
			name,
			evidencePath,
			`{"campaign_id": "camp123", "evidence_type": "photo", "file_url": `+url+`}`,
			fields...)
	}
	key := command(
		"command key of 256 characters",
		acceptPath,
		`{"accepted_terms": true}`,
		"Idempotency-Key:too_long",
	)
	key.header = map[string]string{"Idempotency-Key": strings.Repeat("k", 256)}
	plain := malformed(
		"command as text",
		`{"accepted_terms": true}`,
		415,
		"unsupported_content_type",
	)
	plain.contentType = "text/plain"

	return []bad{
		malformed("command is empty", "", 400, "json_empty"),
		malformed(
			"command has a duplicate key",
			`{"accepted_terms": false, "accepted_terms": true}`,
			400,
			"json_duplicate_key",
		),
		malformed(
			"command has a NUL",
			`{"accepted_terms": true, "metadata": {"a": "`+marker+`\u0000"}}`,
			400,
			"json_nul",
		),
		malformed(
			"command of 2 MiB",
			`{"accepted_terms": true, "metadata": {"a": "`+strings.Repeat("x", 2<<20)+`"}}`,
			413,
			"body_too_large",
		),
		plain,
		key,
		command(
			"terms not accepted",
			acceptPath,
			`{"accepted_terms": false}`,
			"accepted_terms:terms_not_accepted",
		),
		command("terms missing", acceptPath, `{}`, "accepted_terms:required"),
		command(
			"terms as text",
			acceptPath,
			`{"accepted_terms": "true"}`,
			"accepted_terms:wrong_type",
		),
		command(
			"terms as a number",
			acceptPath,
			`{"accepted_terms": 1}`,
			"accepted_terms:wrong_type",
		),
		command("terms null", acceptPath, `{"accepted_terms": null}`, "accepted_terms:required"),
		command(
			"metadata of a command is an array",
			acceptPath,
			`{"accepted_terms": true, "metadata": ["`+marker+`"]}`,
			"metadata:wrong_type",
		),
		command(
			"metadata of a command is a number",
			acceptPath,
			`{"accepted_terms": true, "metadata": 1}`,
			"metadata:wrong_type",
		),
		command(
			"unknown field of a command",
			acceptPath,
			`{"accepted_terms": true, "user_id": "`+marker+`"}`,
			"user_id:unknown_field",
		),
		command(
			"campaign is too long",
			"/api/v1/campaigns/"+strings.Repeat(marker, 22)+"/accept",
			`{"accepted_terms": true}`,
			"campaign_id:too_long",
		),
		command(
			"campaign has a line break",
			"/api/v1/campaigns/"+marker+"%0a/accept",
			`{"accepted_terms": true}`,
			"campaign_id:not_printable",
		),
		command(
			"evidence without anything",
			evidencePath,
			`{}`,
			"campaign_id:required",
			"evidence_type:required",
			"file_url:required",
		),
		command(
			"evidence type in capitals",
			evidencePath,
			`{"campaign_id": "c", "evidence_type": "`+marker+`", "file_url": "https://example.com/a"}`,
			"evidence_type:invalid_value",
		),
		evidence("relative URL", `"/photos/`+marker+`.jpg"`, "file_url:invalid_url"),
		evidence("URL without host", `"https:///`+marker+`"`, "file_url:invalid_url"),
		evidence("other scheme", `"file:///etc/`+marker+`"`, "file_url:invalid_url"),
		evidence("script", `"javascript:`+marker+`"`, "file_url:invalid_url"),
		evidence(
			"URL with a password",
			`"https://user:`+marker+`@example.com/"`,
			"file_url:invalid_url",
		),
		evidence("URL is a number", `7`, "file_url:wrong_type"),
		payment("amount 0", `0`, `"USD"`, "amount:not_positive"),
		payment("amount 0.00 as text", `"0.00"`, `"USD"`, "amount:not_positive"),
		payment("amount below 0", `-150.00`, `"USD"`, "amount:not_positive"),
		payment("amount of a command too precise", `150.005`, `"USD"`, "amount:amount_too_precise"),
		payment(
			"amount of a command with 13 digits",
			`1000000000000`,
			`"USD"`,
			"amount:amount_too_large",
		),
		payment(
			"amount of a command is no number",
			`"`+marker+`"`,
			`"USD"`,
			"amount:amount_malformed",
		),
		payment("unknown currency of a command", `150.00`, `"XQZ"`, "currency:currency_unknown"),
		payment(
			"currency of a command in small letters",
			`150.00`,
			`"usd"`,
			"currency:currency_unknown",
		),
		payment("currency too long", `150.00`, `"DOLLARS"`, "currency:too_long"),
		payment("currency is null", `150.00`, `null`, "currency:required"),
		command(
			"payment without anything",
			paymentPath,
			`{}`,
			"amount:required",
			"currency:required",
			"payment_method:required",
			"account_details:required",
		),
		command(
			"account details empty",
			paymentPath,
			`{"amount": 1, "currency": "USD", "payment_method": "paypal", "account_details": {}}`,
			"account_details:required",
		),
		command(
			"account details as text",
			paymentPath,
			`{"amount": 1, "currency": "USD", "payment_method": "paypal", "account_details": "`+marker+`"}`,
			"account_details:wrong_type",
		),
	}
}

// badTokens are sent with a valid command.
func badTokens(t *testing.T) []bad {
	t.Helper()
	token := func(name, token, code string) bad {
		return bad{
			name:   name,
			url:    stack.BFF,
			path:   acceptPath,
			body:   `{"accepted_terms": true}`,
			token:  token,
			status: 401,
			code:   code,
		}
	}
	header := func(name, value string) bad {
		row := token(name, "", "token_missing")
		row.header = map[string]string{"Authorization": value}

		return row
	}
	secret, good := []byte(stack.Secret), stack.Token(t, marker)
	with := func(change func(stacktest.Claims)) string {
		claims := stacktest.PartnerClaims(marker)
		change(claims)

		return stacktest.Sign(t, jwt.SigningMethodHS256, secret, claims)
	}

	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}

	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	parts := strings.Split(good, ".")
	admin := base64.RawURLEncoding.EncodeToString(
		[]byte(`{"sub":"` + marker + `","roles":["admin"],"exp":9999999999}`),
	)
	right := token(
		"no right",
		with(func(c stacktest.Claims) { c["roles"] = []string{} }),
		"role_missing",
	)
	right.status = http.StatusForbidden
	first := token("bad token and bad body", "x", "token_malformed")
	first.body = `{"accepted_terms": "` + marker + `"`

	return []bad{
		token("no token", "", "token_missing"),
		header("empty token", "Bearer "),
		header("other scheme of authorization", "Basic dXNlcjpwYXNz"),
		header("token without scheme", good),
		token("no JWT", marker, "token_malformed"),
		token("two parts", parts[0]+"."+parts[1], "token_malformed"),
		token("unsigned", parts[0]+"."+parts[1]+".", "token_signature_invalid"),
		token(
			"none",
			stacktest.Sign(
				t,
				jwt.SigningMethodNone,
				jwt.UnsafeAllowNoneSignatureType,
				stacktest.PartnerClaims(marker),
			),
			"token_algorithm_refused",
		),
		token(
			"wrong key",
			stacktest.Sign(
				t,
				jwt.SigningMethodHS256,
				[]byte(marker+"-another-secret-of-enough-bytes"),
				stacktest.PartnerClaims(marker),
			),
			"token_signature_invalid",
		),
		token("changed claims", parts[0]+"."+admin+"."+parts[2], "token_signature_invalid"),
		token(
			"HS512",
			stacktest.Sign(t, jwt.SigningMethodHS512, secret, stacktest.PartnerClaims(marker)),
			"token_algorithm_refused",
		),
		token(
			"RS256",
			stacktest.Sign(t, jwt.SigningMethodRS256, rsaKey, stacktest.PartnerClaims(marker)),
			"token_algorithm_refused",
		),
		token(
			"ES256",
			stacktest.Sign(t, jwt.SigningMethodES256, ecKey, stacktest.PartnerClaims(marker)),
			"token_algorithm_refused",
		),
		token(
			"expired",
			with(func(c stacktest.Claims) { c["exp"] = time.Now().Add(-2 * time.Minute).Unix() }),
			"token_expired",
		),
		token(
			"not yet valid",
			with(func(c stacktest.Claims) { c["nbf"] = time.Now().Add(5 * time.Minute).Unix() }),
			"token_not_yet_valid",
		),
		token("no exp", with(func(c stacktest.Claims) { delete(c, "exp") }), "token_claim_missing"),
		token(
			"exp as text",
			with(func(c stacktest.Claims) { c["exp"] = marker }),
			"token_claim_invalid",
		),
		token(
			"no user in the token",
			with(func(c stacktest.Claims) { delete(c, "sub") }),
			"token_claim_missing",
		),
		token(
			"user with a line break",
			with(func(c stacktest.Claims) { c["sub"] = marker + "\n" }),
			"token_claim_invalid",
		),
		token(
			"user of 129 characters",
			with(func(c stacktest.Claims) { c["sub"] = strings.Repeat("u", 129) }),
			"token_claim_invalid",
		),
		token(
			"token of 9 KiB",
			with(func(c stacktest.Claims) { c["padding"] = strings.Repeat(marker, 1600) }),
			"token_too_large",
		),
		right,
		first,
	}
}
