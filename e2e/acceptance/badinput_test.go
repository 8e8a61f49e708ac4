package acceptance_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tributary/e2e/stacktest"
)

// marker is part of every bad value, so that an answer which repeats one is detected.
const marker = "Qz7Xw9"

// bad is a request that must be refused. Its body is posted to path of the service at url, unless
// method is set. fields are the expected entries of errors, as field:code.
type bad struct {
	name, method, url, path, contentType, body string
	token                                      string
	header                                     map[string]string
	status                                     int
	code                                       string
	fields                                     []string
}

// Every bad request is answered with its documented problem document and leaves nothing behind. The
// test is not parallel: no other may add rows or messages while it counts them.
func TestBadInput(t *testing.T) {
	before := drained(t)
	rows := append(badBodies(), badEvents()...)
	rows = append(rows, badCommands(t)...)
	rows = append(rows, badTokens(t)...)
	rows = append(rows, badReads()...)
	t.Run("refused", func(t *testing.T) {
		for _, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				t.Parallel()
				refuse(t, row)
			})
		}
	})
	t.Logf("%d bad requests", len(rows))
	checkNothingLeft(t, before)
}

// drained waits until everything accepted before is published and decided, and returns the traces.
func drained(t *testing.T) map[string]string {
	t.Helper()

	var last map[string]string
	since := time.Now()
	stacktest.Await(
		t,
		30*time.Second,
		"the stack to come to rest",
		func(ctx context.Context) error {
			now, err := stack.Traces(ctx)
			if err != nil {
				return err
			}

			if !maps.Equal(now, last) {
				last, since = now, time.Now()
			}

			if rest := time.Since(since); rest < time.Second {
				return fmt.Errorf("something was stored or published %s ago", rest)
			}

			return nil
		},
	)

	return last
}

// checkNothingLeft compares the traces. Anything stored by mistake would be published and decided
// before a later valid event, so the traces are taken after such an event is decided. It and its
// decision are all that may be new.
func checkNothingLeft(t *testing.T, before map[string]string) {
	t.Helper()
	event := record(t, `{"user_id": "`+stacktest.Unique("user")+`", "event_type": "lead"}`)
	decided(t, event.EventID, 10*time.Second)
	after := drained(t)

	var rowsBefore, rowsAfter int
	if _, err := fmt.Sscan(
		before["rows of events"]+" "+after["rows of events"],
		&rowsBefore,
		&rowsAfter,
	); err != nil {
		t.Fatal(err)
	}

	changed := map[string]int{}
	for name, value := range after {
		if value == before[name] {
			continue
		}

		switch {
		case name == "rows of events", name == "rows of decisions":
			if rowsAfter != rowsBefore+1 {
				t.Errorf("%s: %s before, %s after, want one more", name, before[name], value)
			}
		case strings.Contains(name, "-events-partition-"):
			changed[name[:strings.Index(name, "-partition-")]]++
		default:
			t.Errorf("%s: %s before, %s after, want no change", name, before[name], value)
		}
	}

	for _, topic := range []string{"tracking-events", "commission-events"} {
		if n := changed["last message of "+topic]; n != 1 {
			t.Errorf(
				"%d partitions of %s have new messages, want one, of the good event",
				n,
				topic,
			)
		}
	}
}

