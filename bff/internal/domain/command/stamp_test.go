package command_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/command"
	"tributary/platform/fault"
)

func TestStamp(t *testing.T) {
	t.Parallel()
	roles := []string{"partner"}

	from, err := caller.New(caller.Snapshot{UserID: "user123", Roles: roles})
	if err != nil {
		t.Fatal(err)
	}

	berlin := time.FixedZone("CET", 3600)

	s, err := command.NewStamp(
		"id-1",
		"campaign.accept",
		from,
		"key",
		time.Date(2026, 11, 23, 13, 0, 0, 0, berlin),
	)
	if err != nil {
		t.Fatal(err)
	}

	if s.IssuedAt().Location() != time.UTC || s.IssuedAt().Hour() != 12 {
		t.Errorf("issued at %s", s.IssuedAt())
	}

	roles[0] = "admin"

	s.Caller().Snapshot().Roles[0] = "admin"
	if !slices.Equal(s.Caller().Snapshot().Roles, []string{"partner"}) {
		t.Error("a caller's roles can be changed from outside")
	}

	for name, tc := range map[string]struct {
		id, key string
		from    caller.Caller
	}{
		"no id": {"", "", from}, "nobody": {"id", "", caller.Caller{}}, "key too long": {"id", strings.Repeat("k", 256), from}, "key with a line break": {"id", "a\nb", from},
	} {
		if _, err := command.NewStamp(
			tc.id,
			"campaign.accept",
			tc.from,
			tc.key,
			time.Time{},
		); !errors.Is(err, fault.ErrValidation) {
			t.Errorf("%s: %v", name, err)
		}
	}

	if _, err := caller.New(caller.Snapshot{}); !errors.Is(err, fault.ErrClaimMissing) {
		t.Errorf("a caller without id: %v", err)
	}
}

func TestCheckIdentifier(t *testing.T) {
	t.Parallel()

	for value, want := range map[string]string{
		"camp123": "", "a b": "", "käse-漢字": "", strings.Repeat("ü", 128): "",
		" ": "blank_at_end", "camp123 ": "blank_at_end", "\u3164": "not_printable",
		"": "required", strings.Repeat("ü", 129): "too_long", "a\x00": "not_printable", "a\u200bb": "not_printable", "a\xffb": "not_printable", "\u2028": "not_printable",
	} {
		var faults fault.Fields
		command.CheckIdentifier(&faults, "id", value)

		got := ""
		if len(faults) > 0 {
			got = faults[0].Code.Name()
		}

		if got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}
