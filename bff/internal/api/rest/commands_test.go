package rest_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"tributary/bff/internal/application/command"
	"tributary/bff/internal/application/command/commandtest"
	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/evidence"
	"tributary/bff/internal/domain/payment"
	"tributary/platform/auth/authtest"
)

const (
	acceptPath   = "/api/v1/campaigns/camp123/accept"
	evidencePath = "/api/v1/evidence/upload"
	paymentPath  = "/api/v1/payments/request"

	goodAccept   = `{"accepted_terms": true, "metadata": {"source": "mobile_app"}}`
	goodEvidence = `{"campaign_id": "camp123", "evidence_type": "photo", "file_url": "https://example.com/photo.jpg", "metadata": {"description": "Product photo"}}`
	goodPayment  = `{"amount": 150.00, "currency": "USD", "payment_method": "paypal", "account_details": {"email": "user@example.com"}}`
)

// The requests of the contract, unchanged.
func TestAskedForRequests(t *testing.T) {
	t.Parallel()

	s := setup(t)
	for path, tc := range map[string]struct{ body, kind string }{
		acceptPath: {goodAccept, "campaign.accept"}, evidencePath: {goodEvidence, "evidence.upload"}, paymentPath: {goodPayment, "payment.request"},
	} {
		r := receiptOf(t, s.post(t, path, tc.body))
		if r.CommandType != tc.kind || r.Status != "submitted" || r.UserID != "user123" ||
			r.SubmittedAt != now().Format(time.RFC3339Nano) {
			t.Errorf("%s: %+v", path, r)
		}

		if len(r.CommandID) != 36 || r.CommandID[14] != '7' {
			t.Errorf("%s: %s is no UUIDv7", path, r.CommandID)
		}
	}

	a := commandtest.Of[campaign.Acceptance](s.published)[0]
	u := commandtest.Of[evidence.Upload](s.published)[0]
	p := commandtest.Of[payment.Request](s.published)[0]

	if a.CampaignID() != "camp123" || a.Metadata() != `{"source": "mobile_app"}` {
		t.Errorf("acceptance %+v", a)
	}

	if u.Kind() != "photo" || u.FileURL() != "https://example.com/photo.jpg" ||
		u.CampaignID() != "camp123" {
		t.Errorf("upload %+v", u)
	}

	if p.Amount().String() != "150.00" || p.Amount().Currency().String() != "USD" ||
		p.Method() != "paypal" ||
		p.AccountDetails().Reveal() != `{"email": "user@example.com"}` {
		t.Errorf("payment %+v", p)
	}

	snapshot := p.Stamp().Caller().Snapshot()
	if snapshot.UserID != "user123" || snapshot.TokenID != "token-1" || !snapshot.Verified ||
		len(snapshot.Roles) != 1 {
		t.Errorf("caller %+v", snapshot)
	}
}

func TestIdempotencyKeyMakesTheCommandID(t *testing.T) {
	t.Parallel()
	s := setup(t)
	other := s
	other.token = authtest.HS256(t, authtest.Secret, authtest.Claims(now(), "user456"))

	first := receiptOf(
		t,
		s.post(t, acceptPath, goodAccept, "Idempotency-Key", "attempt-1"),
	).CommandID
	if first[14] != '5' {
		t.Errorf("%s is no UUIDv5", first)
	}

	for name, id := range map[string]string{
		"no key":        receiptOf(t, s.post(t, acceptPath, goodAccept)).CommandID,
		"other key":     receiptOf(t, s.post(t, acceptPath, goodAccept, "Idempotency-Key", "attempt-2")).CommandID,
		"other caller":  receiptOf(t, other.post(t, acceptPath, goodAccept, "Idempotency-Key", "attempt-1")).CommandID,
		"other command": receiptOf(t, s.post(t, paymentPath, goodPayment, "Idempotency-Key", "attempt-1")).CommandID,
	} {
		if id == first {
			t.Errorf("%s: the same id", name)
		}
	}

	if again := receiptOf(
		t,
		s.post(t, acceptPath, goodAccept, "Idempotency-Key", "attempt-1"),
	).CommandID; again != first {
		t.Error("a retry is another command")
	}
}

