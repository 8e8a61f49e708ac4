package replaytest

import (
	"cmp"
	"context"
	"slices"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	domain "tributary/commission/internal/domain/replay"
)

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
