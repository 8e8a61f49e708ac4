// Package replaytest has the replays and the histories that they read in memory, and the contract
// suites that they and those of PostgreSQL pass.
package replaytest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"testing"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/query"
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

// claim is who works on a replay: no process if waiting is set, since that turn.
type claim struct {
	holder  string
	waiting int
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

// Expire ends all claims, as time does.
func (s *Store) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()

	for id, c := range s.claims {
		s.wait(id, c.holder)
	}
}

// RecordsOf returns the audit's records of the subject, the oldest first.
func (s *Store) RecordsOf(t *testing.T, subjectID string) []change.Record {
	t.Helper()
	return s.journal.RecordsOf(t, subjectID)
}

// wait leaves the replay to the next process; the last holder may still keep it.
func (s *Store) wait(id, holder string) {
	s.turns++
	s.claims[id] = claim{holder: holder, waiting: s.turns}
}

// Rules implements replay.Store.
func (s *Store) Rules(context.Context) (*rule.Set, error) { return s.rules, nil }

// Count implements replay.Store.
func (s *Store) Count(_ context.Context, period domain.Period) (domain.Size, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	var size domain.Size

	for user := range s.decisions {
		if n := s.count(user, replay.Selection{Period: period}); n > 0 {
			size.Users++
			size.Events += n
		}
	}

	return size, nil
}

// count returns how many of the user's events are selected.
func (s *Store) count(user string, who replay.Selection) int64 {
	var n int64

	for i := range s.decisions[user] {
		e := s.decisions[user][i].Event.Snapshot()

		wanted := who.Scope
		if who.Period.Holds(e.OccurredAt) &&
			(wanted.EventType == "" || wanted.EventType == e.Type) &&
			(wanted.UserID == "" || wanted.UserID == e.UserID) &&
			(wanted.CampaignID == "" || wanted.CampaignID == e.CampaignID) &&
			(wanted.ProductID == "" || wanted.ProductID == e.ProductID) {
			n++
		}
	}

	return n
}

// Users implements replay.Store.
func (s *Store) Users(
	_ context.Context,
	who replay.Selection,
	after string,
	limit int,
) ([]replay.User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	var users []replay.User

	for _, user := range slices.Sorted(maps.Keys(s.decisions)) {
		if n := s.count(user, who); n > 0 && user > after && len(users) < limit {
			users = append(users, replay.User{ID: user, Events: n})
		}
	}

	return users, nil
}

// Histories implements replay.Store.
func (s *Store) Histories(
	_ context.Context,
	users []string,
	limit int,
) ([]replay.History, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	var number int
	for _, user := range users {
		number += len(s.decisions[user])
	}

	if number > limit {
		return nil, replay.ErrManyEvents
	}

	return s.histories(users), nil
}

func (s *Store) histories(users []string) []replay.History {
	var histories []replay.History

	for _, user := range users {
		h := replay.History{
			Rules:     s.rules,
			UserID:    user,
			Decisions: slices.Clone(s.decisions[user]),
			Posted:    map[replay.Money]int64{},
			Commissions: func(ids []string) ([]commission.Commission, error) {
				var found []commission.Commission
				for _, id := range slices.Sorted(slices.Values(ids)) {
					family := s.commissions[id]
					found = append(found, commission.Restore(family[0], family[1:]...))
				}

				return found, nil
			},
		}

		for i := range h.Decisions {
			for _, c := range s.commissions[h.Decisions[i].CommissionID] {
				of := replay.Money{EventID: c.EventID, Currency: c.Amount.Currency().String()}
				h.Posted[of] += c.Amount.Minor()
			}
		}

		histories = append(histories, h)
	}

	return histories
}

// Post implements replay.Store.
func (s *Store) Post(
	_ context.Context,
	claim replay.Claim,
	users []string,
	fn func(*domain.Replay, []replay.History) (replay.Posting, error),
) ([]commission.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.lost(claim) {
		return nil, replay.ErrLost
	}

	before := s.replays[claim.ID]
	claimed := domain.Restore(before)

	posting, err := fn(&claimed, s.histories(users))
	if err != nil {
		return nil, err
	}

	var outcome change.Outcome

	for _, made := range posting.Adjustments {
		root := cmp.Or(made.ReversesID, made.ID)
		s.commissions[root] = append(s.commissions[root], made)

		outcome.More = append(outcome.More, change.Record{
			At:          posting.Now,
			Actor:       before.Actor,
			Action:      "replay",
			SubjectType: "commission",
			SubjectID:   made.ID,
			Reason:      before.Reason,
			RequestID:   before.RequestID,
		})
	}

	s.replays[claim.ID] = claimed.Snapshot()
	s.differences[claim.ID] = append(s.differences[claim.ID], posting.Differences...)

	return posting.Adjustments, s.journal.Once(
		change.Request{},
		func() (change.Outcome, error) { return outcome, nil },
	)
}

