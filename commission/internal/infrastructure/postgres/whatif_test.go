package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/commission/internal/domain/rule"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// triedOut returns the users in whose earnings of November a rule of the scope makes a difference.
func (f fixture) triedOut(tb testing.TB, store *postgres.Store, scope rule.Scope) string {
	tb.Helper()

	rate, err := money.ParseRate("0.3")
	if err != nil {
		tb.Fatal(err)
	}

	trials, err := f.replays(store).WhatIf(tb.Context(), november(), rule.Snapshot{
		Name:          "trial",
		Scope:         scope,
		Currency:      money.USD(),
		Formula:       rule.Percentage{Rate: rate},
		Priority:      1,
		EffectiveFrom: november().From,
	})
	if err != nil {
		tb.Fatal(err)
	}

	var users []string
	for _, trial := range trials {
		users = append(users, trial.UserID)
	}

	return strings.Join(users, " ")
}

// inCampaign decides events that a rule for the campaign c, or for the product p, could concern.
func (f fixture) inCampaign(tb testing.TB) {
	tb.Helper()

	earned := purchase("earned", "earned", "100")
	earned.CampaignID = "c"
	earned.ProductID = "p"

	lead := purchase("lead", "lead", "100") // earns nothing: there is no rule for leads
	lead.Type = eventtype.Lead
	lead.CampaignID = "c"

	ofProduct := lead
	ofProduct.ID = "of-product"
	ofProduct.UserID = "of-product"
	ofProduct.CampaignID = ""
	ofProduct.ProductID = "p"

	before := earned
	before.ID = "before"
	before.UserID = "before"
	before.OccurredAt = november().From.AddDate(0, 0, -1)

	other := earned
	other.ID = "other"
	other.UserID = "other"
	other.CampaignID = "other"
	other.ProductID = "other"

	back := refund("back", "earned", "earned", "10")
	back.CampaignID = "c"

	waiting := refund("waiting", "waiting", "nothing", "10")
	waiting.CampaignID = "c"
	f.decide(tb, earned, lead, ofProduct, before, other, back, waiting)
}

// A trial for a campaign, or a product, finds the events that earned and those that earned nothing,
// and reads none of the others.
func TestATrialForACampaignReadsWhatCanChange(t *testing.T) {
	t.Parallel()

	const others = 3_000

	for name, c := range map[string]struct {
		scope rule.Scope
		want  string
	}{
		"a campaign":         {rule.Scope{EventType: eventtype.Purchase, CampaignID: "c"}, "earned"},
		"a product":          {rule.Scope{EventType: eventtype.Purchase, ProductID: "p"}, "earned"},
		"leads of campaigns": {rule.Scope{EventType: eventtype.Lead, CampaignID: "c"}, "lead"},
		"leads of products":  {rule.Scope{EventType: eventtype.Lead, ProductID: "p"}, "of-product"},
		"nothing":            {rule.Scope{EventType: eventtype.Lead, CampaignID: "none"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			f.inCampaign(t)
			f.sold(t, others/10, 10)
			f.db.Pool.Close()

			before := f.reads(t)

			pool, err := pgxpool.New(t.Context(), f.db.URL)
			if err != nil {
				t.Fatal(err)
			}

			got := f.triedOut(t, postgres.New(pool), c.scope)
			pool.Close()

			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}

			for i, table := range f.reads(t) {
				read := table.scanned + table.fetched - before[i].scanned - before[i].fetched
				if read > 40 {
					t.Errorf("%s: %d rows read beside %d of others", table.name, read, others)
				}
			}
		})
	}
}

// BenchmarkWhatIfOfCampaign tries a rule for a campaign of 7 events beside a million others, of
// which none, or one in ten, has earned nothing.
func BenchmarkWhatIfOfCampaign(b *testing.B) {
	for _, unearned := range []int{0, 10} {
		b.Run(fmt.Sprintf("unearned-%d%%", unearned), func(b *testing.B) {
			f, _ := programme(b)
			f.inCampaign(b)

			if unearned > 0 {
				f.unearn(b, unearned)
			}

			for b.Loop() {
				scope := rule.Scope{EventType: eventtype.Lead, CampaignID: "c"}
				if got := f.triedOut(b, f.store, scope); got != "lead" {
					b.Fatal(got)
				}
			}
		})
	}
}

// unearn has a part of the purchases earn nothing.
func (f fixture) unearn(tb testing.TB, percent int) {
	tb.Helper()

	for _, sql := range []string{
		`SET session_replication_role = replica`,
		fmt.Sprintf(`UPDATE decisions SET outcome = 'not_commissioned', reason = 'no_rule',
    rule_id = NULL, rule_version = NULL, commission_id = NULL
    WHERE event_id LIKE 'e-%%' AND hashtext(event_id) %% 100 BETWEEN 0 AND %d`, 2*percent-1),
		`DELETE FROM commissions AS c USING decisions AS d
    WHERE d.event_id = c.event_id AND d.outcome = 'not_commissioned'`,
		`SET session_replication_role = origin`,
		`CLUSTER decisions USING decisions_pkey`, // among the others
		`VACUUM ANALYZE decisions`,
		`VACUUM ANALYZE commissions`,
	} {
		if _, err := f.owner.Exec(tb.Context(), sql); err != nil {
			tb.Fatalf("%s: %v", sql, err)
		}
	}
}
