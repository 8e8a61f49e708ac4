// Package ingesttest provides a store in memory, and the contract suite that it and the PostgreSQL
// store pass.
package ingesttest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// Store keeps events and keys in memory. Hook, if set, runs before each Append and may return an
// error.
type Store struct {
	Hook func(events []event.Event) error

	mu     sync.Mutex
	events map[string]event.Event
	uses   []ingest.Use // the oldest first
	sizes  []int
}

var (
	_ ingest.Store = (*Store)(nil)
	_ command.Keys = (*Store)(nil)
)

// New returns an empty store.
func New() *Store { return &Store{events: map[string]event.Event{}} }

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

// use returns the index of the key's use, or -1.
func (s *Store) use(caller, key string) int {
	return slices.IndexFunc(
		s.uses,
		func(u ingest.Use) bool { return u.Caller == caller && u.Key == key },
	)
}

// outcome returns the outcome of an event whose id is known.
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

func (s *Store) Find(_ context.Context, caller, key string) (ingest.Use, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	at := s.use(caller, key)
	if at < 0 {
		return ingest.Use{}, false, nil
	}

	return s.uses[at], true, nil
}

func (s *Store) Look(_ context.Context, events []event.Event) ([]ingest.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	outcomes := make([]ingest.Outcome, len(events))
	for i, e := range events {
		if _, ok := s.events[e.ID()]; !ok {
			return nil, errors.New("an event is not stored")
		}

		outcomes[i] = s.outcome(e)
	}

	return outcomes, nil
}

// Has reports whether an event with the id is stored.
func (s *Store) Has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.events[id]

	return ok
}

// Commits returns the number of events of each commit.
func (s *Store) Commits() []int {
	s.mu.Lock()
	defer s.mu.Unlock()

	return append([]int(nil), s.sizes...)
}
