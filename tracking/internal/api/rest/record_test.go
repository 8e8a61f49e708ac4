package rest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"tributary/platform/httpapi"
	"tributary/tracking/internal/api/rest"
	"tributary/tracking/internal/application/ingest"
)

const purchase = `{"user_id": "user123", "event_type": "purchase", "metadata": {"amount": 100.0, "product_id": "prod456"}}`

func TestTheAskedForRequestWorks(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)
	a := send(
		t,
		request{
			url:  url,
			body: purchase,
			headers: map[string]string{
				"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
			},
		},
	)

	want := rest.Recorded{
		EventID:    "id-1",
		Status:     "recorded",
		ReceivedAt: "2026-11-23T12:00:00.123456Z",
	}
	if got := decode[rest.Recorded](t, a); a.status != http.StatusCreated || got != want {
		t.Fatalf("%d %s", a.status, a.body)
	}

	if f := log.last(); f.Amount != "100.0" || f.ProductID != "prod456" ||
		f.Metadata != `{"amount": 100.0, "product_id": "prod456"}` ||
		f.Traceparent != "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" {
		t.Fatalf("recorded %+v", f)
	}

	a = send(t, request{method: "GET", url: url + "/id-1"})
	if a.status != http.StatusOK ||
		!strings.Contains(a.body, `"metadata":{"amount":100.0,"product_id":"prod456"}`) {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

func TestRepetitionsAndConflicts(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)

	const first = `{"event_id":"e","user_id":"u","event_type":"sale","metadata":{"amount":1.10,"note":"é","list":[1,2]}}`
	if a := send(t, request{url: url, body: first}); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}

	for name, body := range map[string]string{
		"to the letter": first,
		"white space, order": "{\n\"metadata\" : { \"list\": [1, 2],\"note\":\"\\u00e9\" , " +
			"\"amount\":1.10 }, \"event_type\":\"sale\", \"user_id\":\"u\", \"event_id\":\"e\" }",
		"escaped name":             `{"event_id":"e","\u0075ser_id":"u","event_type":"sale","metadata":{"amount":1.10,"note":"é","list":[1,2]}}`,
		"aliases":                  `{"event_id":"e","partner_id":"u","interaction_type":"sale","metadata":{"amount":1.10,"note":"é","list":[1,2]}}`,
		"amount of fewer digits":   strings.Replace(first, "1.10", "1.1", 1),
		"amount of more digits":    strings.Replace(first, "1.10", "1.1000", 1),
		"amount with an exponent":  strings.Replace(first, "1.10", "110e-2", 1),
		"amount as a string":       strings.Replace(first, "1.10", `"1.1"`, 1),
		"amount as escaped string": strings.Replace(first, "1.10", `"\u0031.100"`, 1),
		"member without a meaning": strings.Replace(first, "[1,2]", "[1.0,0.2e1]", 1),
	} {
		a := send(t, request{url: url, body: body})
		if a.status != http.StatusOK || decode[rest.Recorded](t, a).Status != "duplicate" {
			t.Errorf("%s: %d %s, want a duplicate", name, a.status, a.body)
		}
	}

	for name, body := range map[string]string{
		"other amount":      strings.Replace(first, "1.10", "1.11", 1),
		"other number":      strings.Replace(first, "[1,2]", "[1.0000000000000000000000001,2]", 1),
		"text for a number": strings.Replace(first, "[1,2]", `["1",2]`, 1),
		"other list":        strings.Replace(first, "[1,2]", "[2,1]", 1),
		"other user":        strings.Replace(first, `"u"`, `"v"`, 1),
		"a time":            strings.Replace(first, `"user_id"`, `"occurred_at":"2026-11-23T12:00:00Z","user_id"`, 1),
	} {
		a := send(t, request{url: url, body: body})
		if p := decode[httpapi.Problem](t, a); a.status != http.StatusConflict ||
			p.Code != "event_id_conflict" {
			t.Errorf("%s: %d %s, want a conflict", name, a.status, a.body)
		}
	}

	if log.size() != 1 {
		t.Fatalf("%d events are recorded, want 1", log.size())
	}
}

