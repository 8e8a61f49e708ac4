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

// Grouping says how a summary is grouped. Amounts of different currencies are never added: currency is always among the dimensions.
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
		faults.Add("tz", "time_zone_unknown", "must be an IANA time zone such as Europe/Berlin")
	}
	if !slices.Contains(g.By, ByCurrency) {
		g.By = append(g.By, ByCurrency)
	}
	return faults.Err()
}

// Group is a line of a summary: the values of the dimensions ("" where a row has none), how many rows there are, and their sum.
type Group struct {
	Values map[Dimension]string
	Count  int64
	Amount money.Amount
}

// Summaries reads summaries and streams rows.
type Summaries interface {
	// Summary gives at most limit groups in the order of their values, leaving out the first offset ones. Rejected rows count only when the
	// filter or the grouping names the status: nobody earned them.
	Summary(ctx context.Context, filter CommissionFilter, grouping Grouping, limit, offset int) ([]Group, error)
}
