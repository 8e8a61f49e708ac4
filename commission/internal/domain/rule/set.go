package rule

import (
	"cmp"
	"slices"
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// Verdict says why a version was or was not selected.
type Verdict string

// Verdicts, in the order in which they are tested.
const (
	Selected        Verdict = "selected"
	OtherCampaign   Verdict = "other_campaign"
	OtherProduct    Verdict = "other_product"
	NotYetInForce   Verdict = "not_yet_in_force"
	NoLongerInForce Verdict = "no_longer_in_force"
	Retired         Verdict = "retired"
	OtherCurrency   Verdict = "other_currency"
	Superseded      Verdict = "superseded"     // a newer version of the same rule is in force
	LessSpecific    Verdict = "less_specific"  // a rule with a narrower scope is in force
	LowerPriority   Verdict = "lower_priority" // equally narrow, with a lower priority
)

// Set contains all published versions at a revision. It is immutable and safe for concurrent use.
type Set struct {
	revision int64
	shared   map[eventtype.Type][]Rule // without a user
	personal map[personalScope][]Rule  // with a user
	byRef    map[Ref]Rule
	accounts map[string][]Account
	all      []Rule
}

type personalScope struct {
	eventType eventtype.Type
	userID    string
}

// Ref identifies a version.
type Ref struct {
	ID      string
	Version int
}

// Ref returns the reference to this version.
func (r Rule) Ref() Ref { return Ref{ID: r.snapshot.ID, Version: r.snapshot.Version} }

// NewSet indexes the versions. revision grows with every publication and retirement.
func NewSet(revision int64, rules []Rule) *Set {
	s := &Set{
		revision: revision,
		shared:   map[eventtype.Type][]Rule{},
		personal: map[personalScope][]Rule{},
		byRef:    map[Ref]Rule{},
		accounts: map[string][]Account{},
		all:      slices.Clone(rules),
	}
	slices.SortFunc(s.all, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(a.ID(), b.ID()), cmp.Compare(a.Version(), b.Version()))
	})

	for _, r := range s.all {
		s.byRef[r.Ref()] = r
		s.addAccounts(r)

		scope := r.snapshot.Scope
		if scope.UserID == "" {
			s.shared[scope.EventType] = append(s.shared[scope.EventType], r)
		} else {
			key := personalScope{scope.EventType, scope.UserID}
			s.personal[key] = append(s.personal[key], r)
		}
	}

	return s
}

// Revision returns the revision of the rules.
func (s *Set) Revision() int64 { return s.revision }

// All returns every version by rule and number.
func (s *Set) All() []Rule { return slices.Clone(s.all) }

// Find returns a version.
func (s *Set) Find(ref Ref) (Rule, bool) {
	r, ok := s.byRef[ref]
	return r, ok
}

// Select returns the version that applies to the event in the currency: the most specific in force,
// then the one with the highest priority. Without one, otherCurrency reports whether a rule
// would have applied in another currency.
func (s *Set) Select(
	e event.Event,
	currency money.Currency,
) (winner Rule, found, otherCurrency bool) {
	snapshot := e.Snapshot()
	for _, list := range [][]Rule{
		s.personal[personalScope{snapshot.Type, snapshot.UserID}],
		s.shared[snapshot.Type],
	} {
		for i, r := range list {
			verdict := r.matches(snapshot, currency)

			otherCurrency = otherCurrency || verdict == OtherCurrency
			if verdict == Selected && !superseded(list[i+1:], r, snapshot, currency) &&
				(!found || r.beats(winner) == Selected) {
				winner, found = r, true
			}
		}
	}

	return winner, found, otherCurrency && !found
}

// superseded reports whether a later version of r matches too. later starts with the version after
// r, in order of rule and version.
func superseded(later []Rule, r Rule, snapshot event.Snapshot, currency money.Currency) bool {
	for _, next := range later {
		if next.ID() != r.ID() {
			return false
		}

		if next.matches(snapshot, currency) == Selected {
			return true
		}
	}

	return false
}

// Candidate is a version that was considered for an event, with the verdict.
type Candidate struct {
	Rule    Rule
	Verdict Verdict
}