func TestAnIdempotencyKeyFindsItsFirstAnswer(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)
	with := func(key, body string) answer {
		return send(
			t,
			request{url: url, body: body, headers: map[string]string{"Idempotency-Key": key}},
		)
	}

	first := with("k", purchase)
	if first.status != http.StatusCreated || first.header.Get("Idempotency-Replayed") != "" {
		t.Fatalf("%d %v %s", first.status, first.header, first.body)
	}

	again := with("k", strings.Replace(strings.ReplaceAll(purchase, " ", ""), "100.0", "1.000e2", 1))
	if again.status != first.status || again.body != first.body ||
		again.header.Get("Idempotency-Replayed") != "true" {
		t.Fatalf("the retry got %d %v %s", again.status, again.header, again.body)
	}

	if a := with(
		"k",
		`{"user_id":"other","event_type":"view"}`,
	); a.status != http.StatusUnprocessableEntity ||
		decode[httpapi.Problem](t, a).Code != "idempotency_key_reused" {
		t.Fatalf("%d %s", a.status, a.body)
	}

	if a := with("l", purchase); a.status != http.StatusCreated || a.body == first.body {
		t.Fatalf("another key: %d %s", a.status, a.body)
	}

	if a := with(strings.Repeat("k", 256), purchase); a.status != http.StatusUnprocessableEntity ||
		decode[httpapi.Problem](t, a).Errors[0].Field != "Idempotency-Key" {
		t.Fatalf("a long key: %d %s", a.status, a.body)
	}

	if log.size() != 2 {
		t.Fatalf("%d events are recorded, want 2", log.size())
	}
}

