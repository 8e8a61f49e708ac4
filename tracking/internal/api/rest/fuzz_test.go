package rest_test

import (
	"net/http"
	"regexp"
	"testing"

	"tributary/platform/httpapi"
)

// The fuzz targets post arbitrary input: nothing may panic (500), and every event answered with 2xx
// can be read back.

func FuzzEvent(f *testing.F) {
	for _, seed := range []string{
		purchase, `{"event_id":"e","partner_id":"u","interaction_type":"sale","occurred_at":"2026-11-23T11:00:00.5+02:00","metadata":{"amount":"1.5e1","currency":"EUR"}}`,
		`{"user_id":"u","event_type":"view","visitor_id":"v","source_url":"https://a.example/?q=1","metadata":{"a":{"b":[1,2.50,null,true,"\u00e9"]}}}`,
		`{"\u0075ser_id":null}`, `[]`, `"x"`, `{"metadata":{"amount":-0}}`,
		`{"event_type":"purchase","user_id":"u","metadata":{"amount":0e-99}}`, `{"event_type":"purchase","user_id":"u","metadata":{"amount":1.00000000000000}}`,
	} {
		f.Add(seed)
	}

	fuzz(f, "", "application/json")
}

func FuzzBatch(f *testing.F) {
	for _, seed := range []string{`{"events":[` + purchase + `,1,null,[],{"event_id":"a"}]}`, `{"events":[]}`, `{"events":{}}`, `{"more":[[]]}`} {
		f.Add(seed)
	}

	fuzz(f, "/batch", "application/json")
}

func FuzzCloudEvent(f *testing.F) {
	for _, seed := range []string{cloud, `{"specversion":"1.0","id":"1","source":"s","type":"view","data":{"user_id":"u"}}`, `{"data":[]}`, `{"data":{"data":{}},"time":1}`} {
		f.Add(seed)
	}

	fuzz(f, "", "application/cloudevents+json")
}

func FuzzCloudEvents(f *testing.F) {
	for _, seed := range []string{`[` + cloud + `,` + cloud + `]`, `[[],{}]`, `{}`} {
		f.Add(seed)
	}

	fuzz(f, "/batch", "application/cloudevents-batch+json")
}

// publishable is the schema's pattern of amounts in published messages.
var publishable = regexp.MustCompile(`^(0|[1-9][0-9]{0,11})([.][0-9]{1,4})?$`)

func fuzz(f *testing.F, path, media string) {
	f.Helper()
	url, log := setup(f, nil)
	f.Fuzz(func(t *testing.T, body string) {
		before := log.size()

		a := send(t, request{url: url + path, body: body, media: media})
		switch {
		case a.status >= http.StatusInternalServerError:
			t.Fatalf("%d %s", a.status, a.body)
		case a.status >= http.StatusMultipleChoices:
			if p := decode[httpapi.Problem](t, a); p.Code == "" || p.Status != a.status {
				t.Fatalf("%d %s", a.status, a.body)
			}

			if log.size() != before {
				t.Fatal("what was refused is recorded")
			}
		}

		if log.size() > before {
			snapshot := log.last()
			if snapshot.UserID == "" || snapshot.Type == "" || snapshot.ID == "" {
				t.Fatalf("recorded %+v", snapshot)
			}

			if snapshot.Amount != "" && !publishable.MatchString(snapshot.Amount) {
				t.Fatalf("the amount %q breaks the schema of the message", snapshot.Amount)
			}

			if list := send(
				t,
				request{
					method: "GET",
					url:    url + "?limit=1000&user_id=&event_type=" + string(snapshot.Type),
				},
			); list.status != http.StatusOK {
				t.Fatalf("the list answers %d %s", list.status, list.body)
			}
		}
	})
}

func FuzzCursor(f *testing.F) {
	url, _ := setup(f, nil)
	for range 3 {
		send(f, request{url: url, body: purchase})
	}

	page := send(f, request{method: "GET", url: url + "?limit=1"})
	first := decode[struct {
		NextCursor string `json:"next_cursor"`
	}](f, page).NextCursor

	for _, seed := range []string{"", "e30", first, first[1:], "!", "eyJzZXEiOjFlOTl9"} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, cursor string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}

		q := r.URL.Query()
		q.Set("cursor", cursor)

		a := send(t, request{method: "GET", url: url + "?" + q.Encode()})
		if a.status != http.StatusOK && a.status != http.StatusBadRequest &&
			a.status != http.StatusUnprocessableEntity {
			t.Fatalf("%d %s", a.status, a.body)
		}
	})
}
