package commandtest

import (
	"context"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/rule"
)

// Rules returns all published versions.
func (s *Store) Rules(context.Context) (*rule.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.rules, nil
}

// PublishRule implements command.Rules.
func (s *Store) PublishRule(
	_ context.Context,
	request change.Request,
	fn command.RuleChange,
) error {
	return s.Once(request, func() (change.Outcome, error) {
		made, outcome, err := fn(s.rules)
		if err == nil {
			s.keep(append(s.rules.All(), made))
		}

		return outcome, err
	})
}

// RetireRule implements command.Rules.
func (s *Store) RetireRule(
	_ context.Context,
	request change.Request,
	fn command.RuleChange,
) error {
	return s.Once(request, func() (change.Outcome, error) {
		retired, outcome, err := fn(s.rules)
		if err != nil {
			return outcome, err
		}

		versions := s.rules.All()
		for i, version := range versions {
			if version.ID() == retired.ID() {
				after := version.Snapshot()
				after.RetiredAt = retired.Snapshot().RetiredAt
				versions[i] = rule.Restore(after)
			}
		}

		s.keep(versions)

		return outcome, nil
	})
}

// keep puts the next revision of the rules in force.
func (s *Store) keep(versions []rule.Rule) {
	s.rules = rule.NewSet(s.rules.Revision()+1, versions)
	s.revisions[s.rules.Revision()] = s.rules
}

// RulesAt returns the rules at a revision that there was.
func (s *Store) RulesAt(_ context.Context, revision int64) (*rule.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.revisions[revision], nil
}

// Known implements change.Journal.
func (s *Store) Known(_ context.Context, request change.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.known(request)
}

// Note implements change.Journal.
func (s *Store) Note(
	_ context.Context,
	request change.Request,
	record change.Record,
	result any,
) error {
	return s.Once(request, func() (change.Outcome, error) {
		return request.Outcome(record, effect.Effect{}, result)
	})
}
