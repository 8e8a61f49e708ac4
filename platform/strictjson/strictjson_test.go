package strictjson_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/fault"
	"tributary/platform/strictjson"
)

func TestCheckRefuses(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct{ body, code string }{
		"nothing":              {"", "json_empty"},
		"white space":          {" \n\t", "json_empty"},
		"truncated":            {`{"a":1`, "json_syntax"},
		"NaN":                  {`{"a":NaN}`, "json_syntax"},
		"Infinity":             {`[Infinity]`, "json_syntax"},
		"single quotes":        {`{'a':1}`, "json_syntax"},
		"comment":              {`{"a":1 /* one */}`, "json_syntax"},
		"trailing comma":       {`[1,]`, "json_syntax"},
		"leading zero":         {`[01]`, "json_syntax"},
		"plus sign":            {`[+1]`, "json_syntax"},
		"raw control":          {"[\"\x01\"]", "json_syntax"},
		"bad escape":           {`["\x"]`, "json_syntax"},
		"byte order mark":      {"\ufeff{}", "json_byte_order_mark"},
		"duplicate key":        {`{"a":1,"b":{"c":1,"c":2}}`, "json_duplicate_key"},
		"escaped duplicate":    {`{"a":1,"\u0061":2}`, "json_duplicate_key"},
		"invalid UTF-8":        {"[\"\xff\"]", "json_invalid_utf8"},
		"truncated UTF-8":      {"[\"\xe2\x82\"]", "json_invalid_utf8"},
		"lone high surrogate":  {`["\ud800"]`, "json_invalid_utf8"},
		"lone low surrogate":   {`["\uDC00 and more"]`, "json_invalid_utf8"},
		"NUL in a value":       {`{"a":"x\u0000y"}`, "json_nul"},
		"NUL in a key":         {`{"\u0000":1}`, "json_nul"},
		"too deep":             {strings.Repeat("[", 33) + strings.Repeat("]", 33), "json_too_deep"},
		"trailing value":       {`{} {}`, "json_trailing_text"},
		"trailing text":        {`{}x`, "json_trailing_text"},
		"huge exponent":        {`[1e400]`, "json_number_range"},
		"tiny exponent":        {`[1E-400]`, "json_number_range"},
		"endless exponent":     {`[1e99999999999999999999]`, "json_number_range"},
		"endless number":       {"[" + strings.Repeat("1", 101) + "]", "json_number_range"},
		"endless brackets":     {strings.Repeat("[", 1<<20), "json_too_deep"},
		"endless object nests": {strings.Repeat(`{"a":`, 1<<16), "json_too_deep"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := strictjson.Check([]byte(c.body))

			f, ok := fault.As(err)
			if !ok || f.Code() != c.code || f.Kind() != fault.Malformed {
				t.Fatalf("Check = %v, want %s", err, c.code)
			}
		})
	}
}

func TestCheckTakes(t *testing.T) {
	t.Parallel()

	for _, body := range []string{
		`{}`, ` [1, -2.50, 1e10] `, `"é\u00e9😀\ud83d\ude00"`, `null`, `{"a":{"a":1}}`,
		strings.Repeat("[", 32) + strings.Repeat("]", 32), "[" + strings.Repeat("1", 100) + "]", `["\\u0000"]`, `[1e300]`,
	} {
		if err := strictjson.Check([]byte(body)); err != nil {
			t.Errorf("Check(%.40s) = %v, want nil", body, err)
		}
	}
}

func TestUnmarshalNamesTheField(t *testing.T) {
	t.Parallel()

	type target struct {
		Name string `json:"name"`
		List []struct {
			N int `json:"n"`
		} `json:"list"`
		Raw jsontext.Value `json:"raw"`
	}

	for name, c := range map[string]struct{ body, field, code string }{
		"wrong type":     {`{"name":1}`, "name", "wrong_type"},
		"wrong case":     {`{"Name":"a"}`, "Name", "unknown_field"},
		"unknown member": {`{"other":1}`, "other", "unknown_field"},
		"in a list":      {`{"list":[{"n":1},{"n":"x"}]}`, "list[1].n", "wrong_type"},
		"fraction":       {`{"list":[{"n":1.5}]}`, "list[0].n", "wrong_type"},
		"hostile name":   {`{"a\u0007b":1}`, "a?b", "unknown_field"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var v target

			f, ok := fault.As(strictjson.Unmarshal([]byte(c.body), &v))
			if !ok || len(f.Fields) != 1 || f.Fields[0].Field != c.field ||
				f.Fields[0].Code.Name() != c.code {
				t.Fatalf("Unmarshal = %+v, want %s of %q", f, c.code, c.field)
			}
		})
	}

	var v target
	if err := strictjson.Unmarshal([]byte(`{"raw":{"amount":100.10}}`), &v); err != nil ||
		string(v.Raw) != `{"amount":100.10}` {
		t.Fatalf("Raw = %s (%v), want the text as it was", v.Raw, err)
	}

	if f, ok := fault.As(strictjson.Unmarshal([]byte(`{"name":`), &v)); !ok ||
		f.Code() != "json_syntax" {
		t.Fatalf("truncated: %v, want json_syntax", f)
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"\u0000"]}`, `[1e400]`, `{"a":1,"a":2}`, `"\ud800"`} {
		f.Add([]byte(seed))
	}

	f.Fuzz(func(t *testing.T, data []byte) {
		checked := strictjson.Check(data)

		var v any

		read := strictjson.Unmarshal(data, &v)
		if checked == nil && read != nil {
			t.Fatalf("Check takes what Unmarshal refuses: %v", read)
		}
	})
}

// Check runs on every body: it must not allocate.
func BenchmarkCheck(b *testing.B) {
	body := []byte(
		`{"user_id": "user123", "event_type": "purchase", "metadata": {"amount": 100.0, "product_id": "prod456"}}`,
	)
	b.ReportAllocs()

	for b.Loop() {
		if err := strictjson.Check(body); err != nil {
			b.Fatal(err)
		}
	}
}

//nolint:paralleltest // it counts the process's allocations
func TestCheckCostsNoGarbage(t *testing.T) {
	body := []byte(
		`{"user_id": "user123", "event_type": "purchase", "metadata": {"amount": 100.0, "product_id": "prod456"}}`,
	)
	if n := testing.AllocsPerRun(1000, func() { _ = strictjson.Check(body) }); n > 4 {
		t.Errorf("%v allocations a check", n)
	}
}