func TestBadEventsGetTheirProblem(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)
	event := func(member string) string { return `{"user_id":"u","event_type":"view",` + member + `}` }

	meta := func(member string) string {
		return `{"user_id":"u","event_type":"purchase","metadata":{` + member + `}}`
	}
	for name, c := range map[string]struct {
		body        string
		status      int
		field, code string // without a field, the code of the problem
	}{
		"nothing":             {"", 400, "", "json_empty"},
		"truncated":           {`{"user_id":"u"`, 400, "", "json_syntax"},
		"duplicate key":       {`{"user_id":"u","user_id":"u","event_type":"view"}`, 400, "", "json_duplicate_key"},
		"duplicate inside":    {meta(`"amount":1,"amount":2`), 400, "", "json_duplicate_key"},
		"escaped duplicate":   {`{"user_id":"u","\u0075ser_id":"u","event_type":"view"}`, 400, "", "json_duplicate_key"},
		"invalid UTF-8":       {"{\"user_id\":\"\xff\",\"event_type\":\"view\"}", 400, "", "json_invalid_utf8"},
		"lone surrogate":      {event(`"campaign_id":"\ud800"`), 400, "", "json_invalid_utf8"},
		"NUL":                 {event(`"campaign_id":"a\u0000"`), 400, "", "json_nul"},
		"NUL in metadata":     {event(`"metadata":{"a":["\u0000"]}`), 400, "", "json_nul"},
		"NaN":                 {meta(`"amount":NaN`), 400, "", "json_syntax"},
		"1e400":               {meta(`"amount":1e400`), 400, "", "json_number_range"},
		"1e999999999999":      {event(`"metadata":{"x":1e999999999999}`), 400, "", "json_number_range"},
		"too deep":            {event(`"metadata":{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`), 400, "", "json_too_deep"},
		"trailing":            {purchase + purchase, 400, "", "json_trailing_text"},
		"two MiB":             {event(`"metadata":{"a":"` + strings.Repeat("x", 2<<20) + `"}`), 413, "", "body_too_large"},
		"an array":            {`[]`, 422, "body", "wrong_type"},
		"null":                {`null`, 422, "body", "wrong_type"},
		"a string":            {`"x"`, 422, "body", "wrong_type"},
		"no user":             {`{"event_type":"view"}`, 422, "user_id", "required"},
		"no type":             {`{"user_id":"u"}`, 422, "event_type", "required"},
		"null user":           {`{"user_id":null,"event_type":"view"}`, 422, "user_id", "required"},
		"number as user":      {`{"user_id":5,"event_type":"view"}`, 422, "user_id", "wrong_type"},
		"empty user":          {`{"user_id":"","event_type":"view"}`, 422, "user_id", "too_short"},
		"long user":           {`{"user_id":"` + strings.Repeat("u", 129) + `","event_type":"view"}`, 422, "user_id", "too_long"},
		"control in user":     {`{"user_id":"a\u0007","event_type":"view"}`, 422, "user_id", "not_printable"},
		"unknown type":        {`{"user_id":"u","event_type":"buy"}`, 422, "event_type", "unknown_event_type"},
		"type in capitals":    {`{"user_id":"u","event_type":"VIEW"}`, 422, "event_type", "unknown_event_type"},
		"type of list":        {`{"user_id":"u","event_type":["view"]}`, 422, "event_type", "wrong_type"},
		"unknown field":       {event(`"extra":1`), 422, "extra", "unknown_field"},
		"wrong case":          {event(`"User_ID":"u"`), 422, "User_ID", "unknown_field"},
		"long event id":       {event(`"event_id":"` + strings.Repeat("é", 129) + `"`), 422, "event_id", "too_long"},
		"empty campaign":      {event(`"campaign_id":""`), 422, "campaign_id", "too_short"},
		"metadata text":       {event(`"metadata":"x"`), 422, "metadata", "wrong_type"},
		"metadata list":       {event(`"metadata":[]`), 422, "metadata", "wrong_type"},
		"time of number":      {event(`"occurred_at":1700000000`), 422, "occurred_at", "wrong_type"},
		"time of words":       {event(`"occurred_at":"now"`), 422, "occurred_at", "time_malformed"},
		"tomorrow":            {event(`"occurred_at":"2026-11-24T12:00:00Z"`), 422, "occurred_at", "in_the_future"},
		"no amount":           {`{"user_id":"u","event_type":"purchase"}`, 422, "metadata.amount", "required"},
		"null amount":         {meta(`"amount":null`), 422, "metadata.amount", "required"},
		"true amount":         {meta(`"amount":true`), 422, "metadata.amount", "wrong_type"},
		"amount of words":     {meta(`"amount":"much"`), 422, "metadata.amount", "amount_malformed"},
		"negative amount":     {meta(`"amount":-1`), 422, "metadata.amount", "negative"},
		"half a cent":         {meta(`"amount":0.005`), 422, "metadata.amount", "amount_too_precise"},
		"half a yen":          {meta(`"amount":0.5,"currency":"JPY"`), 422, "metadata.amount", "amount_too_precise"},
		"13 digits":           {meta(`"amount":1234567890123`), 422, "metadata.amount", "amount_too_large"},
		"1e26":                {meta(`"amount":1e26`), 422, "metadata.amount", "amount_too_large"},
		"1e-26":               {meta(`"amount":1e-26`), 422, "metadata.amount", "amount_too_precise"},
		"currency of number":  {meta(`"amount":1,"currency":840`), 422, "metadata.currency", "wrong_type"},
		"unknown currency":    {meta(`"amount":1,"currency":"EURO"`), 422, "metadata.currency", "currency_unknown"},
		"self of number":      {meta(`"amount":1,"self_referral":1`), 422, "metadata.self_referral", "wrong_type"},
		"self of list":        {meta(`"amount":1,"self_referral":[true]`), 422, "metadata.self_referral", "wrong_type"},
		"self yes":            {meta(`"amount":1,"self_referral":"yes"`), 422, "metadata.self_referral", "wrong_type"},
		"product of number":   {meta(`"amount":1,"product_id":7`), 422, "metadata.product_id", "wrong_type"},
		"empty order":         {meta(`"amount":1,"order_id":""`), 422, "metadata.order_id", "too_short"},
		"other partner":       {event(`"partner_id":"v"`), 422, "partner_id", "contradiction"},
		"other interaction":   {event(`"interaction_type":"click"`), 422, "interaction_type", "contradiction"},
		"script as source":    {event(`"source_url":"javascript:1"`), 422, "source_url", "invalid_url"},
		"destination of list": {event(`"destination_url":[]`), 422, "destination_url", "wrong_type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := send(t, request{url: url, body: c.body})

			p := decode[httpapi.Problem](t, a)
			if a.status != c.status || a.header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("%d %s, want %d", a.status, a.body, c.status)
			}

			if c.field == "" && p.Code != c.code ||
				c.field != "" &&
					(len(p.Errors) != 1 || p.Errors[0].Field != c.field || p.Errors[0].Code != c.code) {
				t.Fatalf("%s; want %s %s", a.body, c.field, c.code)
			}
		})
	}

	t.Cleanup(func() {
		if log.size() != 0 {
			t.Errorf("%d bad events are recorded", log.size())
		}
	})
}

