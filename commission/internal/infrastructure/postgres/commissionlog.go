package postgres

import (
	"context"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/effect"
)

// logFacts writes facts about decisions and commissions, of which nothing changes but what a fact
// states. What follows the fact of a decision is caused by its event, everything else by cause.
func logFacts(
	ctx context.Context,
	tx moneyTx,
	facts []effect.Fact,
	cause change.Cause,
	now time.Time,
) error {
	events := make([]logged, len(facts))
	for i, fact := range facts {
		if fact.Type == effect.DecisionMade {
			cause = change.ByTracking(fact.SubjectID)
		}

		events[i] = logged{
			Fact:    fact,
			cause:   cause,
			status:  fact.Status,
			version: fact.Version,
		}
		if fact.PreviousStatus != "" {
			events[i].changedAt = now
		}
	}

	return appendEvents(ctx, tx, events)
}
