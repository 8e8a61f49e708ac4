package querytest

import (
	"testing"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
)

func (w World) wantAudit(t *testing.T, what string, filter query.AuditFilter, want ...string) {
	t.Helper()
	wantPages(t, "audit "+what, func(limit int, after *query.AuditRow) ([]query.AuditRow, error) {
		var position query.Position
		if after != nil {
			position = query.Position{At: after.At, ID: after.ID}
		}

		return w.Reader.Audit(t.Context(), filter, limit, position)
	}, func(r query.AuditRow) string { return r.Action + " by " + r.Actor }, want...)
}

func audit(t *testing.T, w World) {
	for _, c := range []struct {
		at            int
		actor, action string
	}{
		{2, "a", "open"}, {1, "b", "open"}, {3, "a", "close"}, {1, "a", "close"}, {3, "b", "open"},
	} {
		if err := w.Journal.Note(t.Context(), by(c.actor, minute(c.at)), change.Record{
			Action:      c.action,
			SubjectType: "payout",
			SubjectID:   c.actor + "'s",
		}, nil); err != nil {
			t.Fatal(err)
		}
	}

	w.wantAudit(
		t,
		"of all",
		query.AuditFilter{},
		"open by b", "close by a", "open by a", "close by a", "open by b",
	)

	for name, c := range map[string]struct {
		filter query.AuditFilter
		want   []string
	}{
		"of b":           {query.AuditFilter{Actor: "b"}, []string{"open by b", "open by b"}},
		"of an action":   {query.AuditFilter{Action: "close"}, []string{"close by a", "close by a"}},
		"of a subject":   {query.AuditFilter{SubjectID: "b's"}, []string{"open by b", "open by b"}},
		"of rules":       {query.AuditFilter{SubjectType: "rule"}, nil},
		"of one minute":  {query.AuditFilter{From: minute(2), To: minute(3)}, []string{"open by a"}},
		"of both at one": {query.AuditFilter{To: minute(2)}, []string{"close by a", "open by b"}},
	} {
		w.wantAudit(t, name, c.filter, c.want...)
	}
}
