package rule

import (
	"slices"
	"time"
)

// Account is a period over which the volume and the earnings of a user by a rule add up. It belongs
// to the rule whatever version is in force: a version that adds a cap meets what was earned before.
type Account struct {
	Period Period
	Zone   *time.Location
	// Since is when the first version was published that looks at the account, and zero where that
	// is the first version of the rule: then the account has been kept from the beginning.
	Since time.Time
}

// Label returns the name of the account's period that contains the time.
func (a Account) Label(at time.Time) string { return a.Period.Label(at, a.Zone) }

// Span returns how long that period lasts.
func (a Account) Span(at time.Time) (from, to time.Time) { return a.Period.Span(at, a.Zone) }

// same reports whether the accounts have the same periods; those of a lifetime have no zone.
func (a Account) same(b Account) bool {
	return a.Period == b.Period && (a.Period == Lifetime || a.Zone.String() == b.Zone.String())
}

// Accounts returns the accounts of a rule: those that any of its versions looks at. A rule without
// tiers and caps has none.
func (s *Set) Accounts(ruleID string) []Account { return s.accounts[ruleID] }

// addAccounts adds those of a version; versions come in the order of their numbers.
func (s *Set) addAccounts(r Rule) {
	known := s.accounts[r.ID()]
	add := func(p Period) {
		a := Account{Period: p, Zone: r.snapshot.Zone()}
		if slices.ContainsFunc(known, a.same) {
			return
		}

		if r.Version() > 1 {
			a.Since = r.snapshot.PublishedAt
		}

		known = append(known, a)
	}

	if volume := r.snapshot.Formula.Volume(); volume != "" {
		add(volume)
	}

	if r.snapshot.Cap != nil {
		add(r.snapshot.Cap.Period)
	}

	if len(known) > 0 {
		s.accounts[r.ID()] = known
	}
}
