package rule

import "tributary/platform/fault"

var (
	ErrNotFound = fault.Define(
		fault.NotFound,
		"rule_not_found",
		"The rule does not exist.",
	)
	ErrConflict = fault.Define(
		fault.Conflict,
		"rule_conflict",
		"The version would tie with versions of other rules, which errors names. Change its "+
			"priority, scope or period.",
	)
	ErrRetired = fault.Define(
		fault.Conflict,
		"rule_retired",
		"The rule is retired. Publish a new rule.",
	)
)

// The codes of fields of rules.
var (
	ErrRateAboveOne = fault.DefineField(
		"rate_above_one",
		"is more than 1, which is 100 %; set allow_rate_above_one if that is intended",
	)
	ErrTiers = fault.DefineField(
		"tiers_invalid",
		"must be 1 to 50 tiers with rising thresholds, the first from 0",
	)
	ErrTie = fault.DefineField(
		"tie",
		"ties with a version of another rule",
	)
	ErrPast = fault.DefineField(
		"in_the_past",
		"must not be in the past",
	)
	ErrScopeChanged = fault.DefineField(
		"scope_changed",
		"must not change event type, scope or currency of the rule; publish a new rule",
	)
)
