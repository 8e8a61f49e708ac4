package rule

import (
	"slices"
	"time"
)

// Account is a period over which the volume and the earnings of a user by a rule add up. It belongs
// to the rule whatever version is in force: a version that adds a cap meets what was earned before.
type Account struct {
	Period Period
	// Since is when the first version was published that looks at the account, and zero where that
	// is the first version of the rule: then the account has been kept from the beginning.
	Since time.Time
}

// Accounts returns the accounts of a rule: those that any of its versions looks at. A rule without
// tiers and caps has none.
func (s *Set) Accounts(ruleID string) []Account { return s.accounts[ruleID] }

// addAccounts adds those of a version; versions come in the order of their numbers.
func (s *Set) addAccounts(r Rule) {
	known := s.accounts[r.ID()]
	add := func(p Period) {
		if slices.ContainsFunc(known, func(a Account) bool { return a.Period == p }) {
			return
		}

		a := Account{Period: p}
		if r.Version() > 1 {
			a.Since = r.def.PublishedAt
		}

		known = append(known, a)
	}

	if r.def.Formula.Kind.Tiered() {
		add(r.def.Formula.Period)
	}

	if r.def.Cap != nil {
		add(r.def.Cap.Period)
	}

	if len(known) > 0 {
		s.accounts[r.ID()] = known
	}
}

// Span is from when, inclusive, to when, exclusive, the period that holds the time lasts. A
// lifetime lasts for all times that an event can have.
func (p Period) Span(at time.Time) (from, to time.Time) {
	at = at.UTC()

	switch p {
	case Daily:
		from = time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 0, 1)
	case Monthly:
		from = time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 1, 0)
	case Lifetime:
	}

	return time.Time{}, time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
}
