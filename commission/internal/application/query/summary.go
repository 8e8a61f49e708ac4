package query

import (
	"context"
	"slices"
	"time"

	"tributary/platform/fault"
	"tributary/platform/money"
)

// Dimension is something that a summary can be grouped by.
type Dimension string

// The dimensions.
const (
	ByUser      Dimension = "user_id"
	ByCampaign  Dimension = "campaign_id"
	ByEventType Dimension = "event_type"
	ByStatus    Dimension = "status"
	ByCurrency  Dimension = "currency"
	ByDay       Dimension = "day"
)

// ParseDimension reads a dimension.
func ParseDimension(text string) (Dimension, bool) {
	switch d := Dimension(text); d {
	case ByUser, ByCampaign, ByEventType, ByStatus, ByCurrency, ByDay:
		return d, true
	}

	return "", false
}

// Grouping says how a summary is grouped. Amounts of different currencies are never added: currency
// is always among the dimensions.
type Grouping struct {
	By   []Dimension
	Zone string // of days, an IANA name; "" is UTC
}

// Check refuses unknown zones and dimensions that come twice, and adds the currency.
func (g *Grouping) Check() error {
	var faults fault.Fields
	for i, d := range g.By {
		if slices.Contains(g.By[:i], d) {
			faults.Add("group_by", "repeated", "names a dimension twice")
		}
	}

	if g.Zone == "" {
		g.Zone = "UTC"
	}

	if _, err := time.LoadLocation(g.Zone); err != nil || g.Zone == "Local" {
		faults = append(faults, unknownZone())
	}

	if !slices.Contains(g.By, ByCurrency) {
		g.By = append(g.By, ByCurrency)
	}

	return faults.Err()
}

// ErrZone refuses a zone that only a part of the service knows: programs and databases are not
// updated on the same day.
func ErrZone() error { return fault.Fields{unknownZone()}.Err() }

func unknownZone() fault.Field {
	return fault.Field{
		Field:   "tz",
		Code:    "time_zone_unknown",
		Message: "must be an IANA time zone such as Europe/Berlin",
	}
}

// Group is a line of a summary: the values of the dimensions ("" where a row has none) in the order
// of the grouping, how many rows there are, and their sum.
type Group struct {
	Values []string
	Count  int64
	Amount money.Total
}

// Summaries reads summaries.
type Summaries interface {
	// Summary gives at most limit groups in the order of their values: those that follow the group
	// with the values after, nil for the first ones. Groups that come and go meanwhile neither
	// repeat nor hide others. Rejected rows count only when the filter or the grouping names the
	// status: nobody earned them. A fault with ErrZone's code when the database does not know the
	// zone.
	Summary(
		ctx context.Context,
		filter CommissionFilter,
		grouping Grouping,
		limit int,
		after []string,
	) ([]Group, error)
}
