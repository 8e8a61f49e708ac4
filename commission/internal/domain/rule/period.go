package rule

import "time"

// Period is the time over which volumes and caps add up.
type Period string

// Periods. Days and months are those of the rule's zone, by the time when the event occurred.
const (
	Daily    Period = "day"
	Monthly  Period = "month"
	Lifetime Period = "lifetime"
)

func ParsePeriod(text string) (Period, bool) {
	switch p := Period(text); p {
	case Daily, Monthly, Lifetime:
		return p, true
	}

	return "", false
}

// Label returns the name of the period that contains the time: "2026-11-23", "2026-11" or
// "lifetime", and in another zone than UTC "2026-11 Europe/Berlin".
func (p Period) Label(at time.Time, zone *time.Location) string {
	var label string

	switch p {
	case Daily:
		label = at.In(zone).Format(time.DateOnly)
	case Monthly:
		label = at.In(zone).Format("2006-01")
	case Lifetime:
		return string(Lifetime)
	default:
		return ""
	}

	if zone != time.UTC {
		label += " " + zone.String()
	}

	return label
}

// Span is from when, inclusive, to when, exclusive, the period that holds the time lasts. A
// lifetime lasts for all times that an event can have.
func (p Period) Span(at time.Time, zone *time.Location) (from, to time.Time) {
	year, month, day := at.In(zone).Date()

	switch p {
	case Daily:
		return midnight(year, month, day, zone), midnight(year, month, day+1, zone)
	case Monthly:
		return midnight(year, month, 1, zone), midnight(year, month+1, 1, zone)
	case Lifetime:
	}

	return time.Time{}, time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
}

// midnight returns the first moment of a day. Where clocks change at midnight, it does not exist or
// comes twice, and time.Date may return a moment of another day, or the second one.
func midnight(year int, month time.Month, day int, zone *time.Location) time.Time {
	at := time.Date(year, month, day, 0, 0, 0, 0, zone)
	wanted := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	began, ends := at.ZoneBounds()
	_, offset := at.Zone()

	switch shown := at.Add(time.Duration(offset) * time.Second); {
	case shown.Before(wanted):
		return ends
	case shown.After(wanted):
		return began
	case began.IsZero():
		return at
	}

	_, before := began.Add(-1).Zone()
	if first := wanted.Add(-time.Duration(before) * time.Second); first.Before(began) {
		return first.In(zone)
	}

	return at
}
