package rule

import "tributary/platform/fault"

// The faults of changes of rules.
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
