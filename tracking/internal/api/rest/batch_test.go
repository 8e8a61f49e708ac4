package rest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tributary/platform/httpapi"
	"tributary/tracking/internal/api/rest"
)

// The batch of the acceptance criteria: 1000 items, of which 3 are invalid and 50 are duplicates.
func TestABatchTellsOfEveryItem(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)

	var items []string

	want := make([]string, 1000)
	for i := range 1000 {
		want[i] = "recorded"
		switch {
		case i == 10:
			items, want[i] = append(items, `{"user_id":"u"}`), "rejected required"
		case i == 500:
			items, want[i] = append(items, `17`), "rejected wrong_type"
		case i == 999:
			items, want[i] = append(
				items,
				`{"event_id":"e1","user_id":"other","event_type":"view"}`,
			), "rejected event_id_conflict"
		case i >= 600 && i < 651:
			items, want[i] = append(
				items,
				fmt.Sprintf(`{"event_id":"e%d","user_id":"u","event_type":"view"}`, i-600+1),
			), "duplicate"
		default:
			items = append(
				items,
				fmt.Sprintf(`{"event_id":"e%d","user_id":"u","event_type":"view"}`, i),
			)
		}
	}

	want[609] = "recorded" // item 10 was invalid, so e10 is new there
	a := send(
		t,
		request{url: url + "/batch", body: `{"events":[` + strings.Join(items, ",") + `]}`},
	)

	results := decode[rest.BatchResults](t, a).Results
	if a.status != http.StatusOK || len(results) != 1000 {
		t.Fatalf("%d with %d results", a.status, len(results))
	}

	for i, r := range results {
		got := r.Status
		if r.Error != nil {
			got += " " + r.Error.Code
			if len(r.Error.Errors) > 0 {
				got = r.Status + " " + r.Error.Errors[0].Code
			}
		}

		if r.Index != i || got != want[i] {
			t.Errorf("item %d: %d %s, want %s", i, r.Index, got, want[i])
		}
	}

	if log.size() != 1000-3-50 {
		t.Errorf("%d are recorded", log.size())
	}
}

func TestBatchesAreRefusedAsAWhole(t *testing.T) {
	t.Parallel()

	url, log := setup(t, nil)
	for name, c := range map[string]struct {
		body, media, field, code string
	}{
		"too many":           {`{"events":[` + strings.Repeat("1,", 1000) + `1]}`, "application/json", "events", "wrong_count"},
		"too many clouds":    {`[` + strings.Repeat("1,", 1000) + `1]`, "application/cloudevents-batch+json", "body", "wrong_count"},
		"no events":          {`{}`, "application/json", "events", "required"},
		"no list":            {`{"events":{}}`, "application/json", "events", "wrong_type"},
		"null":               {`{"events":null}`, "application/json", "events", "required"},
		"other member":       {`{"events":[],"more":1}`, "application/json", "more", "unknown_field"},
		"a list":             {`[]`, "application/json", "body", "wrong_type"},
		"an object of cloud": {`{}`, "application/cloudevents-batch+json", "body", "wrong_type"},
	} {
		a := send(t, request{url: url + "/batch", body: c.body, media: c.media})

		p := decode[httpapi.Problem](t, a)
		if a.status != http.StatusUnprocessableEntity || len(p.Errors) != 1 ||
			p.Errors[0].Field != c.field ||
			p.Errors[0].Code != c.code {
			t.Errorf("%s: %d %s, want %s %s", name, a.status, a.body, c.field, c.code)
		}
	}

	if a := send(
		t,
		request{url: url + "/batch", body: `{"events":[]}`},
	); a.status != http.StatusOK ||
		a.body != `{"results":[]}` {
		t.Errorf("an empty batch: %d %s", a.status, a.body)
	}

	if log.size() != 0 {
		t.Errorf("%d are recorded", log.size())
	}
}

