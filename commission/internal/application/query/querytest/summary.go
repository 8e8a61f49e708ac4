package querytest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/platform/fault"
)

// grouped returns the grouping by the dimensions and the currency, with days of UTC.
func grouped(by ...query.Dimension) query.Grouping {
	return query.Grouping{By: append(by, query.ByCurrency), Zone: "UTC"}
}

// wantSummary checks the groups of a summary: values, count and sum.
func (w World) wantSummary(
	t *testing.T,
	what string,
	owner query.Owner,
	filter query.CommissionFilter,
	grouping query.Grouping,
	want ...string,
) {
	t.Helper()
	wantPages(t, "summary "+what, func(limit int, after *query.Group) ([]query.Group, error) {
		var values []string
		if after != nil {
			values = after.Values
		}

		return w.Reader.Summary(t.Context(), owner, filter, grouping, limit, values)
	}, func(g query.Group) string {
		return fmt.Sprint(strings.Join(g.Values, "/"), " ", g.Count, " ", g.Amount.Minor())
	}, want...)
}

func summaries(t *testing.T, w World) {
	first := sale("e1", "u", minute(1))
	first.CampaignID = "c"
	other := sale("e2", "u", minute(2))
	other.Currency = "EUR"

	w.decide(t, first, other, sale("e3", "v", minute(3)))
	w.decide(t, refund("e4", first, "40.00", minute(4)))
	refused := w.decide(t, sale("e5", "U", minute(5)))
	w.act(t, refused.ID, commission.Reject, minute(6))
	w.give(
		t, idAt(minute(7), 99), minute(7),
		command.Adjustment{UserID: "v", Amount: "-20.00", Currency: "USD"},
	)

	for name, c := range map[string]struct {
		owner  query.Owner
		filter query.CommissionFilter
		by     []query.Dimension
		want   []string
	}{
		"of all": {owner: everyone(), want: []string{"EUR 1 1000", "USD 4 -400"}},
		"of u":   {owner: only("u"), want: []string{"EUR 1 1000", "USD 2 600"}},
		"of v":   {owner: only("v"), want: []string{"USD 2 -1000"}},
		"of U":   {owner: only("U")},
		"by user": {
			owner: everyone(),
			by:    []query.Dimension{query.ByUser},
			want:  []string{"u/EUR 1 1000", "u/USD 2 600", "v/USD 2 -1000"},
		},
		"by status and user": {
			owner: everyone(),
			by:    []query.Dimension{query.ByStatus, query.ByUser},
			want: []string{
				"approved/v/USD 1 -2000", "pending/u/EUR 1 1000", "pending/u/USD 2 600",
				"pending/v/USD 1 1000", "rejected/U/USD 1 1000",
			},
		},
		"of the rejected, by user": {
			owner:  everyone(),
			filter: query.CommissionFilter{Status: "rejected"},
			by:     []query.Dimension{query.ByUser},
			want:   []string{"U/USD 1 1000"},
		},
		"by campaign": {
			owner: everyone(),
			by:    []query.Dimension{query.ByCampaign},
			want:  []string{"/EUR 1 1000", "/USD 2 -1000", "c/USD 2 600"},
		},
		"by type": {
			owner: everyone(),
			by:    []query.Dimension{query.ByEventType},
			want:  []string{"/USD 1 -2000", "purchase/EUR 1 1000", "purchase/USD 2 2000", "refund/USD 1 -400"},
		},
		"of two minutes": {
			owner:  everyone(),
			filter: query.CommissionFilter{OccurredFrom: minute(2), OccurredTo: minute(4)},
			want:   []string{"EUR 1 1000", "USD 1 1000"},
		},
	} {
		w.wantSummary(t, name, c.owner, c.filter, grouped(c.by...), c.want...)
	}
}

// A day begins at midnight in the zone, which is 23:00 UTC in Berlin.
func summarizedDays(t *testing.T, w World) {
	midnight := time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC)
	w.decide(t, sale("e1", "u", midnight.Add(-time.Microsecond)), sale("e2", "u", midnight))
	w.decide(t, sale("e3", "u", midnight.Add(time.Hour)))

	all := query.CommissionFilter{}
	days := grouped(query.ByDay)
	w.wantSummary(
		t, "by day of UTC", everyone(), all, days, "2026-11-23/USD 2 2000", "2026-11-24/USD 1 1000",
	)

	days.Zone = "Europe/Berlin"
	w.wantSummary(
		t, "by day of Berlin", everyone(), all, days, "2026-11-23/USD 1 1000", "2026-11-24/USD 2 2000",
	)

	days.Zone = "Mars/Olympus"

	_, err := w.Reader.Summary(t.Context(), everyone(), all, days, 10, nil)
	if found, ok := fault.As(err); !ok || len(found.Fields) != 1 || found.Fields[0].Code != query.ErrZone {
		t.Errorf("by day of an unknown zone: %v", err)
	}
}
