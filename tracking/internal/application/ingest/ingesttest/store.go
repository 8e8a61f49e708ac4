// Package ingesttest has a store in memory, and the suite that it and the real one pass.
package ingesttest

import (
	"context"
	"sync"

	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// Store keeps events in memory. Hook, when set, runs before each Append and may refuse it.
type Store struct {
	Hook func(events []event.Event) error

	mu     sync.Mutex
	events map[string]event.Event
	sizes  []int
}

var _ ingest.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store { return &Store{events: map[string]event.Event{}} }

// Append implements ingest.Store.
func (s *Store) Append(_ context.Context, events []event.Event) ([]ingest.Outcome, error) {
	if s.Hook != nil {
		if err := s.Hook(events); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sizes = append(s.sizes, len(events))
	outcomes := make([]ingest.Outcome, len(events))
	for i, e := range events {
		known, ok := s.events[e.ID()]
		switch {
		case !ok:
			s.events[e.ID()], known = e, e
			outcomes[i].State = ingest.Stored
		case known.Hash() == e.Hash():
			outcomes[i].State = ingest.Repeated
		default:
			outcomes[i].State = ingest.Differs
		}
		outcomes[i].ReceivedAt, outcomes[i].Hash = known.ReceivedAt(), known.Hash()
	}
	return outcomes, nil
}

// Has tells whether an event with the id is stored.
func (s *Store) Has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.events[id]
	return ok
}

// Commits gives the number of events of each commit.
func (s *Store) Commits() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.sizes...)
}