// Whatever the number of faults in a body, each invalid item lists at least one, and the size of
// the answer is bounded.
func TestABatchOfNonsenseIsAnsweredInShort(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)

	var item strings.Builder
	for i := range 120 {
		_, _ = fmt.Fprintf(&item, `,"%d":1`, i)
	}

	a := send(
		t,
		request{
			url: url + "/batch",
			body: `{"events":[` + strings.Repeat(
				`{"user_id":"u","event_type":"view"`+item.String()+`},`,
				400,
			) + purchase + `]}`,
		},
	)

	results, reported := decode[rest.BatchResults](t, a).Results, 0
	for i, r := range results[:400] {
		if r.Error == nil || len(r.Error.Errors) < 2 ||
			r.Error.Errors[len(r.Error.Errors)-1].Code != "more_faults" {
			t.Fatalf("item %d: %+v", i, r)
		}

		reported += len(r.Error.Errors)
	}

	if reported > 4000 || log.size() != 1 {
		t.Errorf("%d faults are reported, %d events recorded", reported, log.size())
	}
}

func TestABatchWithAKeyIsSafeToRepeat(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)
	r := request{
		url:     url + "/batch",
		body:    `{"events":[` + purchase + `,` + purchase + `]}`,
		headers: map[string]string{"Idempotency-Key": "k"},
	}

	first, again := send(t, r), send(t, r)
	if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" ||
		first.header.Get("Idempotency-Replayed") != "" ||
		log.size() != 2 {
		t.Fatalf("first %s, again %s; %d recorded", first.body, again.body, log.size())
	}

	r.body = strings.Replace(r.body, "user123", "user124", 1)
	if a := send(
		t,
		r,
	); a.status != http.StatusUnprocessableEntity || decode[httpapi.Problem](t, a).Code != "idempotency_key_reused" ||
		log.size() != 2 {
		t.Fatalf("%d %s; %d recorded", a.status, a.body, log.size())
	}
}

// A refused item is named by its id if that is valid. An invalid id is not repeated.
func TestARefusedItemIsNamed(t *testing.T) {
	t.Parallel()
	url, _ := setup(t, nil)
	long := strings.Repeat("x", 500_000)

	a := send(
		t,
		request{
			url:  url + "/batch",
			body: `{"events":[{"event_id":"good","user_id":"u"},{"event_id":"` + long + `"},{"event_id":"a\u0007","user_id":"u"},{"event_id":""},{}]}`,
		},
	)
	for i, r := range decode[rest.BatchResults](t, a).Results {
		if want := []string{"good", "", "", "", ""}[i]; r.Status != "rejected" ||
			r.EventID != want {
			t.Errorf(
				"item %d: %s %q, want it rejected and named %q",
				i,
				r.Status,
				r.EventID[:min(len(r.EventID), 9)],
				want,
			)
		}
	}
}

const cloud = `{"specversion":"1.0","id":"ce-1","source":"/shop","type":"tributary.tracking.purchase.v1","subject":"user123","time":"2026-11-23T11:00:00Z",
	"datacontenttype":"application/json","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","data":{"metadata":{"amount":100.0}}}`

func TestCloudEvents(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)

	const media = "application/cloudevents+json"
	for i, want := range []int{http.StatusCreated, http.StatusOK} {
		if a := send(
			t,
			request{url: url, body: cloud, media: media + "; charset=utf-8"},
		); a.status != want {
			t.Fatalf("%d. time: %d %s", i+1, a.status, a.body)
		}
	}

	f := log.last()
	if f.ID != "ce-1" || f.UserID != "user123" || f.Type != "purchase" || f.Source != "/shop" ||
		f.Amount != "100.0" ||
		f.OccurredAt.Hour() != 11 ||
		f.Traceparent == "" {
		t.Fatalf("recorded %+v", f)
	}

	if a := send(
		t,
		request{url: url, body: strings.Replace(cloud, "/shop", "/other", 1), media: media},
	); a.status != http.StatusConflict {
		t.Fatalf("the same id of another source: %d %s", a.status, a.body)
	}

	short := `{"specversion":"1.0","id":"ce-2","source":"s","type":"click","data":{"user_id":"u","event_type":"click","event_id":"ce-2"}}`
	if a := send(t, request{url: url, body: short, media: media}); a.status != http.StatusCreated {
		t.Fatalf("attributes repeated in data: %d %s", a.status, a.body)
	}
}

