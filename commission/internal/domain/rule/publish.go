package rule

import (
	"fmt"
	"time"

	"tributary/platform/fault"
)

// Publication is what a version depends on beside its content and the rules that there are.
type Publication struct {
	NewID string // for a new rule
	// when it is published; it takes effect then unless the content says otherwise
	Now time.Time
}

// Next returns the version that publishing the content creates: the first one of a new rule, or
// the next one of the rule that it names, which exists and is not retired. A version that would tie
// with a version of another rule is refused by ErrConflict, naming those rules.
func (s *Set) Next(snapshot Snapshot, p Publication) (Rule, error) {
	snapshot.PublishedAt = p.Now
	if snapshot.EffectiveFrom.IsZero() {
		snapshot.EffectiveFrom = p.Now
	}

	if snapshot.ID == "" {
		snapshot.ID, snapshot.Version = p.NewID, 1
	} else if err := s.number(&snapshot); err != nil {
		return Rule{}, err
	}

	valid, err := New(snapshot)
	if err != nil {
		return Rule{}, err
	}

	return valid, conflict(s.Conflicts(valid))
}

// number numbers a version of a known rule. Event type, scope and currency identify a rule.
func (s *Set) number(snapshot *Snapshot) error {
	versions := s.Versions(snapshot.ID)
	if len(versions) == 0 {
		return ErrNotFound
	}

	last := versions[len(versions)-1].Snapshot()
	if !last.RetiredAt.IsZero() {
		return ErrRetired
	}

	if last.Scope != snapshot.Scope || last.Currency != snapshot.Currency {
		return fault.Fields{{
			Field:   "rule_id",
			Code:    ErrScopeChanged,
			Message: "must not change event type, scope or currency of the rule; publish a new rule",
		}}.Err()
	}

	snapshot.Version = last.Version + 1

	return nil
}

// conflict returns nil if there are no ties, and otherwise a fault that names every rule that ties.
func conflict(ties []Rule) error {
	var faults fault.Fields
	for _, tie := range ties {
		faults.Add(
			"priority",
			ErrTie,
			fmt.Sprintf(
				"ties with version %d of rule %s (%s): change the priority, the scope or the period",
				tie.Version(),
				tie.ID(),
				tie.Snapshot().Name,
			),
		)
	}

	if len(faults) == 0 {
		return nil
	}

	return ErrConflict.New(
		"For some events neither this version nor those in errors would take precedence.",
		faults...)
}

// Retire returns the last version of the rule with the time at which all its versions end. It
// returns ErrNotFound for an unknown rule and ErrRetired for one that is retired.
func (s *Set) Retire(id string, at time.Time) (Rule, error) {
	versions := s.Versions(id)
	if len(versions) == 0 {
		return Rule{}, ErrNotFound
	}

	last := versions[len(versions)-1].Snapshot()
	if !last.RetiredAt.IsZero() {
		return Rule{}, ErrRetired.New("The rule is already retired.")
	}

	last.RetiredAt = at

	return Restore(last), nil
}
