package postgres

import (
	"context"
	"time"

	"tributary/commission/internal/application/change"
)

// logFacts writes facts about decisions and commissions, of which nothing changes but what a fact
// states.
func logFacts(
	ctx context.Context,
	tx moneyTx,
	facts []change.CausedFact,
	now time.Time,
) error {
	events := make([]logged, len(facts))
	for i, fact := range facts {
		events[i] = logged{
			Fact:    fact.Fact,
			cause:   fact.Cause,
			status:  fact.Status,
			version: fact.Version,
		}
		if fact.PreviousStatus != "" {
			events[i].changedAt = now
		}
	}

	return appendEvents(ctx, tx, events)
}
