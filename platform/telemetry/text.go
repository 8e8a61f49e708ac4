package telemetry

import (
	stdjson "encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const maxText = 1000 // bytes of an error's text

// Text returns the text of err without the input that libraries quote: a log must not contain what
// callers send.
func Text(err error) string {
	if err == nil {
		return ""
	}

	text := withoutQuotes(err.Error(), err)
	text = encoded.ReplaceAllString(text, "unable to encode a value into")

	if len(text) <= maxText {
		return text
	}

	cut := maxText
	for !utf8.RuneStart(text[cut]) {
		cut--
	}

	return text[:cut] + "…"
}

// encoded matches the PostgreSQL driver's error for a parameter that it cannot encode.
var encoded = regexp.MustCompile(`(?s)unable to encode .* into`)

// withoutQuotes replaces the text of each error below err that quotes input.
func withoutQuotes(text string, err error) string {
	if said, quotes := harmless(err); quotes {
		return strings.ReplaceAll(text, err.Error(), said)
	}

	switch wrapper := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() error }:
		if inner := wrapper.Unwrap(); inner != nil {
			return withoutQuotes(text, inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range wrapper.Unwrap() {
			text = withoutQuotes(text, inner)
		}
	}

	return text
}

// harmless returns a text for an error that quotes input, and whether err is one.
func harmless(err error) (said string, quotes bool) {
	switch e := err.(type) { //nolint:errorlint // withoutQuotes walks the tree
	case *json.SemanticError:
		return fmt.Sprintf("JSON does not fit %v at byte %d", e.GoType, e.ByteOffset), true
	case *jsontext.SyntacticError:
		return fmt.Sprintf("not JSON at byte %d", e.ByteOffset), true
	case *stdjson.SyntaxError:
		return fmt.Sprintf("not JSON at byte %d", e.Offset), true
	case *stdjson.UnmarshalTypeError:
		return fmt.Sprintf("JSON does not fit %v at byte %d", e.Type, e.Offset), true
	case *strconv.NumError:
		return e.Func + ": " + e.Err.Error(), true
	case *time.ParseError:
		return "not a time of the layout " + e.Layout, true
	case *url.Error:
		return e.Op + " " + host(e.URL) + ": " + Text(e.Err), true
	case url.EscapeError, url.InvalidHostError:
		return "not a URL", true
	case sqlError:
		return "the database refuses a value (SQLSTATE " + e.SQLState() + ")", quotesValue(e.SQLState())
	}

	return "", false
}

type sqlError interface {
	error
	SQLState() string
}

// quotesValue reports whether PostgreSQL's message for the state may quote a value, as those of
// class 22, data exceptions, do. Other classes quote values in the detail, which is not part of the
// text.
func quotesValue(state string) bool {
	return strings.HasPrefix(state, "22")
}

// host returns the scheme and host of a URL: its path and query contain callers' input.
func host(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "a malformed URL"
	}

	return u.Scheme + "://" + u.Host
}

// withoutInput writes errors as Text returns them.
func withoutInput(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindAny {
		return a
	}

	if err, ok := a.Value.Any().(error); ok {
		a.Value = slog.StringValue(Text(err))
	}

	return a
}
