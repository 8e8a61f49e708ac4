package command

import (
	"context"
	"fmt"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/rule"
)

// PublishRule publishes versions of rules. A published version never changes.
type PublishRule struct {
	rules Rules
	newID func() string
}

// NewPublishRule returns the handler, which is safe for concurrent use. newID returns unique ids.
func NewPublishRule(rules Rules, newID func() string) *PublishRule {
	return &PublishRule{rules: rules, newID: newID}
}

// Handle stores the snapshot as the first version of a new rule, or as the next version of the
// rule that it names. It returns the faults of rule.Set.Next and Rules.PublishRule, and
// change.ErrOwnGain for a rule of the publisher's own earnings.
func (h *PublishRule) Handle(
	ctx context.Context,
	request change.Request,
	snapshot rule.Snapshot,
) (rule.Rule, error) {
	var (
		published rule.Rule
		id        = h.newID()
	)

	err := h.rules.PublishRule(
		ctx,
		request,
		func(set *rule.Set) (_ rule.Rule, _ change.Outcome, err error) {
			published, err = set.Next(snapshot, rule.Publication{NewID: id, Now: request.Now})
			if err != nil {
				return rule.Rule{}, change.Outcome{}, err
			}

			err = request.CheckGain(published.Snapshot().Scope.UserID)
			if err != nil {
				return rule.Rule{}, change.Outcome{}, err
			}

			outcome, err := request.Outcome(change.Record{
				Action:      "publish",
				SubjectType: "rule",
				SubjectID:   published.ID(),
				After:       fmt.Sprintf(`{"version":%d}`, published.Version()),
			}, effect.Effect{}, published)

			return published, outcome, err
		},
	)

	return published, err
}
