package replaytest

import (
	"context"

	"tributary/commission/internal/application/replay"
	domain "tributary/commission/internal/domain/replay"
)

// claim is who works on a replay: no process if waiting is set, since that turn.
type claim struct {
	holder  string
	waiting int
}

// Expire ends all claims, as time does.
func (s *Store) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()

	for id, c := range s.claims {
		s.wait(id, c.holder)
	}
}

// wait leaves the replay to the next process; the last holder may still keep it.
func (s *Store) wait(id, holder string) {
	s.turns++
	s.claims[id] = claim{holder: holder, waiting: s.turns}
}

// lost reports whether the claim is not the last one, or the replay does not run.
func (s *Store) lost(c replay.Claim) bool {
	return s.claims[c.ID].holder != c.Holder || s.replays[c.ID].Status != domain.Running
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