func refuse(t *testing.T, row bad) {
	t.Helper()

	method := row.method
	if method == "" {
		method = http.MethodPost
	}

	answer := stacktest.Do(t, stacktest.Request{
		Method:      method,
		URL:         row.url + row.path,
		ContentType: row.contentType,
		Body:        row.body,
		Token:       row.token,
		Header:      row.header,
	})

	p := answer.Problem(t)
	if p.Status != row.status || p.Code != row.code {
		t.Fatalf(
			"answer %d %s, want %d %s; body %s",
			p.Status,
			p.Code,
			row.status,
			row.code,
			answer.Body,
		)
	}

	var fields []string
	for _, f := range p.Errors {
		fields = append(fields, f.Field+":"+f.Code)
		if f.Message == "" {
			t.Errorf("fault of %s has no message", f.Field)
		}
	}

	if diff := cmp.Diff(
		slices.Sorted(slices.Values(row.fields)),
		slices.Sorted(slices.Values(fields)),
	); diff != "" {
		t.Errorf("errors differ:\n%s\nbody %s", diff, answer.Body)
	}

	if strings.Contains(answer.Body, marker) ||
		strings.Contains(fmt.Sprint(answer.Header), marker) {
		t.Errorf("the answer echoes the input: %v %s", answer.Header, answer.Body)
	}

	if challenge := answer.Header.Get("WWW-Authenticate"); (p.Status == 401) != strings.HasPrefix(challenge, "Bearer") {
		t.Errorf("WWW-Authenticate = %q at status %d", challenge, p.Status)
	}

	if allow := answer.Header.Get("Allow"); (p.Status == 405) != (allow != "") {
		t.Errorf("Allow = %q at status %d", allow, p.Status)
	}
}