// Members of a CloudEvent beside our own fields: unset attributes, extensions, its own trace, the
// same time in another zone.
func TestCloudEventsAreTakenAsTheirSpecificationSays(t *testing.T) {
	t.Parallel()
	url, log := setup(t, nil)

	const own, requests = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-01"
	for i, c := range []struct{ old, text, attributes, trace string }{
		{`"time":"2026-11-23T11:00:00Z"`, `"time":null,"dataschema":null,"shade":null`, ``, own},
		{`"datacontenttype":"application/json"`, `"datacontenttype":null`, ``, own},
		{`{"metadata"`, `{"occurred_at":"2026-11-23T12:00:00.0+01:00","metadata"`, ``, own},
		{`"traceparent":"` + own + `"`, `"traceparent":null`, ``, requests},
		{`"traceparent":"` + own + `"`, `"traceparent":"mine"`, ``, requests},
		{`"id"`, `"partitionkey":"k","n":-5,"b2":true,"tracestate":"a=b","dataschema":"https://a.example/s","id"`, `{"partitionkey":"k","n":-5,"b2":true,"tracestate":"a=b","dataschema":"https://a.example/s"}`, own},
	} {
		body := strings.Replace(
			strings.Replace(cloud, c.old, c.text, 1),
			"ce-1",
			fmt.Sprint("single-", i),
			1,
		)

		r := request{
			url:     url,
			body:    body,
			media:   "application/cloudevents+json",
			headers: map[string]string{"traceparent": requests},
		}
		for _, r := range []request{r, {url: url + "/batch", body: "[" + strings.Replace(body, "single", "batch", 1) + "]", media: "application/cloudevents-batch+json", headers: r.headers}} {
			before := log.size()
			if a := send(t, r); log.size() != before+1 {
				t.Fatalf("%s: %d %s", r.body, a.status, a.body)
			}

			f := log.last()
			if f.Attributes != c.attributes || f.Traceparent != c.trace {
				t.Errorf("%s: recorded %+v", r.body, f)
			}

			a := send(t, request{method: http.MethodGet, url: url + "/" + f.ID})
			if got := decode[rest.Event](t, a); !got.Attributes.IsZero() != (c.attributes != "") ||
				!strings.Contains(a.body, c.attributes) {
				t.Errorf("read back: %s", a.body)
			}
		}
	}
}

// In binary mode the id is a header: recorded as a plain event, each retry would be a new event.
func TestCloudEventsInBinaryModeAreRefused(t *testing.T) {
	t.Parallel()

	url, log := setup(t, nil)
	for _, r := range []request{
		{url: url, body: purchase, headers: map[string]string{"ce-specversion": "1.0", "ce-id": "1", "ce-source": "s", "ce-type": "purchase"}},
		{url: url, body: purchase, headers: map[string]string{"ce-id": "1"}},
		{url: url + "/batch", body: `{"events":[` + purchase + `]}`, headers: map[string]string{"ce-specversion": "1.0"}},
	} {
		if a := send(t, r); a.status != http.StatusUnsupportedMediaType ||
			decode[httpapi.Problem](t, a).Code != "cloudevents_binary_mode" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}

	if log.size() != 0 {
		t.Errorf("%d are recorded", log.size())
	}
}

