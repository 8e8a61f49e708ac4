package rule_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/fault"
	"tributary/platform/money"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()

	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}

	return location
}

// Each moment is in one period, whose label it has, also where clocks change at midnight or a day
// is left out.
func TestPeriodsFollowEachOther(t *testing.T) {
	t.Parallel()

	for _, name := range []string{
		"UTC", "Europe/Berlin", "America/New_York", "America/Havana", "America/Sao_Paulo",
		"Asia/Beirut", "Africa/Cairo", "America/Asuncion", "Asia/Tehran", "Pacific/Apia",
		"Australia/Lord_Howe", "America/Santiago", "Atlantic/Azores", "Africa/Casablanca",
	} {
		zone := zone(t, name)

		for _, period := range []rule.Period{rule.Daily, rule.Monthly} {
			from, to := period.Span(time.Date(2005, 1, 1, 12, 0, 0, 0, zone), zone)
			for from.Year() < 2035 {
				first, last := period.Label(from, zone), period.Label(to.Add(-1), zone)
				if before := period.Label(from.Add(-1), zone); first != last || before == first {
					t.Fatalf("%s: %v to %v is %s to %s after %s", name, from, to, first, last, before)
				}

				middle := from.Add(to.Sub(from) / 2)
				if f, e := period.Span(middle, zone); !f.Equal(from) || !e.Equal(to) {
					t.Fatalf("%s: %v is from %v to %v, want %v to %v", name, middle, f, e, from, to)
				}

				if period.Label(to, zone) == first {
					t.Fatalf("%s: %v ends %s", name, to, first)
				}

				from, to = period.Span(to, zone)
			}
		}
	}
}

func TestAPeriodIsThatOfItsZone(t *testing.T) {
	t.Parallel()

	berlin := zone(t, "Europe/Berlin")

	for _, c := range []struct {
		period rule.Period
		zone   *time.Location
		at     string
		label  string
		span   string
	}{
		{rule.Monthly, time.UTC, "2026-10-31T23:30:00Z", "2026-10", "2026-10-01T00:00:00Z 2026-11-01T00:00:00Z"},
		{rule.Monthly, berlin, "2026-10-31T23:30:00Z", "2026-11 Europe/Berlin", "2026-10-31T23:00:00Z 2026-11-30T23:00:00Z"},
		{rule.Monthly, berlin, "2026-10-31T22:59:59Z", "2026-10 Europe/Berlin", "2026-09-30T22:00:00Z 2026-10-31T23:00:00Z"},
		{rule.Daily, berlin, "2026-03-28T23:00:00Z", "2026-03-29 Europe/Berlin", "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z"},
		{rule.Daily, berlin, "2026-10-25T22:59:59Z", "2026-10-25 Europe/Berlin", "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z"},
		{rule.Daily, time.UTC, "2026-10-25T22:59:59Z", "2026-10-25", "2026-10-25T00:00:00Z 2026-10-26T00:00:00Z"},
		{rule.Lifetime, berlin, "2026-10-25T22:59:59Z", "lifetime", "0001-01-01T00:00:00Z 9999-12-31T00:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}

		from, to := c.period.Span(at, c.zone)

		span := fmt.Sprint(from.UTC().Format(time.RFC3339), " ", to.UTC().Format(time.RFC3339))
		if label := c.period.Label(at, c.zone); label != c.label || span != c.span {
			t.Errorf("%s of %s: %s, %s", c.at, c.zone, label, span)
		}
	}
}

// Versions with other zones have accounts of their own; a lifetime is the same in all zones.
func TestAccountsBelongToTheZone(t *testing.T) {
	t.Parallel()

	version := func(number int, zone *time.Location, period rule.Period) rule.Rule {
		r, err := rule.New(rule.Snapshot{
			ID:            "r",
			Version:       number,
			Name:          "r",
			Scope:         rule.Scope{EventType: eventtype.Purchase},
			Currency:      money.USD(),
			Formula:       rule.Percentage{Rate: money.One()},
			Cap:           &rule.Cap{Amount: 1, Period: period},
			PeriodZone:    zone,
			EffectiveFrom: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		})
		if err != nil {
			t.Fatal(err)
		}

		return r
	}

	berlin := zone(t, "Europe/Berlin")
	set := rule.NewSet(1, []rule.Rule{
		version(1, nil, rule.Monthly),
		version(2, berlin, rule.Monthly),
		version(3, time.UTC, rule.Monthly),
		version(4, zone(t, "Europe/Berlin"), rule.Monthly),
		version(5, berlin, rule.Lifetime),
		version(6, nil, rule.Lifetime),
	})

	at := time.Date(2026, 10, 31, 23, 30, 0, 0, time.UTC)

	var labels []string
	for _, account := range set.Accounts("r") {
		labels = append(labels, account.Label(at))
	}

	if got := fmt.Sprintf("%q", labels); got != `["2026-10" "2026-11 Europe/Berlin" "lifetime"]` {
		t.Error(got)
	}
}

func TestAZoneBelongsToTiersAndCaps(t *testing.T) {
	t.Parallel()

	_, err := rule.New(rule.Snapshot{
		Name:          "r",
		Scope:         rule.Scope{EventType: eventtype.Purchase},
		Formula:       rule.Percentage{Rate: money.One()},
		PeriodZone:    zone(t, "Europe/Berlin"),
		EffectiveFrom: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	})

	f, _ := fault.As(err)
	if f == nil || len(f.Fields) != 1 || f.Fields[0].Field != "period_zone" ||
		!errors.Is(f.Fields[0].Code, fault.ErrNotApplicable) {
		t.Errorf("%v", err)
	}
}
