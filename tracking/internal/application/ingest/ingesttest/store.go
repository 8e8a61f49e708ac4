// Package ingesttest has a store in memory, and the suite that it and the real one pass.
package ingesttest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// Store keeps events and keys in memory. Hook, when set, runs before each Append and may refuse it.
type Store struct {
	Hook func(events []event.Event) error

	mu     sync.Mutex
	events map[string]event.Event
	uses   []ingest.Use // the oldest first
	sizes  []int
}

var (
	_ ingest.Store = (*Store)(nil)
	_ Keys         = (*Store)(nil)
)

// New makes an empty store.
func New() *Store { return &Store{events: map[string]event.Event{}} }

// Append implements ingest.Store.
func (s *Store) Append(
	_ context.Context,
	events []event.Event,
	keyed ...ingest.Keyed,
) ([]ingest.Outcome, error) {
	if s.Hook != nil {
		if err := s.Hook(events); err != nil {
			return nil, err
		}
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.sizes = append(s.sizes, len(events))

	outcomes := make([]ingest.Outcome, len(events))
	for _, k := range keyed {
		if s.use(k.Use.Caller, k.Use.Key) < 0 {
			s.uses = append(s.uses, *k.Use)
			continue
		}

		for i := k.From; i < k.To; i++ {
			outcomes[i].State = ingest.KeyUsed
		}
	}

	for i, e := range events {
		if outcomes[i].State == ingest.KeyUsed {
			continue
		}

		if _, ok := s.events[e.ID()]; ok {
			outcomes[i] = s.outcome(e)
			continue
		}

		s.events[e.ID()] = e
		outcomes[i] = ingest.Outcome{
			State:      ingest.Stored,
			ReceivedAt: e.ReceivedAt(),
			Hash:       e.Hash(),
		}
	}

	return outcomes, nil
}

// use is the place of the key's use, -1 when there is none.
func (s *Store) use(caller, key string) int {
	return slices.IndexFunc(
		s.uses,
		func(u ingest.Use) bool { return u.Caller == caller && u.Key == key },
	)
}

// outcome is that of an event whose id is known.
func (s *Store) outcome(e event.Event) ingest.Outcome {
	known := s.events[e.ID()]

	outcome := ingest.Outcome{
		State:      ingest.Repeated,
		ReceivedAt: known.ReceivedAt(),
		Hash:       known.Hash(),
	}
	if known.Hash() != e.Hash() {
		outcome.State = ingest.Differs
	}

	return outcome
}

// Find implements ingest.Keys.
func (s *Store) Find(_ context.Context, caller, key string) (ingest.Use, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	at := s.use(caller, key)
	if at < 0 {
		return ingest.Use{}, false, nil
	}

	return s.uses[at], true, nil
}

// Look implements ingest.Keys.
func (s *Store) Look(_ context.Context, events []event.Event) ([]ingest.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	outcomes := make([]ingest.Outcome, len(events))
	for i, e := range events {
		if _, ok := s.events[e.ID()]; !ok {
			return nil, errors.New("an event is not there")
		}

		outcomes[i] = s.outcome(e)
	}

	return outcomes, nil
}

// Forget deletes the uses before the time, limit at most, the oldest first.
func (s *Store) Forget(_ context.Context, before time.Time, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	n := 0
	for n < min(limit, len(s.uses)) && s.uses[n].At.Before(before) {
		n++
	}

	s.uses = slices.Delete(s.uses, 0, n)

	return n, nil
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