// badBodies are refused before their meaning is considered.
func badBodies() []bad {
	deep := func(levels int) string {
		return `{"user_id": "u", "event_type": "lead", "metadata": ` + strings.Repeat(
			`{"a":`,
			levels,
		) + `1` + strings.Repeat(`}`, levels) + `}`
	}
	event := func(name, body string, status int, code string) bad {
		return bad{
			name:   name,
			url:    stack.Tracking,
			path:   eventsPath,
			body:   body,
			status: status,
			code:   code,
		}
	}
	typed := func(name, contentType string) bad {
		row := event(
			name,
			`{"user_id": "u", "event_type": "lead"}`,
			415,
			"unsupported_content_type",
		)
		row.contentType = contentType

		return row
	}

	return []bad{
		event("empty body", "", 400, "json_empty"),
		event("white space only", " \n\t ", 400, "json_empty"),
		event("truncated", `{"user_id": "`+marker, 400, "json_syntax"),
		event("truncated object", `{"user_id": "u", "event_type": "lead"`, 400, "json_syntax"),
		event("no JSON", marker, 400, "json_syntax"),
		event("comment", `{/* `+marker+` */ "user_id": "u"}`, 400, "json_syntax"),
		event(
			"trailing comma",
			`{"user_id": "`+marker+`", "event_type": "lead",}`,
			400,
			"json_syntax",
		),
		event(
			"NaN",
			`{"user_id": "u", "event_type": "purchase", "metadata": {"amount": NaN}}`,
			400,
			"json_syntax",
		),
		event(
			"Infinity",
			`{"user_id": "u", "event_type": "purchase", "metadata": {"amount": -Infinity}}`,
			400,
			"json_syntax",
		),
		event(
			"leading zero",
			`{"user_id": "u", "event_type": "purchase", "metadata": {"amount": 007}}`,
			400,
			"json_syntax",
		),
		event(
			"hexadecimal",
			`{"user_id": "u", "event_type": "purchase", "metadata": {"amount": 0x10}}`,
			400,
			"json_syntax",
		),
		event(
			"byte order mark",
			"\xef\xbb\xbf"+`{"user_id": "u", "event_type": "lead"}`,
			400,
			"json_byte_order_mark",
		),
		event(
			"trailing text",
			`{"user_id": "u", "event_type": "lead"} `+marker,
			400,
			"json_trailing_text",
		),
		event(
			"second value",
			`{"user_id": "u", "event_type": "lead"}{"user_id": "`+marker+`"}`,
			400,
			"json_trailing_text",
		),
		event(
			"1e400",
			`{"user_id": "u", "event_type": "purchase", "metadata": {"amount": 1e400}}`,
			400,
			"json_number_range",
		),
		event(
			"1e-999999999",
			`{"user_id": "u", "event_type": "purchase", "metadata": {"amount": 1e-999999999}}`,
			400,
			"json_number_range",
		),
		event(
			"number of 200 digits",
			`{"user_id": "u", "event_type": "lead", "metadata": {"n": `+strings.Repeat(
				"7",
				200,
			)+`}}`,
			400,
			"json_number_range",
		),
		event(
			"duplicate key",
			`{"user_id": "u", "user_id": "`+marker+`", "event_type": "lead"}`,
			400,
			"json_duplicate_key",
		),
		event(
			"duplicate key deep inside",
			`{"user_id": "u", "event_type": "lead", "metadata": {"a": [{"b": 1, "b": "`+marker+`"}]}}`,
			400,
			"json_duplicate_key",
		),
		event(
			"duplicate key by escapes",
			`{"user_id": "u", "event_type": "lead", "metadata": {"a": 1, "\u0061": "`+marker+`"}}`,
			400,
			"json_duplicate_key",
		),
		event(
			"NUL escaped",
			`{"user_id": "`+marker+`\u0000", "event_type": "lead"}`,
			400,
			"json_nul",
		),
		event(
			"NUL in metadata",
			`{"user_id": "u", "event_type": "lead", "metadata": {"a": "`+marker+`\u0000"}}`,
			400,
			"json_nul",
		),
		event(
			"NUL in a name",
			`{"user_id": "u", "event_type": "lead", "metadata": {"`+marker+`\u0000": 1}}`,
			400,
			"json_nul",
		),
		event(
			"NUL as it is",
			"{\"user_id\": \""+marker+"\x00\", \"event_type\": \"lead\"}",
			400,
			"json_syntax",
		),
		event(
			"control character",
			"{\"user_id\": \""+marker+"\n\", \"event_type\": \"lead\"}",
			400,
			"json_syntax",
		),
		event(
			"lone surrogate",
			`{"user_id": "`+marker+`\ud83d", "event_type": "lead"}`,
			400,
			"json_invalid_utf8",
		),
		event(
			"surrogates in the wrong order",
			`{"user_id": "`+marker+`\udc00\ud83d", "event_type": "lead"}`,
			400,
			"json_invalid_utf8",
		),
		event(
			"invalid UTF-8",
			"{\"user_id\": \""+marker+"\xff\", \"event_type\": \"lead\"}",
			400,
			"json_invalid_utf8",
		),
		event(
			"overlong UTF-8",
			"{\"user_id\": \""+marker+"\xc0\xaf\", \"event_type\": \"lead\"}",
			400,
			"json_invalid_utf8",
		),
		event("too deep", deep(40), 400, "json_too_deep"),
		event("100,000 levels", strings.Repeat("[", 100_000), 400, "json_too_deep"),
		event(
			"2 MiB",
			`{"user_id": "u", "event_type": "lead", "metadata": {"a": "`+strings.Repeat(
				"x",
				2<<20,
			)+`"}}`,
			413,
			"body_too_large",
		),
		typed("text/plain", "text/plain"),
		typed("form", "application/x-www-form-urlencoded"),
		typed("XML", "application/xml"),
		typed("bad content type", "application/json; "+marker+"=\""),
	}
}

