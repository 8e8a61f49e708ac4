package event

import (
	"net/url"
	"strings"
	"time"

	"tributary/contracts/eventtype"
	"tributary/platform/fault"
	"tributary/platform/identifier"
)

const (
	maxLink      = 2048
	maxFraction  = 9 // digits of a second's fraction
	earliestYear = 1970
)

// MaxAhead is how far in the future an event may have occurred, relative to its receipt.
const MaxAhead = 5 * time.Minute

// checker collects the faults of one event. Its methods return the checked value, or the zero value
// after adding a fault.
type checker struct{ faults fault.Fields }

type spelling struct {
	field string
	text  Text
}

// either returns the spelling that was used of a field with two names. Both, with different values,
// are a fault.
func (c *checker) either(name, alias spelling) Text {
	switch {
	case alias.text.state == absent:
		return name.text
	case name.text.state == absent:
		return alias.text
	case name.text.state == given && alias.text.state == given && name.text.value != alias.text.value:
		c.faults.Add(
			alias.field,
			ErrContradiction,
			"is another spelling of "+name.field+" and must have the same value",
		)
	}

	return name.text
}

// required checks a field that must be present.
func (c *checker) required(field string, text Text, check func(string, Text) string) string {
	if text.state == absent {
		c.faults.Add(field, fault.ErrRequired, "is required")
		return ""
	}

	return check(field, text)
}

// identifier checks a text by the rule of identifier.Check.
func (c *checker) identifier(field string, text Text) string {
	if text.state != given {
		return ""
	}

	if !identifier.Valid(text.value) {
		identifier.Check(&c.faults, field, text.value)
		return ""
	}

	return text.value
}

func (c *checker) eventType(text Text) eventtype.Type {
	switch text.state {
	case absent:
		c.faults.Add("event_type", fault.ErrRequired, "is required")
		return ""
	case broken:
		return ""
	case given:
	}

	t, ok := eventtype.Parse(text.value)
	if !ok {
		c.faults.Add(
			"event_type",
			fault.ErrEventType,
			"must be one of "+strings.Join(eventtype.Any{}.Values(), ", "),
		)
	}

	return t
}

// occurredAt returns the given time, or that of the receipt. PostgreSQL and the message keep
// microseconds; finer fractions are cut off.
func (c *checker) occurredAt(field string, text Text, now time.Time) time.Time {
	if text.state != given {
		return now
	}

	t, err := time.Parse(time.RFC3339Nano, text.value)
	if err != nil || !inForm(text.value) {
		c.faults.Add(
			field,
			fault.ErrTime,
			"must be a time as in RFC 3339 with at most 9 fractional digits, such as 2026-01-31T23:59:59.5Z",
		)

		return now
	}

	t = t.UTC().Truncate(time.Microsecond)
	switch {
	case t.After(now.Add(MaxAhead)):
		c.faults.Add(field, fault.ErrFuture, "must not be more than 5 minutes in the future")
	case t.Year() < earliestYear:
		c.faults.Add(field, fault.ErrTooEarly, "must not be before 1970")
	}

	return t
}

// inForm refuses what time.Parse accepts but RFC 3339 does not: hours of one digit, a decimal
// comma, fractions of any length.
func inForm(text string) bool {
	if len(text) < len("2006-01-02T15:04:05Z") || text[13] != ':' {
		return false
	}

	rest := text[19:]
	if rest[0] == '.' {
		rest = strings.TrimLeft(rest[1:], "0123456789")
	}

	return len(text)-19-len(rest) <= 1+maxFraction && strings.IndexByte("Z+-", rest[0]) >= 0
}

// link checks an absolute http or https URL.
func (c *checker) link(field string, text Text) string {
	if text.state != given {
		return ""
	}

	if len(text.value) > maxLink {
		c.faults.Add(field, fault.ErrTooLong, "must have at most 2048 bytes")
		return ""
	}

	u, err := url.Parse(text.value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" ||
		!identifier.Printable(text.value) {
		c.faults.Add(field, fault.ErrURL, "must be an absolute http or https URL")
		return ""
	}

	return text.value
}

// source checks a URI reference by the rule of CloudEvents: not empty, printable.
func (c *checker) source(field string, text Text) string {
	if text.state != given {
		return ""
	}

	switch {
	case text.value == "":
		c.faults.Add(field, fault.ErrTooShort, "must have at least 1 character")
	case len(text.value) > maxLink:
		c.faults.Add(field, fault.ErrTooLong, "must have at most 2048 bytes")
	case !identifier.Printable(text.value):
		c.faults.Add(field, fault.ErrNotPrintable, "must consist of printable characters")
	}

	return text.value
}
