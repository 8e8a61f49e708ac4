package query

import (
	"context"

	"tributary/commission/internal/domain/rule"
)

// RuleReader reads rules.
type RuleReader interface {
	// Rules returns all published versions.
	Rules(ctx context.Context) (*rule.Set, error)
}

// Rules reads rules for those who see the data of every user.
type Rules struct{ reader RuleReader }

// NewRules returns the query. It is safe for concurrent use.
func NewRules(reader RuleReader) *Rules { return &Rules{reader: reader} }

// List returns all published versions, by rule and version, and none to a caller who sees only its
// own data.
func (q *Rules) List(ctx context.Context, caller Caller) ([]rule.Rule, error) {
	if !caller.SeesAll() {
		return nil, nil
	}

	set, err := q.reader.Rules(ctx)
	if err != nil {
		return nil, err
	}

	return set.All(), nil
}

// Get returns the versions of a rule, the oldest first. rule.ErrNotFound is returned for an unknown
// rule, and to a caller who sees only its own data.
func (q *Rules) Get(ctx context.Context, caller Caller, id string) ([]rule.Rule, error) {
	if !caller.SeesAll() {
		return nil, rule.ErrNotFound
	}

	set, err := q.reader.Rules(ctx)
	if err != nil {
		return nil, err
	}

	versions := set.Versions(id)
	if len(versions) == 0 {
		return nil, rule.ErrNotFound
	}

	return versions, nil
}
