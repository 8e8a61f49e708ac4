package rule

import "time"

// Period is the time over which volumes and caps add up.
type Period string

// Periods. Days and months are in UTC, by the time when the event occurred.
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
// "lifetime".
func (p Period) Label(at time.Time) string {
	switch p {
	case Daily:
		return at.UTC().Format(time.DateOnly)
	case Monthly:
		return at.UTC().Format("2006-01")
	case Lifetime:
		return string(Lifetime)
	}

	return ""
}

// Span is from when, inclusive, to when, exclusive, the period that holds the time lasts. A
// lifetime lasts for all times that an event can have.
func (p Period) Span(at time.Time) (from, to time.Time) {
	at = at.UTC()

	switch p {
	case Daily:
		from = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 0, 1)
	case Monthly:
		from = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 1, 0)
	case Lifetime:
	}

	return time.Time{}, time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
}
