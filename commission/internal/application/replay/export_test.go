package replay

import (
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/replay"
)

// Comparison is what a comparison finds.
type Comparison = comparison

// NewComparison returns what a comparison is to find.
func NewComparison(
	events int,
	differences []Difference,
	changed []EffectiveDecision,
	history History,
	should map[decision.UsageKey]decision.Usage,
) Comparison {
	return comparison{
		events:      events,
		differences: differences,
		changed:     changed,
		usage:       missing(history.Usage, should),
	}
}

// Compare compares in parts of the size, and returns their sum and their number.
func Compare(h History, period replay.Period, size int) (whole Comparison, parts int, err error) {
	err = compareInParts(h, period, size, func(part comparison) error {
		parts++
		whole.events += part.events
		whole.differences = append(whole.differences, part.differences...)
		whole.changed = append(whole.changed, part.changed...)
		whole.usage = part.usage

		return nil
	})

	return whole, parts, err
}

// NumberOf returns how many differences and changes were found.
func NumberOf(c Comparison) int { return len(c.differences) + len(c.changed) }