func TestAmountsAreReadExactly(t *testing.T) {
	t.Parallel()

	s := setup(t)
	for text, want := range map[string]string{
		`150`: "150.00", `"150.00"`: "150.00", `0.01`: "0.01", `1.5e2`: "150.00", `999999999999.99`: "999999999999.99", `0.1000`: "0.10", `"0.29"`: "0.29",
	} {
		receiptOf(t, s.post(t, paymentPath, strings.Replace(goodPayment, "150.00", text, 1)))

		if got := commandtest.Of[payment.Request](s.published)[len(commandtest.Of[payment.Request](s.published))-1].Amount().String(); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}

// bad is an invalid request with its expected answer. Field is that of the first error, or ""
// without one.
type bad struct {
	name, path, body string
	headers          []string
	status           int
	code, field      string
}

func payWith(old, replacement string) string {
	return strings.Replace(goodPayment, old, replacement, 1)
}

func badInputs(t *testing.T) []bad {
	t.Helper()
	deep := `{"accepted_terms":true,"metadata":` + strings.Repeat(
		`{"a":`,
		40,
	) + "1" + strings.Repeat("}", 40) + "}"
	long := strings.Repeat("x", 129)

	const invalid = "validation_failed"

	list := []bad{
		{"empty body", acceptPath, "", nil, 400, "json_empty", ""},
		{"no JSON", acceptPath, "accepted_terms=true", nil, 400, "json_syntax", ""},
		{"truncated", acceptPath, `{"accepted_terms": tr`, nil, 400, "json_syntax", ""},
		{"trailing text", acceptPath, goodAccept + "x", nil, 400, "json_trailing_text", ""},
		{
			"duplicate key",
			acceptPath,
			`{"accepted_terms":false,"accepted_terms":true}`,
			nil,
			400,
			"json_duplicate_key",
			"",
		},
		{
			"duplicate key inside",
			acceptPath,
			`{"accepted_terms":true,"metadata":{"a":1,"a":2}}`,
			nil,
			400,
			"json_duplicate_key",
			"",
		},
		{
			"invalid UTF-8",
			acceptPath,
			"{\"accepted_terms\":true,\"metadata\":{\"a\":\"\xff\"}}",
			nil,
			400,
			"json_invalid_utf8",
			"",
		},
		{
			"lone surrogate",
			acceptPath,
			`{"accepted_terms":true,"metadata":{"a":"\ud800"}}`,
			nil,
			400,
			"json_invalid_utf8",
			"",
		},
		{
			"NUL",
			acceptPath,
			`{"accepted_terms":true,"metadata":{"a":"\u0000"}}`,
			nil,
			400,
			"json_nul",
			"",
		},
		{"nested too deep", acceptPath, deep, nil, 400, "json_too_deep", ""},
		{
			"too large",
			acceptPath,
			`{"accepted_terms":true,"metadata":{"a":"` + strings.Repeat("a", 2<<20) + `"}}`,
			nil,
			413,
			"body_too_large",
			"",
		},
		{
			"form",
			acceptPath,
			"a=b",
			[]string{"Content-Type", "application/x-www-form-urlencoded"},
			415,
			"unsupported_content_type",
			"",
		},
		{
			"no content type",
			acceptPath,
			goodAccept,
			[]string{"Content-Type", ""},
			415,
			"unsupported_content_type",
			"",
		},
		{"an array", acceptPath, `[]`, nil, 422, invalid, ""},
		{"null", acceptPath, `null`, nil, 422, invalid, ""},
		{"terms absent", acceptPath, `{}`, nil, 422, invalid, "accepted_terms"},
		{
			"terms not accepted",
			acceptPath,
			`{"accepted_terms":false}`,
			nil,
			422,
			invalid,
			"accepted_terms",
		},
		{
			"terms a string",
			acceptPath,
			`{"accepted_terms":"true"}`,
			nil,
			422,
			invalid,
			"accepted_terms",
		},
		{"terms a number", acceptPath, `{"accepted_terms":1}`, nil, 422, invalid, "accepted_terms"},
		{"terms null", acceptPath, `{"accepted_terms":null}`, nil, 422, invalid, "accepted_terms"},
		{
			"unknown field",
			acceptPath,
			`{"accepted_terms":true,"user_id":"someone"}`,
			nil,
			422,
			invalid,
			"user_id",
		},
		{"wrong case", acceptPath, `{"Accepted_Terms":true}`, nil, 422, invalid, ""},
		{
			"metadata an array",
			acceptPath,
			`{"accepted_terms":true,"metadata":[]}`,
			nil,
			422,
			invalid,
			"metadata",
		},
		{
			"campaign too long",
			"/api/v1/campaigns/" + long + "/accept",
			goodAccept,
			nil,
			422,
			invalid,
			"campaign_id",
		},
		{
			"campaign not printable",
			"/api/v1/campaigns/a%07b/accept",
			goodAccept,
			nil,
			422,
			invalid,
			"campaign_id",
		},
		{
			"campaign invalid UTF-8",
			"/api/v1/campaigns/a%ffb/accept",
			goodAccept,
			nil,
			422,
			invalid,
			"campaign_id",
		},
		{"no campaign", "/api/v1/campaigns//accept", goodAccept, nil, 422, invalid, "campaign_id"},
		{
			"unknown query parameter",
			acceptPath + "?user_id=x",
			goodAccept,
			nil,
			422,
			invalid,
			"user_id",
		},
		{
			"key too long",
			acceptPath,
			goodAccept,
			[]string{"Idempotency-Key", strings.Repeat("k", 256)},
			422,
			invalid,
			"Idempotency-Key",
		},
		{
			"key not ASCII",
			acceptPath,
			goodAccept,
			[]string{"Idempotency-Key", "schlüssel"},
			422,
			invalid,
			"Idempotency-Key",
		},
		{
			"amount absent",
			paymentPath,
			`{"currency":"USD","payment_method":"paypal","account_details":{"email":"a"}}`,
			nil,
			422,
			invalid,
			"amount",
		},
		{
			"details absent",
			paymentPath,
			`{"amount":1,"currency":"USD","payment_method":"paypal"}`,
			nil,
			422,
			invalid,
			"account_details",
		},
		{
			"details empty",
			paymentPath,
			payWith(`{"email": "user@example.com"}`, "{ }"),
			nil,
			422,
			invalid,
			"account_details",
		},
		{
			"details a string",
			paymentPath,
			payWith(`{"email": "user@example.com"}`, `"user@example.com"`),
			nil,
			422,
			invalid,
			"account_details",
		},
		{
			"details too long",
			paymentPath,
			payWith("user@example.com", strings.Repeat("a", 17<<10)),
			nil,
			422,
			invalid,
			"account_details",
		},
		{
			"details null",
			paymentPath,
			payWith(`{"email": "user@example.com"}`, "null"),
			nil,
			422,
			invalid,
			"account_details",
		},
		{"currency null", paymentPath, payWith(`"USD"`, "null"), nil, 422, invalid, "currency"},
		{"method empty", paymentPath, payWith("paypal", ""), nil, 422, invalid, "payment_method"},
		{
			"method odd",
			paymentPath,
			payWith("paypal", "Pay Pal!"),
			nil,
			422,
			invalid,
			"payment_method",
		},
		{"unknown currency", paymentPath, payWith("USD", "ABC"), nil, 422, invalid, "currency"},
		{
			"currency in small letters",
			paymentPath,
			payWith("USD", "usd"),
			nil,
			422,
			invalid,
			"currency",
		},
		{"currency too long", paymentPath, payWith("USD", "USDT"), nil, 422, invalid, "currency"},
		{"NaN", paymentPath, payWith("150.00", "NaN"), nil, 400, "json_syntax", ""},
		{"1e400", paymentPath, payWith("150.00", "1e400"), nil, 400, "json_number_range", ""},
	}
	for _, amount := range []string{
		"0", "-1", "-0", "0.00", "0.001", "1e-26", "1000000000000", "1e13", `""`, `"abc"`, `"1,50"`, `" 1"`, `"0x10"`, `"NaN"`, `"Infinity"`, `"1e999"`,
		`"+1"`, `"01"`, `"١"`, "true", "null", "[1]", `{"value":1}`, `"` + strings.Repeat("1", 50) + `"`,
	} {
		list = append(
			list,
			bad{
				"amount " + amount,
				paymentPath,
				payWith("150.00", amount),
				nil,
				422,
				invalid,
				"amount",
			},
		)
	}

	list = append(
		list,
		bad{
			"yen with decimals",
			paymentPath,
			`{"amount":1.5,"currency":"JPY","payment_method":"paypal","account_details":{"a":1}}`,
			nil,
			422,
			invalid,
			"amount",
		},
	)
	for _, address := range []string{
		"", "photo.jpg", "/photo.jpg", "//example.com/photo.jpg", "ftp://example.com/a", "file:///etc/passwd", "javascript:alert(1)", "data:text/html,x",
		"https://", "https:///photo.jpg", "https://:443/x", "https:example.com", "https://user:secret@example.com/x", "https://exa mple.com/", "https://example.com/\\n",
		"https://example.com\\\\@evil.example/", "https://[::1/x", "https://example.com:port/", "https://example.com/" + strings.Repeat("a", 2048),
	} {
		list = append(
			list,
			bad{
				"file_url " + address,
				evidencePath,
				strings.Replace(goodEvidence, "https://example.com/photo.jpg", address, 1),
				nil,
				422,
				invalid,
				"file_url",
			},
		)
	}

	return append(
		list,
		bad{
			"evidence type odd",
			evidencePath,
			strings.Replace(goodEvidence, `"photo"`, `"../photo"`, 1),
			nil,
			422,
			invalid,
			"evidence_type",
		},
		bad{
			"evidence campaign empty",
			evidencePath,
			strings.Replace(goodEvidence, `"camp123"`, `""`, 1),
			nil,
			422,
			invalid,
			"campaign_id",
		},
		bad{
			"evidence campaign too long",
			evidencePath,
			strings.Replace(goodEvidence, `camp123`, long, 1),
			nil,
			422,
			invalid,
			"campaign_id",
		},
		bad{
			"evidence campaign a number",
			evidencePath,
			strings.Replace(goodEvidence, `"camp123"`, `123`, 1),
			nil,
			422,
			invalid,
			"campaign_id",
		},
	)
}

// Every invalid input is answered with a problem document that repeats nothing of it, and nothing
// is published.
func TestBadInputs(t *testing.T) {
	t.Parallel()
	s := setup(t)

	cases := badInputs(t)
	if len(cases) < 40 {
		t.Fatalf("only %d cases", len(cases))
	}

	for _, tc := range cases {
		w := s.post(t, tc.path, tc.body, tc.headers...)
		if w.Code < http.StatusBadRequest {
			t.Errorf("%s: %d, want %d %s", tc.name, w.Code, tc.status, tc.code)
			continue
		}

		p := problemOf(t, w)
		if w.Code != tc.status || p.Code != tc.code || p.Status != tc.status || p.RequestID == "" {
			t.Errorf("%s: %d %s, want %d %s", tc.name, w.Code, w.Body, tc.status, tc.code)
			continue
		}

		if tc.field != "" && (len(p.Errors) == 0 || p.Errors[0].Field != tc.field) {
			t.Errorf("%s: errors %+v, want %s", tc.name, p.Errors, tc.field)
		}

		if strings.Contains(w.Body.String(), "user@example.com") ||
			strings.Contains(w.Body.String(), "secret@") {
			t.Errorf("%s: the answer repeats what was sent: %s", tc.name, w.Body)
		}
	}

	if len(s.published.Stored()) != 0 {
		t.Errorf("%d commands were published", len(s.published.Stored()))
	}
}

// An answer lists all faults of a request.
func TestAllFaultsAreTold(t *testing.T) {
	t.Parallel()
	s := setup(t)

	p := problemOf(
		t,
		s.post(
			t,
			paymentPath,
			`{"amount":"-1","currency":"USD","payment_method":"?","account_details":{}}`,
		),
	)
	if len(p.Errors) != 3 {
		t.Errorf("errors %+v", p.Errors)
	}
}

func TestForgedTokens(t *testing.T) {
	t.Parallel()

	s := setup(t)
	for _, tc := range authtest.Forged(t, authtest.Secret, now()) {
		for path, body := range map[string]string{acceptPath: goodAccept, evidencePath: goodEvidence, paymentPath: goodPayment} {
			w := s.post(t, path, body, "Authorization", "Bearer "+tc.Token)
			if p := problemOf(t, w); w.Code != http.StatusUnauthorized || p.Code != tc.Code ||
				w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %d %s, want 401 %s", tc.Name, w.Code, w.Body, tc.Code)
			}
		}
	}

	if w := s.post(
		t,
		acceptPath,
		"not even JSON",
		"Authorization",
		"",
	); w.Code != http.StatusUnauthorized ||
		problemOf(t, w).Code != "token_missing" {
		t.Errorf("no token: %d %s", w.Code, w.Body)
	}

	claims := authtest.Claims(now(), "user123")

	claims["roles"] = []string{"operator"}
	if w := s.post(
		t,
		paymentPath,
		goodPayment,
		"Authorization",
		"Bearer "+authtest.HS256(t, authtest.Secret, claims),
	); w.Code != http.StatusForbidden {
		t.Errorf("no partner: %d %s", w.Code, w.Body)
	}

	if len(s.published.Stored()) != 0 {
		t.Errorf("%d commands were published", len(s.published.Stored()))
	}
}

