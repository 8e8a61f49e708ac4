// Package replaytest has the replays and the histories that they read in memory, and the contract
// suites that they and those of PostgreSQL pass.
package replaytest

import (
	"sync"
	"testing"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
)

// Store keeps replays, and the decisions and commissions of users, in memory. Answers and the audit
// are those of a commandtest.Store.
type Store struct {
	journal *commandtest.Store

	mu          sync.Mutex
	rules       *rule.Set
	decisions   map[string][]replay.EffectiveDecision // by user
	commissions map[string][]commission.Snapshot      // by the id of the first one, then followers
	replays     map[string]domain.Snapshot
	claims      map[string]claim
	turns       int
	differences map[string][]replay.Difference
}

// New returns a store without replays, in which the rules are in force.
func New(rules *rule.Set) *Store {
	return &Store{
		journal:     commandtest.New(),
		rules:       rules,
		decisions:   map[string][]replay.EffectiveDecision{},
		commissions: map[string][]commission.Snapshot{},
		replays:     map[string]domain.Snapshot{},
		claims:      map[string]claim{},
		differences: map[string][]replay.Difference{},
	}
}

// Put stores a decision with its commission.
func (s *Store) Put(decided decision.Decision, earned commission.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()

	user := decided.Event.UserID()
	s.decisions[user] = append(s.decisions[user], replay.EffectiveDecision{
		Decision:     decided,
		CommissionID: earned.ID,
	})
	s.commissions[earned.ID] = []commission.Snapshot{earned}
}

// RecordsOf returns the audit's records of the subject, the oldest first.
func (s *Store) RecordsOf(t *testing.T, subjectID string) []change.Record {
	t.Helper()
	return s.journal.RecordsOf(t, subjectID)
}
