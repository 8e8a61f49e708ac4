package decision

// Outcome is what became of an event.
type Outcome string

// The outcomes.
const (
	Commissioned    Outcome = "commissioned"
	NotCommissioned Outcome = "not_commissioned"
	Parked          Outcome = "parked" // waits for the event that it takes back
)

// Reason is the stable code of why an event was decided as it was.
type Reason string

// The reasons; docs/reason-codes.md explains each.
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

// Meaning is one sentence for people; the documentation of the reasons is made of it.
func (r Reason) Meaning() string {
	switch r {
	case RuleApplied:
		return "A rule applied and gave a commission."
	case RuleAppliedAtMaximum:
		return "A rule applied; its maximum for one event limited the commission."
	case RuleAppliedAtCap:
		return "A rule applied; what was left of its cap for the period limited the commission."
	case ClawedBack:
		return "A refund, void or chargeback took back all or a part of an earlier commission."
	case NoRule:
		return "No rule was in force for such an event when it occurred."
	case CurrencyMismatch:
		return "Rules exist for such an event, but not in its currency; or a reversal names " +
			"another currency than its original."
	case CurrencyUnknown:
		return "The currency is no ISO 4217 code that was in use when the event occurred."
	case AmountMissing:
		return "A sale or purchase without an amount."
	case AmountInvalid:
		return "The amount is no decimal number of major units, is negative, or has more digits " +
			"than its currency."
	case AmountOutOfRange:
		return "The commission, or the volume that its rule counts, would be beyond what can be represented."
	case BelowMinimum:
		return "The amount is less than the smallest that the rule rewards."
	case CapReached:
		return "The user had reached the rule's cap for the period before the event."
	case ZeroCommission:
		return "A rule applied, and its commission is 0 or rounds to 0."
	case DuplicateOrder:
		return "Another sale or purchase of this user already took the same order."
	case SelfReferral:
		return "The metadata says that the user bought from themselves."
	case OriginalNotNamed:
		return "A reversal names neither the event nor the order that it takes back."
	case OriginalUnknown:
		return "The event that is taken back has not arrived; the reversal waits for it."
	case OriginalNotReversible:
		return "The event that is named is itself a refund, void or chargeback."
	case OriginalNotCommissioned:
		return "The event that is taken back had no rule applied to it."
	case OriginalRejected:
		return "The commission that is taken back had been rejected."
	case AlreadyReversed:
		return "Earlier reversals have taken back the whole amount."
	case NothingToClawBack:
		return "The reversal counts, but the commission is the same with and without it."
	}

	return ""
}

// Reasons lists them all.
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
