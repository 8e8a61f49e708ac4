package identifier_test

import (
	"strings"
	"testing"

	"tributary/platform/fault"
	"tributary/platform/identifier"
)

func TestCheck(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"user123": "", "a b": "", "üser": "", "日本": "", strings.Repeat("😀", 128): "", "e\u0301": "",
		"": "too_short", strings.Repeat("é", 129): "too_long",
		" ": "blank_at_end", "   ": "blank_at_end", " a": "blank_at_end", "1001 ": "blank_at_end",
		"\u00a0a": "not_printable", "a\u3000": "not_printable", "a\u2028": "not_printable", "\ta": "not_printable",
		"a\u0085": "not_printable", "a\n": "not_printable",
		"a\nb": "not_printable", "a\x7f": "not_printable", "a\u200bb": "not_printable",
		"a\u00a0b": "not_printable", "\xff": "not_printable", "a\ufffd": "not_printable", "\ufeffa": "not_printable",
		"a\u00ad": "not_printable", "a\u202eb": "not_printable", "a\u2060": "not_printable", "\u3164": "not_printable",
		"a\u115f": "not_printable", "a\u1160": "not_printable", "a\uffa0": "not_printable", "a\u034f": "not_printable",
		"a\ufe0f": "not_printable", "a\U000e0100": "not_printable", "a\U000e0061": "not_printable",
		"\u2800": "not_printable", "a\u180b": "not_printable", "a\u17b4": "not_printable", "a\ue000": "not_printable",
	} {
		var faults fault.Fields
		identifier.Check(&faults, "user_id", text)

		got := ""
		if len(faults) > 0 {
			got = faults[0].Code.Name()
		}

		if got != want || identifier.Valid(text) != (want == "") {
			t.Errorf("Check(%q) = %q, Valid = %t; want %q", text, got, identifier.Valid(text), want)
		}
	}

	var faults fault.Fields

	identifier.CheckOptional(&faults, "order_id", "")

	if len(faults) > 0 {
		t.Errorf("an absent field: %v", faults)
	}

	identifier.CheckOptional(&faults, "order_id", " ")

	if len(faults) != 1 {
		t.Errorf("a blank: %v", faults)
	}
}

func TestReadable(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]bool{
		"user123": true, " ": true, "1001 ": true, "a\u200bb": true, "\u3164": true, strings.Repeat("é", 128): true,
		"": false, strings.Repeat("é", 129): false, "a\nb": false, "a\u0085": false, "\xff": false,
	} {
		if got := identifier.Readable(text); got != want {
			t.Errorf("Readable(%q) = %t", text, got)
		}
	}
}