// badEvents can be read but are invalid.
func badEvents() []bad {
	event := func(name, body string, fields ...string) bad {
		return bad{
			name:   name,
			url:    stack.Tracking,
			path:   eventsPath,
			body:   body,
			status: 422,
			code:   "validation_failed",
			fields: fields,
		}
	}
	purchase := func(name, amount string, fields ...string) bad {
		return event(
			name,
			`{"user_id": "u", "event_type": "purchase", "metadata": {"amount": `+amount+`}}`,
			fields...)
	}
	long := strings.Repeat(marker, 22) // 132 characters
	key := event(
		"Idempotency-Key of 256 characters",
		`{"user_id": "u", "event_type": "lead"}`,
		"Idempotency-Key:invalid_value",
	)
	key.header = map[string]string{"Idempotency-Key": strings.Repeat("k", 256)}
	query := event(
		"query parameter",
		`{"user_id": "u", "event_type": "lead"}`,
		"debug:unknown_field",
	)
	query.path += "?debug=" + marker

	return []bad{
		event("array", `["`+marker+`"]`, "body:wrong_type"),
		event("string", `"`+marker+`"`, "body:wrong_type"),
		event("null", `null`, "body:wrong_type"),
		event("nothing in it", `{}`, "user_id:required", "event_type:required"),
		event("no user", `{"event_type": "lead"}`, "user_id:required"),
		event("no type", `{"user_id": "u"}`, "event_type:required"),
		event("user is a number", `{"user_id": 12345, "event_type": "lead"}`, "user_id:wrong_type"),
		event("user is null", `{"user_id": null, "event_type": "lead"}`, "user_id:required"),
		event(
			"user is an object",
			`{"user_id": {"a": "`+marker+`"}, "event_type": "lead"}`,
			"user_id:wrong_type",
		),
		event("user is empty", `{"user_id": "", "event_type": "lead"}`, "user_id:too_short"),
		event(
			"user is too long",
			`{"user_id": "`+long+`", "event_type": "lead"}`,
			"user_id:too_long",
		),
		event(
			"user is not printable",
			`{"user_id": "`+marker+`\u0007", "event_type": "lead"}`,
			"user_id:not_printable",
		),
		event(
			"user turns the text around",
			`{"user_id": "`+marker+`\u202e", "event_type": "lead"}`,
			"user_id:not_printable",
		),
		event(
			"event_id is too long",
			`{"event_id": "`+long+`", "user_id": "u", "event_type": "lead"}`,
			"event_id:too_long",
		),
		event(
			"campaign_id is too long",
			`{"campaign_id": "`+long+`", "user_id": "u", "event_type": "lead"}`,
			"campaign_id:too_long",
		),
		event(
			"product_id is a number",
			`{"user_id": "u", "event_type": "lead", "metadata": {"product_id": 7}}`,
			"metadata.product_id:wrong_type",
		),
		event(
			"order_id is too long",
			`{"user_id": "u", "event_type": "lead", "metadata": {"order_id": "`+long+`"}}`,
			"metadata.order_id:too_long",
		),
		event(
			"unknown type",
			`{"user_id": "u", "event_type": "`+marker+`"}`,
			"event_type:unknown_event_type",
		),
		event(
			"type in capitals",
			`{"user_id": "u", "event_type": "LEAD"}`,
			"event_type:unknown_event_type",
		),
		event("type is a boolean", `{"user_id": "u", "event_type": true}`, "event_type:wrong_type"),
		event(
			"unknown field",
			`{"user_id": "u", "event_type": "lead", "extra": "`+marker+`"}`,
			"extra:unknown_field",
		),
		event(
			"field in other letters",
			`{"user_id": "u", "event_type": "lead", "Event_ID": "`+marker+`"}`,
			"Event_ID:unknown_field",
		),
		event(
			"metadata is an array",
			`{"user_id": "u", "event_type": "lead", "metadata": ["`+marker+`"]}`,
			"metadata:wrong_type",
		),
		event(
			"metadata is a number",
			`{"user_id": "u", "event_type": "lead", "metadata": 1}`,
			"metadata:wrong_type",
		),
		event(
			"time is no time",
			`{"user_id": "u", "event_type": "lead", "occurred_at": "`+marker+`"}`,
			"occurred_at:time_malformed",
		),
		event(
			"time without zone",
			`{"user_id": "u", "event_type": "lead", "occurred_at": "2026-01-02T03:04:05"}`,
			"occurred_at:time_malformed",
		),
		event(
			"time is a number",
			`{"user_id": "u", "event_type": "lead", "occurred_at": 1767322000}`,
			"occurred_at:wrong_type",
		),
		event(
			"31 February",
			`{"user_id": "u", "event_type": "lead", "occurred_at": "2026-02-31T00:00:00Z"}`,
			"occurred_at:time_malformed",
		),
		event(
			"in the future",
			`{"user_id": "u", "event_type": "lead", "occurred_at": "`+time.Now().Add(
				10*time.Minute,
			).UTC().Format(time.RFC3339)+`"}`,
			"occurred_at:in_the_future",
		),
		event(
			"purchase without amount",
			`{"user_id": "u", "event_type": "purchase", "metadata": {"product_id": "p"}}`,
			"metadata.amount:required",
		),
		event(
			"sale without metadata",
			`{"user_id": "u", "event_type": "sale"}`,
			"metadata.amount:required",
		),
		purchase("amount is no number", `"`+marker+`"`, "metadata.amount:amount_malformed"),
		purchase("amount is empty", `""`, "metadata.amount:amount_malformed"),
		purchase("amount is NaN as a string", `"NaN"`, "metadata.amount:amount_malformed"),
		purchase(
			"amount with a thousands separator",
			`"1,000.00"`,
			"metadata.amount:amount_malformed",
		),
		purchase("amount is null", `null`, "metadata.amount:required"),
		purchase("amount is a boolean", `true`, "metadata.amount:wrong_type"),
		purchase("amount is an object", `{"value": "`+marker+`"}`, "metadata.amount:wrong_type"),
		purchase("negative amount", `-1.00`, "metadata.amount:negative"),
		purchase("too many fractional digits", `100.001`, "metadata.amount:amount_too_precise"),
		purchase("tiny amount", `1e-26`, "metadata.amount:amount_too_precise"),
		purchase("13 integer digits", `1234567890123`, "metadata.amount:amount_too_large"),
		purchase("huge exponent", `1e300`, "metadata.amount:amount_malformed"),
		event(
			"fraction of a yen",
			`{"user_id": "u", "event_type": "sale", "metadata": {"amount": 1.5, "currency": "JPY"}}`,
			"metadata.amount:amount_too_precise",
		),
		event(
			"unknown currency",
			`{"user_id": "u", "event_type": "sale", "metadata": {"amount": 1, "currency": "`+marker+`"}}`,
			"metadata.currency:currency_unknown",
		),
		event(
			"currency in small letters",
			`{"user_id": "u", "event_type": "sale", "metadata": {"amount": 1, "currency": "usd"}}`,
			"metadata.currency:currency_unknown",
		),
		event(
			"everything wrong",
			`{"user_id": 1, "event_type": "`+marker+`", "occurred_at": "x", "foo": 1, "metadata": {"amount": -1}}`,
			"user_id:wrong_type",
			"foo:unknown_field",
			"event_type:unknown_event_type",
			"occurred_at:time_malformed",
			"metadata.amount:negative",
		),
		key,
		query,
	}
}

