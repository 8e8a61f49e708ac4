package postgres_test

import (
	"testing"
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
)

// A cap by month begins again at the midnight of its version's zone. A version with another zone
// meets what was earned before it; what was decided by an earlier one stays.
func TestACapBeginsAtTheMidnightOfItsZone(t *testing.T) {
	t.Parallel()

	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}

	f := setup(t)
	limited := func(zone *time.Location) rule.Snapshot {
		return rule.Snapshot{
			Formula:    rule.Percentage{Rate: share(t, "0.1")},
			Cap:        &rule.Cap{Amount: 1_500, Period: rule.Monthly},
			PeriodZone: zone,
		}
	}
	at := func(id, moment string) event.Snapshot {
		occurred, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}

		e := purchase(id, "u", "100")
		e.OccurredAt = occurred

		return e
	}

	f.version(t, limited(berlin))
	f.decide(
		t,
		at("first", "2026-10-20T12:00:00Z"),
		at("last", "2026-10-31T22:59:59Z"), // a second before November in Berlin
		at("next", "2026-10-31T23:00:00Z"),
		at("full", "2026-11-01T12:00:00Z"),
	)

	const decided = "commissioned rule_applied 1000; commissioned rule_applied_at_cap 500; " +
		"commissioned rule_applied 1000; commissioned rule_applied_at_cap 500; "

	if got := f.outcomes(t, "first", "last", "next", "full"); got != decided {
		t.Error(got)
	}

	f.version(t, limited(time.UTC))
	f.decide(t, at("utc", "2026-11-01T12:00:00Z"), at("past", "2026-10-31T23:30:00Z"))

	// in UTC, November has earned 5.00 by then, and October is over its cap
	if got := f.outcomes(t, "utc", "past"); got !=
		"commissioned rule_applied 1000; not_commissioned cap_reached 0; " {
		t.Error(got)
	}

	if got := f.outcomes(t, "first", "last", "next", "full"); got != decided {
		t.Errorf("afterwards: %s", got)
	}
}