func TestBrokerAway(t *testing.T) {
	t.Parallel()
	s := setup(t)

	s.published.Fail(command.ErrBrokerUnavailable.New("The broker is away.").RetryIn(2 * time.Second))

	for path, body := range map[string]string{acceptPath: goodAccept, evidencePath: goodEvidence, paymentPath: goodPayment} {
		w := s.post(t, path, body)
		if p := problemOf(
			t,
			w,
		); w.Code != http.StatusServiceUnavailable || p.Code != "broker_unavailable" ||
			w.Header().Get("Retry-After") != "2" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestEscapedCampaign(t *testing.T) {
	t.Parallel()

	s := setup(t)
	for path, want := range map[string]string{
		"camp%20123": "camp 123", "camp%C3%BC": "campü", "a%2Fb": "a/b", "100%25": "100%", "a+b": "a+b",
	} {
		receiptOf(t, s.post(t, "/api/v1/campaigns/"+path+"/accept", goodAccept))

		if got := commandtest.Of[campaign.Acceptance](s.published)[len(commandtest.Of[campaign.Acceptance](s.published))-1].CampaignID(); got != want {
			t.Errorf("%s became %q (%s)", path, got, hex.EncodeToString([]byte(got)))
		}
	}
}

// Null is equivalent to an absent member: an optional member may be null, a required one is
// missing.
func TestNullIsAbsent(t *testing.T) {
	t.Parallel()
	s := setup(t)

	if w := s.post(t, acceptPath, `{"accepted_terms":true,"metadata":null}`); w.Code != http.StatusAccepted {
		t.Errorf("optional: %d %s", w.Code, w.Body)
	}

	if got := commandtest.Of[campaign.Acceptance](s.published); len(got) != 1 || got[0].Metadata() != "" {
		t.Errorf("published %+v", got)
	}

	for field, body := range map[string]string{
		"accepted_terms":  `{"accepted_terms":null}`,
		"amount":          payWith("150.00", "null"),
		"currency":        payWith(`"USD"`, "null"),
		"account_details": payWith(`{"email": "user@example.com"}`, "null"),
	} {
		path := paymentPath
		if field == "accepted_terms" {
			path = acceptPath
		}

		w := s.post(t, path, body)
		if w.Code != http.StatusUnprocessableEntity ||
			!strings.Contains(w.Body.String(), `{"field":"`+field+`","code":"required"`) {
			t.Errorf("%s: %d %s", field, w.Code, w.Body)
		}
	}
}
