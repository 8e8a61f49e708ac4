package postgres_test

import (
	"errors"
	"regexp"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// given returns the parameters of the names.
func given(t *testing.T, names []rule.Parameter) rule.Parameters {
	t.Helper()

	var p rule.Parameters
	for _, name := range names {
		switch name {
		case rule.ParameterRate:
			p.Rate = new(share(t, "0.1"))
		case rule.ParameterAmount:
			p.Amount = new(share(t, "0.025"))
		case rule.ParameterTiers:
			p.Tiers = []rule.Tier{{From: 0, Rate: share(t, "0.1")}, {From: 100, Rate: share(t, "0.2")}}
		case rule.ParameterPeriod:
			p.Period = rule.Monthly
		}
	}

	return p
}

// The table of rules takes every formula with exactly its parameters, and returns it.
func TestEveryFormulaIsStored(t *testing.T) {
	t.Parallel()
	f := setup(t)

	for i, form := range rule.Forms() {
		f.publish(t, rule.Snapshot{
			Scope:    rule.Scope{EventType: eventtype.Sale},
			Currency: money.USD(),
			Formula:  rule.NewFormula(form.Kind, given(t, form.Takes)),
			Priority: 100 + i,
		})
	}

	set, err := f.store.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	for i, form := range rule.Forms() {
		found := slices.IndexFunc(set.All(), func(r rule.Rule) bool {
			return r.Snapshot().Priority == 100+i
		})
		if found < 0 {
			t.Fatalf("no rule of kind %s", form.Kind)
		}

		stored := set.All()[found].Snapshot().Formula
		for _, name := range rule.AllParameters() {
			has := stored.Parameters().Has(name)
			if stored.Kind() != form.Kind || has != slices.Contains(form.Takes, name) {
				t.Errorf("%s came back as %s, with %s: %t", form.Kind, stored.Kind(), name, has)
			}
		}

		f.refusesOthers(t, form)
	}
}

// refusesOthers tries to store the formula without each of its parameters, and with each other.
func (f fixture) refusesOthers(t *testing.T, form rule.Form) {
	t.Helper()

	for _, name := range rule.AllParameters() {
		wrong := slices.DeleteFunc(slices.Clone(form.Takes), func(p rule.Parameter) bool { return p == name })
		if len(wrong) == len(form.Takes) {
			wrong = append(wrong, name)
		}

		p := given(t, wrong)

		var (
			from  []int64
			rates []string
		)
		for _, tier := range p.Tiers {
			from, rates = append(from, tier.From), append(rates, tier.Rate.String())
		}

		text := func(r *money.Rate) *string {
			if r == nil {
				return nil
			}

			return new(r.String())
		}

		_, err := f.owner.Exec(t.Context(), `INSERT INTO rules (rule_id, version, name, event_type,
			currency, kind, rate, flat_amount, tier_from_minor, tier_rates, tier_period,
			effective_from, revision)
			VALUES (gen_random_uuid(), 1, 'x', 'sale', 'USD', $1, $2, $3, $4, $5, nullif($6, ''), now(), 1)`,
			string(form.Kind), text(p.Rate), text(p.Amount), from, rates, string(p.Period))
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok ||
			refused.Code != "23514" {
			t.Errorf("%s with %v: %v", form.Kind, wrong, err)
		}
	}
}

// The kinds that the table of rules allows are those of the domain.
func TestTheKindsOfTheTable(t *testing.T) {
	t.Parallel()
	f := setup(t)

	var check string
	if err := f.owner.QueryRow(t.Context(), `SELECT pg_get_constraintdef(oid) FROM pg_constraint
		WHERE conname = 'rules_kind_check'`).Scan(&check); err != nil {
		t.Fatal(err)
	}

	var kinds []string
	for _, match := range regexp.MustCompile(`'(\w+)'`).FindAllStringSubmatch(check, -1) {
		kinds = append(kinds, match[1])
	}

	var want []string
	for _, form := range rule.Forms() {
		want = append(want, string(form.Kind))
	}

	if !slices.Equal(kinds, want) {
		t.Errorf("the table allows %v, the domain has %v", kinds, want)
	}
}
