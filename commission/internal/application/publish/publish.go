// Package publish (application) publishes versions of rules and retires rules. A published version
// never changes.
package publish

import (
	"context"
	"fmt"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
)

// Store keeps rules.
type Store interface {
	// Rules returns all published versions.
	Rules(ctx context.Context) (*rule.Set, error)
	// Publish stores the version that build returns for the current rules, with its audit row, in
	// one transaction that excludes other publishers. It returns the faults of build,
	// idempotency_key_reused, and a *change.ReplayedError for a repetition.
	Publish(
		ctx context.Context,
		request change.Request,
		build func(*rule.Set) (rule.Rule, error),
	) (rule.Rule, error)
	// Retire ends all versions of a rule at the time, with its audit row, in the same way. It
	// returns the faults rule_not_found and rule_retired.
	Retire(
		ctx context.Context,
		request change.Request,
		ruleID string,
		at time.Time,
	) (rule.Rule, error)
}

// Handler publishes and retires rules. It is safe for concurrent use.
type Handler struct {
	store Store
	newID func() string
}

// New returns a handler. newID returns unique ids.
func New(store Store, newID func() string) *Handler { return &Handler{store: store, newID: newID} }

// Publish checks the definition and stores it as the first version of a new rule, or as the next
// version of the rule that it names. A version that would tie with a version of another rule is
// refused with code rule_conflict, naming those rules, and one for the publisher's own earnings
// with own_gain_refused.
func (h *Handler) Publish(
	ctx context.Context,
	request change.Request,
	def rule.Definition,
) (rule.Rule, error) {
	id := h.newID()

	return h.store.Publish(ctx, request, func(set *rule.Set) (rule.Rule, error) {
		made, err := Build(set, def, Terms{NewID: id, Now: request.Now})
		if err != nil {
			return rule.Rule{}, err
		}

		return made, request.CheckGain(made.Definition().Scope.UserID)
	})
}

// Terms are what a version needs beside its definition.
type Terms struct {
	NewID string // for a new rule
	// when it is published; it takes effect then unless the definition says otherwise
	Now time.Time
}

// Build returns the version that publishing the definition among the rules creates, or the fault
// that prevents it.
func Build(set *rule.Set, def rule.Definition, terms Terms) (rule.Rule, error) {
	def.PublishedAt = terms.Now
	if def.EffectiveFrom.IsZero() {
		def.EffectiveFrom = terms.Now
	}

	if def.ID == "" {
		def.ID, def.Version = terms.NewID, 1
	} else if err := nextVersion(set, &def); err != nil {
		return rule.Rule{}, err
	}

	valid, err := rule.New(def)
	if err != nil {
		return rule.Rule{}, err
	}

	return valid, Conflict(set.Conflicts(valid))
}

// nextVersion numbers a version of a known rule. Event type, scope and currency identify a rule.
func nextVersion(set *rule.Set, def *rule.Definition) error {
	versions := set.Versions(def.ID)
	if len(versions) == 0 {
		return rule.ErrNotFound
	}

	last := versions[len(versions)-1].Definition()
	if !last.RetiredAt.IsZero() {
		return rule.ErrRetired
	}

	if last.Scope != def.Scope || last.Currency != def.Currency {
		return fault.Fields{{
			Field:   "rule_id",
			Code:    rule.ErrScopeChanged,
			Message: "must not change event type, scope or currency of the rule; publish a new rule",
		}}.Err()
	}

	def.Version = last.Version + 1

	return nil
}

// Conflict returns nil if there are no ties, and otherwise a fault that names every rule that ties.
func Conflict(ties []rule.Rule) error {
	var faults fault.Fields
	for _, tie := range ties {
		faults.Add(
			"priority",
			rule.ErrTie,
			fmt.Sprintf(
				"ties with version %d of rule %s (%s): change the priority, the scope or the period",
				tie.Version(),
				tie.ID(),
				tie.Definition().Name,
			),
		)
	}

	if len(faults) == 0 {
		return nil
	}

	return rule.ErrConflict.New(
		"For some events neither this version nor those in errors would take precedence.",
		faults...)
}

// Retire ends a rule at the time, which must not be in the past: earlier decisions stay right.
func (h *Handler) Retire(
	ctx context.Context,
	request change.Request,
	ruleID string,
	at time.Time,
) (rule.Rule, error) {
	var faults fault.Fields
	if f, ok := fault.As(commission.CheckReason(request.Reason)); ok {
		faults = append(faults, f.Fields...)
	}

	if at.IsZero() {
		at = request.Now
	}

	if at.Before(request.Now) {
		faults.Add("retired_at", rule.ErrPast, "must not be in the past")
	}

	if err := faults.Err(); err != nil {
		return rule.Rule{}, err
	}

	// a rule's scope never changes, and a rule of one's own may stand before a better common one
	set, err := h.store.Rules(ctx)
	if err != nil {
		return rule.Rule{}, err
	}

	for _, version := range set.Versions(ruleID) {
		if err := request.CheckGain(version.Definition().Scope.UserID); err != nil {
			return rule.Rule{}, err
		}
	}

	return h.store.Retire(ctx, request, ruleID, at.UTC().Truncate(time.Microsecond))
}