// Consider returns every version for the type of event with its verdict; the version that Select
// returns is Selected. Rules for other users are left out, since the user may not see them.
func (s *Set) Consider(e event.Event, currency money.Currency) []Candidate {
	winner, found, _ := s.Select(e, currency)

	var out []Candidate
	for i, r := range s.all {
		if r.snapshot.Scope.EventType != e.Type() ||
			(r.snapshot.Scope.UserID != "" && r.snapshot.Scope.UserID != e.UserID()) {
			continue
		}

		verdict := r.matches(e.Snapshot(), currency)
		switch {
		case verdict != Selected || !found || r.Ref() == winner.Ref():
		case superseded(s.all[i+1:], r, e.Snapshot(), currency):
			verdict = Superseded
		default:
			verdict = r.beats(winner)
		}

		out = append(out, Candidate{Rule: r, Verdict: verdict})
	}

	return out
}

// matches reports whether the version could apply to the event at all.
func (r Rule) matches(snapshot event.Snapshot, currency money.Currency) Verdict {
	scope, at := r.snapshot.Scope, snapshot.OccurredAt
	switch {
	case scope.CampaignID != "" && scope.CampaignID != snapshot.CampaignID:
		return OtherCampaign
	case scope.ProductID != "" && scope.ProductID != snapshot.ProductID:
		return OtherProduct
	case at.Before(r.snapshot.EffectiveFrom):
		return NotYetInForce
	case !r.snapshot.EffectiveTo.IsZero() && !at.Before(r.snapshot.EffectiveTo):
		return NoLongerInForce
	case !r.snapshot.RetiredAt.IsZero() && !at.Before(r.snapshot.RetiredAt):
		return Retired
	case r.snapshot.Currency.Valid() && r.snapshot.Currency != currency:
		return OtherCurrency
	}

	return Selected
}

// beats returns Selected if r precedes other, a version of another rule that matches the same
// event, and otherwise the reason why not.
func (r Rule) beats(other Rule) Verdict {
	mine, theirs := r.snapshot.Scope.specificity(), other.snapshot.Scope.specificity()
	if mine != theirs {
		if mine > theirs {
			return Selected
		}

		return LessSpecific
	}

	if r.snapshot.Priority > other.snapshot.Priority ||
		(r.snapshot.Priority == other.snapshot.Priority && r.ID() < other.ID()) {
		return Selected
	}

	return LowerPriority
}

// Conflicts returns the versions of other rules that would tie with the candidate for some event:
// the same scope and priority, a common currency, and a time at which both are in force and neither
// is superseded by a newer version of its own rule.
func (s *Set) Conflicts(candidate Rule) []Rule {
	var out []Rule
	for i, r := range s.all {
		if r.ID() == candidate.ID() || r.snapshot.Scope != candidate.snapshot.Scope ||
			r.snapshot.Priority != candidate.snapshot.Priority {
			continue
		}

		common := r.snapshot.Currency == candidate.snapshot.Currency || !r.snapshot.Currency.Valid() ||
			!candidate.snapshot.Currency.Valid()
		if common && meet(s.all[i+1:], r, candidate) {
			out = append(out, r)
		}
	}

	return out
}

// meet looks for the first time at which both are in force and no newer version of r is. later
// starts with the version after r, in order of rule and version.
func meet(later []Rule, r, candidate Rule) bool {
	at := r.snapshot.EffectiveFrom
	if candidate.snapshot.EffectiveFrom.After(at) {
		at = candidate.snapshot.EffectiveFrom
	}

	for i := 0; i < len(later) && later[i].ID() == r.ID(); i++ {
		next := later[i]
		if at.Before(next.snapshot.EffectiveFrom) || !startsBefore(at, next.end()) {
			continue
		}

		if next.end().IsZero() {
			return false
		}

		at, i = next.end(), -1 // another version may be in force by then
	}

	return startsBefore(at, r.end()) && startsBefore(at, candidate.end())
}

func startsBefore(start, end time.Time) bool { return end.IsZero() || start.Before(end) }

// Versions returns the versions of a rule by number. There are none for an unknown rule.
func (s *Set) Versions(id string) []Rule {
	var out []Rule
	for _, r := range s.all {
		if r.ID() == id {
			out = append(out, r)
		}
	}

	return out
}

// With returns the set with one more version, for a trial. The set itself does not change.
func (s *Set) With(r Rule) *Set { return NewSet(s.revision, append(s.All(), r)) }