// lost reports whether the claim is not the last one, or the replay does not run.
func (s *Store) lost(c replay.Claim) bool {
	return s.claims[c.ID].holder != c.Holder || s.replays[c.ID].Status != domain.Running
}

// Create implements replay.Repository.
func (s *Store) Create(
	ctx context.Context,
	request change.Request,
	wanted replay.Creation,
	fn func(revision int64, small bool) (domain.Replay, change.Outcome, error),
) error {
	size, err := s.Count(ctx, wanted.Period)
	if err != nil {
		return err
	}

	return s.journal.Once(request, func() (change.Outcome, error) {
		made, outcome, err := fn(s.rules.Revision(), size.Events <= int64(wanted.Small))
		if err != nil {
			return outcome, err
		}

		s.mu.Lock()
		defer s.mu.Unlock()

		s.replays[made.Snapshot().ID] = made.Snapshot()
		s.claims[made.Snapshot().ID] = claim{holder: wanted.Holder}

		return outcome, nil
	})
}

// Replay implements replay.Repository.
func (s *Store) Replay(_ context.Context, id string) (domain.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	found, known := s.replays[id]
	if !known {
		return found, domain.ErrNotFound
	}

	return found, nil
}

// Update implements replay.Repository.
func (s *Store) Update(_ context.Context, claim replay.Claim, fn func(*domain.Replay) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.lost(claim) {
		return replay.ErrLost
	}

	claimed := domain.Restore(s.replays[claim.ID])
	if err := fn(&claimed); err != nil {
		return err
	}

	s.replays[claim.ID] = claimed.Snapshot()

	return nil
}

// Change implements command.Replays.
func (s *Store) Change(
	_ context.Context,
	request change.Request,
	id string,
	fn func(*domain.Replay) (change.Outcome, error),
) error {
	return s.journal.Once(request, func() (change.Outcome, error) {
		s.mu.Lock()
		defer s.mu.Unlock()

		found, known := s.replays[id]
		if !known {
			return change.Outcome{}, domain.ErrNotFound
		}

		changed := domain.Restore(found)

		outcome, err := fn(&changed)
		if err == nil {
			s.replays[id] = changed.Snapshot()
		}

		return outcome, err
	})
}

// Take implements replay.Claims.
func (s *Store) Take(_ context.Context, holder string) (replay.Claim, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	taken := replay.Claim{Holder: holder}

	for id, c := range s.claims {
		if c.waiting > 0 && s.replays[id].Status == domain.Running &&
			(taken.ID == "" || c.waiting < s.claims[taken.ID].waiting) {
			taken.ID = id
		}
	}

	if taken.ID != "" {
		s.claims[taken.ID] = claim{holder: holder}
	}

	return taken, taken.ID != "", nil
}

// Keep implements replay.Claims.
func (s *Store) Keep(_ context.Context, kept replay.Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.lost(kept) {
		return replay.ErrLost
	}

	s.claims[kept.ID] = claim{holder: kept.Holder}

	return nil
}

// Leave implements replay.Claims.
func (s *Store) Leave(_ context.Context, left replay.Claim) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.lost(left) {
		return nil
	}

	s.wait(left.ID, left.Holder)

	after := s.replays[left.ID]
	after.AtOnce = false
	s.replays[left.ID] = after

	return nil
}

// Differences implements replay.Repository.
func (s *Store) Differences(
	_ context.Context,
	id string,
	number int64,
	limit int,
) ([]replay.Difference, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	found := s.differences[id]
	found = found[min(int(number)-1, len(found)):]

	return slices.Clone(found[:min(limit, len(found))]), nil
}

// Replays implements query.ReplayReader.
func (s *Store) Replays(
	_ context.Context,
	limit int,
	after query.Position,
) ([]domain.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	compare := func(a, b query.Position) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.ID, a.ID))
	}
	position := func(r domain.Snapshot) query.Position {
		return query.Position{At: r.RequestedAt, ID: r.ID}
	}

	var found []domain.Snapshot

	for _, r := range s.replays {
		if after == (query.Position{}) || compare(position(r), after) > 0 {
			found = append(found, r)
		}
	}

	slices.SortFunc(found, func(a, b domain.Snapshot) int { return compare(position(a), position(b)) })

	return found[:min(limit, len(found))], nil
}
