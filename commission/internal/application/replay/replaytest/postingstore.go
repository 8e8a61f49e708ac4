package replaytest

import (
	"cmp"
	"context"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	domain "tributary/commission/internal/domain/replay"
)

// Selected implements replay.Store.
func (s *Store) Selected(
	_ context.Context,
	who replay.Selection,
	limit int,
	fn func([]replay.User, replay.Reader) error,
) error {
	for after := ""; ; {
		users := s.selected(who, after, limit)
		if len(users) == 0 {
			return nil
		}

		after = users[len(users)-1].ID

		if err := fn(users, s); err != nil {
			return err
		}
	}
}

// Read implements replay.Store.
func (s *Store) Read(_ context.Context, user string, fn func(replay.History) error) error {
	s.mu.Lock()
	history := s.inParts(user)
	s.mu.Unlock()

	return fn(history)
}

func (s *Store) inParts(user string) replay.History {
	history := s.histories([]string{user})[0]
	parts := history.InParts()

	history.Parts = &parts
	history.Decisions = nil
	history.Posted = nil

	return history
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

	claimed := domain.Restore(s.replays[claim.ID])

	posting, err := fn(&claimed, s.histories(users))
	if err != nil {
		return nil, err
	}

	return posting.Adjustments, s.post(claimed, posting)
}

// PostInParts implements replay.Store.
func (s *Store) PostInParts(
	_ context.Context,
	claim replay.Claim,
	user string,
	_ bool,
	fn func(*domain.Replay, replay.History, replay.Writer) error,
) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.lost(claim) {
		return replay.ErrLost
	}

	var whole replay.Posting

	claimed := domain.Restore(s.replays[claim.ID])

	err := fn(&claimed, s.inParts(user), func(part replay.Posting) error {
		whole.Now = part.Now
		whole.Differences = append(whole.Differences, part.Differences...)
		whole.Adjustments = append(whole.Adjustments, part.Adjustments...)

		return nil
	})
	if err != nil {
		return err
	}

	return s.post(claimed, whole)
}

// post stores the replay after a step, and what the step posts.
func (s *Store) post(claimed domain.Replay, posting replay.Posting) error {
	var outcome change.Outcome

	after := claimed.Snapshot()

	for _, made := range posting.Adjustments {
		root := cmp.Or(made.ReversesID, made.ID)
		s.commissions[root] = append(s.commissions[root], made)

		outcome.More = append(outcome.More, change.Record{
			At:          posting.Now,
			Actor:       after.Actor,
			Action:      "replay",
			SubjectType: "commission",
			SubjectID:   made.ID,
			Reason:      after.Reason,
			RequestID:   after.RequestID,
		})
	}

	s.replays[after.ID] = after
	s.differences[after.ID] = append(s.differences[after.ID], posting.Differences...)

	return s.journal.Once(
		change.Request{},
		func() (change.Outcome, error) { return outcome, nil },
	)
}
