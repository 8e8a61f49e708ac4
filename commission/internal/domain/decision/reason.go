package decision

// Outcome is the outcome of a decision.
type Outcome string

const (
	Commissioned    Outcome = "commissioned"
	NotCommissioned Outcome = "not_commissioned"
	Parked          Outcome = "parked" // waits for the event that it reverses
)

// Reason is the stable code of the reason of a decision.
type Reason string

// Reasons. docs/reason-codes.md explains each.
const (
	RuleApplied             Reason = "rule_applied"
	RuleAppliedAtMaximum    Reason = "rule_applied_at_maximum"
	RuleAppliedAtCap        Reason = "rule_applied_at_cap"
	ClawedBack              Reason = "clawed_back"
	NoRule                  Reason = "no_rule"
	CurrencyMismatch        Reason = "currency_mismatch"
	CurrencyUnknown         Reason = "currency_unknown"
	AmountMissing           Reason = "amount_missing"
	AmountInvalid           Reason = "amount_invalid"
	AmountOutOfRange        Reason = "amount_out_of_range"
	BelowMinimum            Reason = "below_minimum"
	CapReached              Reason = "cap_reached"
	ZeroCommission          Reason = "zero_commission"
	DuplicateOrder          Reason = "duplicate_order"
	SelfReferral            Reason = "self_referral"
	OriginalNotNamed        Reason = "original_not_named"
	OriginalUnknown         Reason = "original_unknown"
	OriginalNotReversible   Reason = "original_not_reversible"
	OriginalNotCommissioned Reason = "original_not_commissioned"
	OriginalRejected        Reason = "original_rejected"
	AlreadyReversed         Reason = "already_reversed"
	NothingToClawBack       Reason = "nothing_to_claw_back"
)

// Meaning returns one sentence for people. The documentation of the reasons is generated from it.
func (r Reason) Meaning() string {
	switch r {
	case RuleApplied:
		return "A rule applied, and the event earned a commission."
	case RuleAppliedAtMaximum:
		return "A rule applied; its maximum for one event limited the commission."
	case RuleAppliedAtCap:
		return "A rule applied; the remainder of its cap for the period limited the commission."
	case ClawedBack:
		return "A refund, void or chargeback reversed an earlier commission in whole or in part."
	case NoRule:
		return "No rule was in force for such an event when it occurred."
	case CurrencyMismatch:
		return "Rules exist for such an event, but not in its currency; or a reversal names " +
			"another currency than its original."
	case CurrencyUnknown:
		return "The currency is not an ISO 4217 code that was in use when the event occurred."
	case AmountMissing:
		return "The sale or purchase has no amount."
	case AmountInvalid:
		return "The amount is not a decimal number of major units, is negative, or has more digits " +
			"than its currency."
	case AmountOutOfRange:
		return "The commission, or the volume that its rule counts, would be beyond what can be " +
			"represented; or a reversal takes such an event back."
	case BelowMinimum:
		return "The amount is below the minimum of the rule."
	case CapReached:
		return "The user had reached the rule's cap for the period before the event."
	case ZeroCommission:
		return "A rule applied, and its commission is 0 or rounds to 0."
	case DuplicateOrder:
		return "Another sale or purchase of this user already took the same order."
	case SelfReferral:
		return "The metadata says that the user bought from themselves."
	case OriginalNotNamed:
		return "The reversal names neither the event nor the order that it reverses."
	case OriginalUnknown:
		return "The event to reverse has not arrived; the reversal waits for it."
	case OriginalNotReversible:
		return "The event to reverse is itself a refund, void or chargeback."
	case OriginalNotCommissioned:
		return "No rule applied to the event to reverse."
	case OriginalRejected:
		return "The commission to reverse had been rejected."
	case AlreadyReversed:
		return "Earlier reversals have reversed the whole amount."
	case NothingToClawBack:
		return "The reversal counts, but the commission is the same with and without it."
	}

	return ""
}

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{
		RuleApplied,
		RuleAppliedAtMaximum,
		RuleAppliedAtCap,
		ClawedBack,
		NoRule,
		CurrencyMismatch,
		CurrencyUnknown,
		AmountMissing,
		AmountInvalid,
		AmountOutOfRange,
		BelowMinimum,
		CapReached,
		ZeroCommission,
		DuplicateOrder,
		SelfReferral,
		OriginalNotNamed,
		OriginalUnknown,
		OriginalNotReversible,
		OriginalNotCommissioned,
		OriginalRejected,
		AlreadyReversed,
		NothingToClawBack,
	}
}
