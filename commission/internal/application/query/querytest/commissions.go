package querytest

import (
	"fmt"
	"strings"
	"testing"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
)

// wantCommissions checks which events have the commissions of a list.
func (w World) wantCommissions(
	t *testing.T,
	what string,
	owner query.Owner,
	filter query.CommissionFilter,
	want ...string,
) {
	t.Helper()
	wantPages(t, "commissions "+what, func(
		limit int,
		after *commission.Snapshot,
	) ([]commission.Snapshot, error) {
		slice := query.Slice{Limit: limit}
		if after != nil {
			slice.After = after.ID
			slice.UpdatedAt = after.UpdatedAt
		}

		return w.Reader.List(t.Context(), owner, filter, slice)
	}, func(c commission.Snapshot) string { return c.EventID }, want...)
}

func commissions(t *testing.T, w World) {
	made := w.earned(t)
	w.hold(t, made[2].ID, minute(1))

	all := query.CommissionFilter{}
	w.wantCommissions(t, "of all", everyone(), all, "e5", "e4", "e3", "e2", "e1")
	w.wantCommissions(t, "of u", only("u"), all, "e5", "e3", "e1")
	w.wantCommissions(t, "of v", only("v"), all, "e4", "e2")
	w.wantCommissions(t, "of nobody", only("nobody"), all)

	for name, c := range map[string]struct {
		filter query.CommissionFilter
		want   []string
	}{
		"that are held":     {query.CommissionFilter{Status: "held"}, []string{"e3"}},
		"that are pending":  {query.CommissionFilter{Status: "pending"}, []string{"e5", "e1"}},
		"of purchases":      {query.CommissionFilter{EventType: "purchase"}, []string{"e5", "e3", "e1"}},
		"of sales":          {query.CommissionFilter{EventType: "sale"}, nil},
		"that are earnings": {query.CommissionFilter{Kind: "earning"}, []string{"e5", "e3", "e1"}},
		"clawbacks":         {query.CommissionFilter{Kind: "clawback"}, nil},
		"in USD":            {query.CommissionFilter{Currency: "USD"}, []string{"e5", "e3", "e1"}},
		"in EUR":            {query.CommissionFilter{Currency: "EUR"}, nil},
		"of a campaign":     {query.CommissionFilter{CampaignID: "c"}, nil},
		"of a product":      {query.CommissionFilter{ProductID: "p"}, nil},
		"of an order":       {query.CommissionFilter{OrderID: "o"}, nil},
		"that occur later":  {query.CommissionFilter{OccurredFrom: minute(1)}, nil},
		"that are older":    {query.CommissionFilter{CreatedTo: noon()}, nil},
		"that are as old":   {query.CommissionFilter{CreatedFrom: noon()}, []string{"e5", "e3", "e1"}},
	} {
		w.wantCommissions(t, name, only("u"), c.filter, c.want...)
	}
}

func changedCommissions(t *testing.T, w World) {
	made := w.earned(t)
	w.hold(t, made[0].ID, minute(2))
	w.hold(t, made[1].ID, minute(1))

	changed := query.CommissionFilter{Updated: query.Updated{From: noon()}}
	w.wantCommissions(t, "by change", everyone(), changed, "e3", "e4", "e5", "e2", "e1")
	w.wantCommissions(t, "of u by change", only("u"), changed, "e3", "e5", "e1")

	changed.Updated = query.Updated{From: minute(1), To: minute(2)}
	w.wantCommissions(t, "of a minute", everyone(), changed, "e2")
}

func decisions(t *testing.T, w World) {
	earned := w.Earn(t, "u", "e1")

	for name, owner := range map[string]query.Owner{"everyone": everyone(), "u": only("u")} {
		found, err := w.Reader.Decision(t.Context(), owner, "e1")
		if err != nil || found.CommissionID != earned.ID || found.Amount != earned.Amount ||
			found.Event.UserID() != "u" || found.Outcome != decision.Commissioned {
			t.Errorf("to %s: %+v, %v", name, found, err)
		}
	}
}

// What is added between two pages is newer than what is still to come.
func growing(t *testing.T, w World) {
	w.earned(t)

	var got []string

	slice := query.Slice{Limit: 2}

	for n := range 3 {
		page, err := w.Reader.List(t.Context(), everyone(), query.CommissionFilter{}, slice)
		if err != nil {
			t.Fatal(err)
		}

		for i := range page {
			got = append(got, page[i].EventID)
			slice.After = page[i].ID
		}

		w.Earn(t, "u", fmt.Sprint("e", 6+n))
	}

	if text := strings.Join(got, " "); text != "e5 e4 e3 e2 e1" {
		t.Errorf("%s", text)
	}
}
