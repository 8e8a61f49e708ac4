package telemetry_test

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"tributary/platform/telemetry"
)

const canary = "canary-5e1f"

// No line of the log contains the input that libraries quote, however an error is wrapped.
func TestErrorsAreLoggedWithoutTheirInput(t *testing.T) {
	t.Parallel()

	_, number := strconv.Atoi(canary)
	_, at := time.Parse(time.RFC3339, canary)
	_, address := url.Parse("http://[" + strings.ToLower(canary))
	_, escape := url.QueryUnescape("%" + canary)

	var target struct{ N int }

	for name, cause := range map[string]error{
		"json v2":        json.Unmarshal([]byte(`{"N":"`+canary+`"}`), &target),
		"json v2 syntax": json.Unmarshal([]byte(`{"`+canary+`":x}`), &target),
		"json v1":        stdjson.Unmarshal([]byte(`{"N":"`+canary+`"}`), &target),
		"number":         number,
		"time":           at,
		"url":            address,
		"escape":         escape,
		"request":        &url.Error{Op: "Get", URL: "http://host/x?user=" + canary, Err: errors.New("refused")},
		"data":           &pgconn.PgError{Code: "22P02", Message: "invalid input syntax: " + canary},
		"constraint":     &pgconn.PgError{Code: "23505", Message: "duplicate key", Detail: "Key " + canary},
		"parameter":      fmt.Errorf("args[0]: unable to encode %q into text format", canary),
		"long":           errors.New(strings.Repeat("é", 10_000)),
	} {
		var log bytes.Buffer

		logger := telemetry.Logger(&log, "notes", "info")
		logger.Error("failed", "error", fmt.Errorf("store: %w", errors.Join(errors.New("first"), cause)))

		text := log.String()
		if strings.Contains(text, canary) || len(text) > 1500 ||
			!strings.Contains(text, "store: first") {
			t.Errorf("%s: %v is logged as %s", name, cause, text)
		}
	}
}

// A caller's trace continues. Its tracestate and baggage are dropped, and a malformed header is
// ignored.
func TestOnlyTraceparentTravels(t *testing.T) {
	t.Parallel()

	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

	var log bytes.Buffer

	stop, err := telemetry.Tracing(t.Context(), "notes", "", telemetry.Logger(&log, "notes", "debug"))
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = stop(t.Context()) }()

	for _, baggage := range []string{"k=" + canary, canary + "=;;" + canary + "=%zz"} {
		onward := propagation.MapCarrier{}
		ctx := otel.GetTextMapPropagator().Extract(context.WithoutCancel(t.Context()), propagation.MapCarrier{
			"traceparent": parent, "tracestate": "vendor=" + canary, "baggage": baggage,
		})
		otel.GetTextMapPropagator().Inject(ctx, onward)

		if len(onward) != 1 || onward["traceparent"] != parent {
			t.Errorf("%v travels on, want traceparent alone", onward)
		}
	}

	if log.Len() > 0 {
		t.Errorf("logged %s", log.String())
	}
}