// badReads request what does not exist or cannot exist.
func badReads() []bad {
	get := func(name, url, path string, status int, code string, fields ...string) bad {
		return bad{
			name:   name,
			method: http.MethodGet,
			url:    url,
			path:   path,
			status: status,
			code:   code,
			fields: fields,
		}
	}

	return []bad{
		get("no such event", stack.Tracking, eventsPath+"/"+marker, 404, "event_not_found"),
		get(
			"no such commission",
			stack.Commission,
			commissionsPath+"/0193574c-6c00-7000-8000-000000000000",
			404,
			"commission_not_found",
		),
		get(
			"commission id is no UUID",
			stack.Commission,
			commissionsPath+"/"+marker,
			404,
			"commission_not_found",
		),
		get("no such decision", stack.Commission, decisionsPath+marker, 404, "decision_not_found"),
		get("no such path of bff", stack.BFF, "/api/v1/"+marker, 404, "route_not_found"),
		get("no such path of tracking", stack.Tracking, "/"+marker, 404, "route_not_found"),
		get(
			"no such path of commission",
			stack.Commission,
			"/api/v2/"+marker,
			404,
			"route_not_found",
		),
		get("GET of a command", stack.BFF, evidencePath, 405, "method_not_allowed"),
		{
			name:   "DELETE of events",
			method: http.MethodDelete,
			url:    stack.Tracking,
			path:   eventsPath,
			status: 405,
			code:   "method_not_allowed",
		},
		{
			name:   "PUT of commissions",
			method: http.MethodPut,
			url:    stack.Commission,
			path:   commissionsPath,
			status: 405,
			code:   "method_not_allowed",
		},
		get(
			"limit 0",
			stack.Commission,
			commissionsPath+"?limit=0",
			422,
			"validation_failed",
			"limit:invalid_value",
		),
		get(
			"limit 1001",
			stack.Commission,
			commissionsPath+"?limit=1001",
			422,
			"validation_failed",
			"limit:invalid_value",
		),
		get(
			"limit is no number",
			stack.Commission,
			commissionsPath+"?limit="+marker,
			422,
			"validation_failed",
			"limit:invalid_value",
		),
		get(
			"limit of events 1001",
			stack.Tracking,
			eventsPath+"?limit=1001",
			422,
			"validation_failed",
			"limit:invalid_value",
		),
		get(
			"bad cursor",
			stack.Commission,
			commissionsPath+"?cursor="+marker,
			400,
			"cursor_invalid",
		),
		get(
			"bad cursor of events",
			stack.Tracking,
			eventsPath+"?cursor="+marker,
			400,
			"cursor_invalid",
		),
		get(
			"cursor that is no id",
			stack.Commission,
			commissionsPath+"?cursor=eyJpZCI6InRlc3QifQ",
			400,
			"cursor_invalid",
		),
		get(
			"unknown query parameter",
			stack.Commission,
			commissionsPath+"?user="+marker,
			422,
			"validation_failed",
			"user:unknown_field",
		),
		get(
			"unknown status",
			stack.Commission,
			commissionsPath+"?status="+marker,
			422,
			"validation_failed",
			"status:invalid_value",
		),
		get(
			"bad time",
			stack.Commission,
			commissionsPath+"?occurred_from="+marker,
			422,
			"validation_failed",
			"occurred_from:invalid_value",
		),
		get(
			"NUL in a filter",
			stack.Commission,
			commissionsPath+"?user_id="+marker+"%00",
			422,
			"validation_failed",
			"user_id:not_printable",
		),
		get(
			"NUL in a filter of events",
			stack.Tracking,
			eventsPath+"?user_id="+marker+"%00",
			422,
			"validation_failed",
			"user_id:not_printable",
		),
		get(
			"invalid UTF-8 in a filter",
			stack.Commission,
			commissionsPath+"?campaign_id="+marker+"%ff",
			422,
			"validation_failed",
			"campaign_id:not_printable",
		),
		get(
			"invalid UTF-8 in a filter of events",
			stack.Tracking,
			eventsPath+"?campaign_id="+marker+"%ff",
			422,
			"validation_failed",
			"campaign_id:not_printable",
		),
		get(
			"NUL in an event's id",
			stack.Tracking,
			eventsPath+"/"+marker+"%00",
			404,
			"event_not_found",
		),
		get(
			"NUL in a commission's id",
			stack.Commission,
			commissionsPath+"/"+marker+"%00",
			404,
			"commission_not_found",
		),
		get(
			"invalid UTF-8 in a decision's id",
			stack.Commission,
			decisionsPath+marker+"%ff",
			404,
			"decision_not_found",
		),
		get(
			"NUL in a decision's id",
			stack.Commission,
			decisionsPath+marker+"%00",
			404,
			"decision_not_found",
		),
		get(
			"invalid UTF-8 in an event's id",
			stack.Tracking,
			eventsPath+"/"+marker+"%ff",
			404,
			"event_not_found",
		),
	}
}
