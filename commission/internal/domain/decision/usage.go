package decision

import (
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// UsageKey identifies an account of volume and earnings of a user by a rule in a period.
type UsageKey struct {
	UserID   string
	RuleID   string
	Currency money.Currency
	Period   string
}

// Usage is the state of such an account, in minor units.
type Usage struct {
	Volume int64
	Earned int64
}

// UsageSpan is what an account of tiers or a cap adds up.
type UsageSpan struct {
	From, To time.Time // the period, without its end
	// The account may have been in use before it was kept: while it is missing, it stands at what
	// the decisions of the period add up to, and not at zero.
	Derived bool
}

// keptAfter is how long after the publication of a version an account may still miss decisions:
// clocks differ, and events may occur some minutes ahead.
const keptAfter = 24 * time.Hour

// addSpans adds the accounts that the decision may change.
func addSpans(keys map[UsageKey]UsageSpan, d Decision, rules *rule.Set) {
	for i, key := range UsageKeys(d, rules) {
		kept := rules.Accounts(d.Rule.ID)[i]
		from, to := kept.Span(d.Event.OccurredAt())
		keys[key] = UsageSpan{
			Derived: !kept.Since.IsZero() && from.Before(kept.Since.Add(keptAfter)),
			From:    from,
			To:      to,
		}
	}
}

// UsageKeys returns the accounts that a decision changes if its rule applies. There are none if no
// version of the rule has tiers or a cap.
func UsageKeys(d Decision, rules *rule.Set) []UsageKey {
	accounts := rules.Accounts(d.Rule.ID)
	if len(accounts) == 0 {
		return nil
	}

	keys := make([]UsageKey, len(accounts))
	for i, a := range accounts {
		keys[i] = d.usageKey(a.Label(d.Event.OccurredAt()))
	}

	return keys
}

// releaseEarning removes what is left of an earning from the accounts of tiers and caps: a rejected
// commission does not count.
func (a *Accounts) releaseEarning(e event.Event, rules *rule.Set) {
	o := a.known(Ref{e.UserID(), e.ID()})
	if o == nil {
		return
	}

	for key, change := range o.release(rules) {
		a.change(key, change)
	}
}

// Released returns how the accounts of tiers and caps change if the commissions of the events are
// rejected: what is left of their earnings does not count.
func Released(rejected []Original, rules *rule.Set) map[UsageKey]Usage {
	changes := map[UsageKey]Usage{}
	for _, o := range rejected {
		for key, change := range o.release(rules) {
			changes[key] = sum(changes[key], change)
		}
	}

	return changes
}

// release returns the changes of a single event.
func (o Original) release(rules *rule.Set) map[UsageKey]Usage {
	if o.Decision.Reason == AmountOutOfRange {
		return nil // nothing of it is in the accounts
	}

	applied, ok := rules.Find(o.Decision.Rule)
	if !ok {
		return nil
	}

	remaining, earned := o.Decision.Base.Minor()-o.Reversed, int64(0)
	if remaining > 0 || o.Times == 0 {
		left, err := applied.Commission(o.input(remaining))
		if err != nil {
			return nil // in that case nothing was added to the accounts
		}

		earned = left.Result.Minor()
	}

	changes := map[UsageKey]Usage{}
	for _, key := range UsageKeys(o.Decision, rules) {
		changes[key] = Usage{Volume: -rewarded(applied, remaining), Earned: -earned}
	}

	return changes
}

// rewarded returns the part of a base that counts as volume: a base below the rule's minimum does
// not count.
func rewarded(applied rule.Rule, base int64) int64 {
	if base < applied.Snapshot().MinimumBase {
		return 0
	}

	return base
}

// add records a change in the accounts of the earning.
func (a *Accounts) add(earning Decision, rules *rule.Set, change Usage) {
	for _, key := range UsageKeys(earning, rules) {
		a.change(key, change)
	}
}

func (a *Accounts) change(key UsageKey, change Usage) {
	a.usage[key] = sum(a.readUsage(key), change)
	a.deltas[key] = sum(a.deltas[key], change)
}

func (a *Accounts) readUsage(key UsageKey) Usage {
	usage, loaded := a.usage[key]
	if !loaded && !a.whole {
		a.missing("the account of user %s by rule %s in %s", key.UserID, key.RuleID, key.Period)
	}

	return usage
}

func sum(a, b Usage) Usage {
	return Usage{
		Volume: money.AddSaturated(a.Volume, b.Volume),
		Earned: money.AddSaturated(a.Earned, b.Earned),
	}
}

// Changes returns what the run added to accounts of usage.
func (a *Accounts) Changes() map[UsageKey]Usage { return a.deltas }
