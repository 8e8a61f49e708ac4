package command

import (
	"context"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/rule"
)

// Rules is the repository of rules. Each method is one transaction that excludes other changes of
// rules, and passes fn the current rules. An error of fn stores nothing and is returned. Each
// returns fault.ErrKeyReused if the request's key was used for another request, and a
// *change.ReplayedError for a repetition, without running fn.
type Rules interface {
	// PublishRule stores the version that fn returns, with the outcome.
	PublishRule(ctx context.Context, request change.Request, fn RuleChange) error
	// RetireRule stores when the rule ends: fn returns its last version with that time.
	RetireRule(ctx context.Context, request change.Request, fn RuleChange) error
}

// RuleChange decides about a change of a rule.
type RuleChange func(*rule.Set) (rule.Rule, change.Outcome, error)
