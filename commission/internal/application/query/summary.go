package query

import (
	"context"
	"slices"
	"time"

	"tributary/platform/fault"
	"tributary/platform/money"
)

// Dimension is a column by which a summary can be grouped.
type Dimension string

const (
	ByUser      Dimension = "user_id"
	ByCampaign  Dimension = "campaign_id"
	ByEventType Dimension = "event_type"
	ByStatus    Dimension = "status"
	ByCurrency  Dimension = "currency"
	ByDay       Dimension = "day"
)

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

// Check refuses unknown zones and repeated dimensions, and adds the currency.
func (g *Grouping) Check() error {
	var faults fault.Fields
	for i, d := range g.By {
		if slices.Contains(g.By[:i], d) {
			faults.Add("group_by", fault.ErrRepeated, "names a dimension twice")
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

// ErrZone is the code of an unknown time zone.
var ErrZone = fault.DefineField(
	"time_zone_unknown",
	"must be an IANA time zone such as Europe/Berlin",
)

// UnknownZone returns the fault for a zone that only a part of the service knows: programs and
// databases are not updated at the same time.
func UnknownZone() error { return fault.Fields{unknownZone()}.Err() }

func unknownZone() fault.Field {
	return fault.Field{
		Field:   "tz",
		Code:    ErrZone,
		Message: ErrZone.Error(),
	}
}

// Group is a line of a summary: the values of the dimensions ("" if a row has none) in the order of
// the grouping, the number of rows, and their sum.
type Group struct {
	Values []string
	Count  int64
	Amount money.Total
}

// SummaryReader reads summaries.
type SummaryReader interface {
	// Summary returns at most limit groups in the order of their values: those that follow the
	// group with the values after, or the first ones if after is nil. Groups that appear or
	// disappear meanwhile neither repeat nor hide others. Rejected rows count only if the filter or
	// the grouping names the status, since they are not earned. The fault of UnknownZone is
	// returned if the database does not know the zone.
	Summary(
		ctx context.Context,
		owner Owner,
		filter CommissionFilter,
		grouping Grouping,
		limit int,
		after []string,
	) ([]Group, error)
}

// Summarize counts and sums commissions.
type Summarize struct{ reader SummaryReader }

// NewSummarize returns the query. It is safe for concurrent use.
func NewSummarize(reader SummaryReader) *Summarize { return &Summarize{reader: reader} }

// Handle returns groups of the commissions that the caller may see, as SummaryReader.Summary does.
// fault.ErrForeignUser is returned for a filter by a user whose commissions the caller may not see.
func (q *Summarize) Handle(
	ctx context.Context,
	caller Caller,
	filter CommissionFilter,
	grouping Grouping,
	limit int,
	after []string,
) ([]Group, error) {
	owner, err := caller.OwnerOf(filter.UserID)
	if err != nil {
		return nil, err
	}

	return q.reader.Summary(ctx, owner, filter, grouping, limit, after)
}
