package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

const canary = "CANARY-91C4"

// Whatever of a request holds a text, and however the request fails, the text is in no line of the
// log at any level. X-Request-ID is there by its purpose.
func TestNothingThatWasSentIsLogged(t *testing.T) {
	t.Parallel()

	var outcome string

	address, log := run(
		t,
		huma.Operation{},
		func(_ context.Context, in *noteInput) (*noteOutput, error) {
			switch outcome {
			case "panic":
				panic("text " + canary + in.Body.Text)
			case "panic with an error":
				panic(fmt.Errorf("note %q", canary))
			case "framework":
				return nil, &huma.ErrorDetail{Message: canary, Location: canary, Value: canary}
			case "joined":
				return nil, errors.Join(
					errors.New("not stored"),
					&huma.ErrorDetail{Message: "x", Value: canary},
				)
			}

			return &noteOutput{}, nil
		},
	)
	client := &http.Client{}

	for _, outcome = range []string{"", "panic", "panic with an error", "framework", "joined"} {
		for _, c := range []struct{ path, media, body string }{
			{"/notes", "application/json", `{"text":"a"}`},
			{"/notes", "Application/JSON ;charset=utf-8", `{"text":"a"}`},
			{"/notes", "application/json", `{"text":"` + canary + `"}`},
			{"/notes", "application/json", `{"text":"a","` + canary + `":"` + canary + `"}`},
			{"/notes", "application/json", `{"text":` + canary + `}`},
			{"/notes", "application/json", `{"text":1,"count":"` + canary + `"}`},
			{"/notes", "application/" + canary, canary},
			{"/notes?" + canary + "=" + canary, "application/json", `{"text":"a"}`},
			{"/" + canary + "?x=%zz" + canary, "application/json", canary},
		} {
			for _, method := range []string{http.MethodPost, canary} {
				r, err := http.NewRequestWithContext(
					t.Context(),
					method,
					"http://"+address+c.path,
					strings.NewReader(c.body),
				)
				if err != nil {
					t.Fatal(err)
				}

				r.Header.Set("Content-Type", c.media)
				r.Header.Set("Authorization", "Bearer "+canary)
				r.Header.Set("Idempotency-Key", canary)
				r.Header.Set("Tracestate", "vendor="+canary)
				r.Header.Set("Traceparent", canary)
				r.Header.Set("Baggage", canary+"=;;%zz")
				r.Header.Set("Cookie", canary)

				answer, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}

				_ = answer.Body.Close()
			}
		}
	}

	if text := log.String(); strings.Contains(strings.ToUpper(text), canary) ||
		!strings.Contains(text, "handler panicked") {
		t.Errorf("logged %s", text)
	}
}