func TestOtherRefusals(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)
	log.failure = ingest.ErrFull

	for name, c := range map[string]struct {
		request request
		status  int
		code    string
	}{
		"content type":        {request{url: url, body: purchase, media: "text/plain"}, 415, "unsupported_content_type"},
		"cloud batch here":    {request{url: url, body: "[]", media: "application/cloudevents-batch+json"}, 415, "unsupported_content_type"},
		"query":               {request{url: url + "?x=1", body: purchase}, 422, "validation_failed"},
		"put":                 {request{method: "PUT", url: url, body: purchase}, 405, "method_not_allowed"},
		"unknown event":       {request{method: "GET", url: url + "/nothing"}, 404, "event_not_found"},
		"NUL in path":         {request{method: "GET", url: url + "/x%00"}, 404, "event_not_found"},
		"invalid path":        {request{method: "GET", url: url + "/x%ff"}, 404, "event_not_found"},
		"limit 0":             {request{method: "GET", url: url + "?limit=0"}, 422, "validation_failed"},
		"limit 1001":          {request{method: "GET", url: url + "?limit=1001"}, 422, "validation_failed"},
		"limit x":             {request{method: "GET", url: url + "?limit=x"}, 422, "validation_failed"},
		"cursor":              {request{method: "GET", url: url + "?cursor=abc"}, 400, "cursor_invalid"},
		"cursor in clear":     {request{method: "GET", url: url + "?cursor=eyJzZXEiOjF9"}, 400, "cursor_invalid"},
		"type filter":         {request{method: "GET", url: url + "?event_type=buy"}, 422, "validation_failed"},
		"time filter":         {request{method: "GET", url: url + "?occurred_from=yesterday"}, 422, "validation_failed"},
		"empty range":         {request{method: "GET", url: url + "?occurred_from=2026-01-02T00:00:00Z&occurred_to=2026-01-01T00:00:00Z"}, 422, "validation_failed"},
		"NUL in filter":       {request{method: "GET", url: url + "?user_id=x%00"}, 422, "validation_failed"},
		"invalid filter":      {request{method: "GET", url: url + "?campaign_id=x%ff"}, 422, "validation_failed"},
		"unknown filter":      {request{method: "GET", url: url + "?user=x"}, 422, "validation_failed"},
		"full":                {request{url: url, body: purchase}, 503, "intake_full"},
		"full, for a batch":   {request{url: url + "/batch", body: `{"events":[` + purchase + `]}`}, 503, "intake_full"},
		"batch without items": {request{url: url + "/batch", body: `{}`}, 422, "validation_failed"},
	} {
		a := send(t, c.request)
		if p := decode[httpapi.Problem](t, a); a.status != c.status || p.Code != c.code {
			t.Errorf("%s: %d %s, want %d %s", name, a.status, a.body, c.status, c.code)
		}

		if a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") != "1" {
			t.Errorf("%s: Retry-After = %q", name, a.header.Get("Retry-After"))
		}
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	url, _ := setup(t, nil)
	a := send(
		t,
		request{
			url:  url,
			body: `{"user_id":7,"event_type":"sale","secret":"hunter2","campaign_id":"","metadata":{"amount":"hunter2","order_id":[]}}`,
		},
	)

	var fields []string
	for _, e := range decode[httpapi.Problem](t, a).Errors {
		fields = append(fields, e.Field)
	}

	slices.Sort(fields)

	if want := []string{
		"campaign_id",
		"metadata.amount",
		"metadata.order_id",
		"secret",
		"user_id",
	}; !slices.Equal(fields, want) {
		t.Fatalf("faults of %v, want %v", fields, want)
	}

	if strings.Contains(a.body, "hunter2") {
		t.Fatalf("the answer repeats the input: %s", a.body)
	}
}