func TestBadCloudEvents(t *testing.T) {
	t.Parallel()

	url, log := setup(t, nil)
	for name, c := range map[string]struct{ old, text, field, code string }{
		"version":           {`"1.0"`, `"0.3"`, "specversion", "invalid_value"},
		"no version":        {`"specversion":"1.0",`, ``, "specversion", "required"},
		"no id":             {`"id":"ce-1",`, ``, "id", "required"},
		"empty id":          {`"ce-1"`, `""`, "id", "too_short"},
		"no source":         {`"source":"/shop",`, ``, "source", "required"},
		"empty source":      {`"/shop"`, `""`, "source", "too_short"},
		"no type":           {`"type":"tributary.tracking.purchase.v1",`, ``, "type", "required"},
		"unknown type":      {`.purchase.v1`, `.buy.v1`, "type", "unknown_event_type"},
		"no subject":        {`"subject":"user123",`, ``, "subject", "required"},
		"number as subject": {`"user123"`, `5`, "subject", "wrong_type"},
		"time":              {`"2026-11-23T11:00:00Z"`, `"today"`, "time", "time_malformed"},
		"not JSON":          {`"application/json"`, `"text/xml"`, "datacontenttype", "invalid_value"},
		"extension's name":  {`"id":"ce-1",`, `"id":"ce-1","Shade":"x",`, "Shade", "unknown_field"},
		"no name":           {`"id":"ce-1",`, `"id":"ce-1","":"x",`, "", "unknown_field"},
		"extension's value": {`"id":"ce-1",`, `"id":"ce-1","shade":{"a":1},`, "shade", "wrong_type"},
		"fraction":          {`"id":"ce-1",`, `"id":"ce-1","shade":1.0,`, "shade", "wrong_type"},
		"number as schema":  {`"id":"ce-1",`, `"id":"ce-1","dataschema":5,`, "dataschema", "wrong_type"},
		"null as version":   {`"1.0"`, `null`, "specversion", "required"},
		"null as id":        {`"ce-1"`, `null`, "id", "required"},
		"null as source":    {`"/shop"`, `null`, "source", "required"},
		"null as type":      {`"tributary.tracking.purchase.v1"`, `null`, "type", "required"},
		"null as data":      {`{"metadata":{"amount":100.0}}`, `null`, "data.metadata.amount", "required"},
		"other time":        {`{"metadata"`, `{"occurred_at":"2026-11-23T11:00:01Z","metadata"`, "time", "contradiction"},
		"binary data":       {`"data":{"metadata":{"amount":100.0}}`, `"data_base64":"e30=","data":{"metadata":{"amount":1}}`, "data_base64", "unknown_field"},
		"other user":        {`{"metadata"`, `{"user_id":"u","metadata"`, "subject", "contradiction"},
		"other id":          {`{"metadata"`, `{"event_id":"u","metadata"`, "id", "contradiction"},
		"unknown in data":   {`{"metadata"`, `{"x":1,"metadata"`, "data.x", "unknown_field"},
		"amount":            {`100.0`, `"much"`, "data.metadata.amount", "amount_malformed"},
		"list as data":      {`{"metadata":{"amount":100.0}}`, `[]`, "data", "wrong_type"},
		"campaign":          {`{"metadata"`, `{"campaign_id":"","metadata"`, "data.campaign_id", "too_short"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			body := strings.Replace(cloud, c.old, c.text, 1)
			if body == cloud {
				t.Fatal("the case changes nothing")
			}

			single := send(t, request{url: url, body: body, media: "application/cloudevents+json"})

			p := decode[httpapi.Problem](t, single)
			if single.status != http.StatusUnprocessableEntity ||
				!names(p.Errors, c.field, c.code) {
				t.Errorf("single: %d %s, want %s %s", single.status, single.body, c.field, c.code)
			}

			batch := send(
				t,
				request{
					url:   url + "/batch",
					body:  "[" + body + "]",
					media: "application/cloudevents-batch+json",
				},
			)

			results := decode[rest.BatchResults](t, batch).Results
			if len(results) != 1 || results[0].Error == nil ||
				!names(results[0].Error.Errors, c.field, c.code) {
				t.Errorf("batch: %d %s, want %s %s", batch.status, batch.body, c.field, c.code)
			}
		})
	}

	t.Cleanup(func() {
		if log.size() != 0 {
			t.Errorf("%d bad events are recorded", log.size())
		}
	})
}

// names reports whether errors is exactly the wanted fault.
func names(errors []httpapi.ProblemField, field, code string) bool {
	return len(errors) == 1 && errors[0].Field == field && errors[0].Code == code
}
