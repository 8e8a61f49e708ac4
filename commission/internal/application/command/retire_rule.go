package command

import (
	"context"
	"fmt"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
)

// RetireRule ends rules.
type RetireRule struct{ rules Rules }

// NewRetireRule returns the handler. It is safe for concurrent use.
func NewRetireRule(rules Rules) *RetireRule { return &RetireRule{rules: rules} }

// Handle ends all versions of the rule at the time, or now if it is zero. It must not be in the
// past: earlier decisions stay right. Handle returns the faults of rule.Set.Retire and
// Rules.RetireRule, change.ErrOwnGain for a rule of the actor's own earnings, and
// fault.ErrValidation for a time in the past or a reason that is not one.
func (h *RetireRule) Handle(
	ctx context.Context,
	request change.Request,
	ruleID string,
	at time.Time,
) (rule.Rule, error) {
	if at.IsZero() {
		at = request.Now
	}

	at = at.UTC().Truncate(time.Microsecond)

	if err := checkRetirement(request, at); err != nil {
		return rule.Rule{}, err
	}

	var retired rule.Rule

	err := h.rules.RetireRule(
		ctx,
		request,
		func(set *rule.Set) (_ rule.Rule, _ change.Outcome, err error) {
			// a rule of the actor's own may stand before a better common one
			for _, version := range set.Versions(ruleID) {
				if err := request.CheckGain(version.Snapshot().Scope.UserID); err != nil {
					return rule.Rule{}, change.Outcome{}, err
				}
			}

			retired, err = set.Retire(ruleID, at)
			if err != nil {
				return rule.Rule{}, change.Outcome{}, err
			}

			outcome, err := request.Outcome(change.Record{
				Action:      "retire",
				SubjectType: "rule",
				SubjectID:   ruleID,
				After:       fmt.Sprintf(`{"retired_at":%q}`, at.Format(time.RFC3339Nano)),
			}, effect.Effect{}, retired)

			return retired, outcome, err
		},
	)

	return retired, err
}

func checkRetirement(request change.Request, at time.Time) error {
	var faults fault.Fields
	if f, ok := fault.As(commission.CheckReason(request.Reason)); ok {
		faults = append(faults, f.Fields...)
	}

	if at.Before(request.Now) {
		faults.Add("retired_at", rule.ErrPast, "must not be in the past")
	}

	return faults.Err()
}