func TestListsTurnPages(t *testing.T) {
	t.Parallel()

	url, _ := setup(t, nil)
	for range 5 {
		send(t, request{url: url, body: purchase})
	}

	send(t, request{url: url, body: `{"user_id":"other","event_type":"view"}`})

	type page = httpapi.Page[rest.Event]

	var ids []string

	next := ""
	for {
		a := send(t, request{method: "GET", url: url + "?user_id=user123&limit=2&cursor=" + next})

		p := decode[page](t, a)
		for _, e := range p.Data {
			ids = append(ids, e.EventID)
		}

		if p.HasMore != (p.NextCursor != "") {
			t.Fatalf("%s", a.body)
		}

		if next = p.NextCursor; next == "" {
			break
		}
	}

	if want := []string{"id-1", "id-2", "id-3", "id-4", "id-5"}; !slices.Equal(ids, want) {
		t.Fatalf("listed %v, want %v", ids, want)
	}

	if a := send(
		t,
		request{method: "GET", url: url + "?user_id=nobody"},
	); a.body != `{"data":[],"has_more":false}` {
		t.Fatalf("an empty list is %s", a.body)
	}
}

func TestSelfReferralOfEachForm(t *testing.T) {
	t.Parallel()
	url, _ := setup(t, nil)

	for _, value := range []string{`true`, `false`, `"true"`, `"false"`, `null`} {
		body := `{"user_id":"u","event_type":"purchase","metadata":{"amount":1,"self_referral":` + value + `}}`
		if a := send(t, request{url: url, body: body}); a.status != http.StatusCreated {
			t.Errorf("%s: %d %s", value, a.status, a.body)
		}
	}
}

// Null is equivalent to an absent member: an event with nulls is the same as one without those
// members.
func TestNullIsAbsent(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)

	nulls := `{"event_id":null,"user_id":"u","partner_id":null,"event_type":"view",` +
		`"interaction_type":null,"occurred_at":null,"campaign_id":null,"metadata":null,` +
		`"visitor_id":null,"source_url":null,"destination_url":null}`
	inMetadata := `{"user_id":"u","event_type":"view","metadata":{"amount":null,"currency":null,` +
		`"product_id":null,"order_id":null,"original_event_id":null}}`
	cloud := `{"specversion":"1.0","id":"ce-null","source":"s","type":"view","subject":"u",` +
		`"time":null,"datacontenttype":null,"data":null}`

	for _, sent := range []request{
		{url: url, body: nulls},
		{url: url, body: inMetadata},
		{url: url, body: cloud, media: "application/cloudevents+json"},
	} {
		if a := send(t, sent); a.status != http.StatusCreated {
			t.Errorf("%s: %d %s", sent.body, a.status, a.body)
		}

		if got := log.last(); got.UserID != "u" || got.CampaignID != "" || got.OrderID != "" {
			t.Errorf("recorded %+v", got)
		}
	}
}
