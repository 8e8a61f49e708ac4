// Package commandtest has the repositories of payouts, batches, commissions, decisions and rules
// and the journal in memory, and the contract suites that they and those of PostgreSQL pass.
package commandtest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/fault"
)

// Store keeps payouts, batches, commissions, decisions, rules, answers and audit records in memory.
type Store struct {
	mu          sync.Mutex
	payouts     map[string]payout.Snapshot
	batches     map[string]batch.Snapshot
	rules       *rule.Set
	revisions   map[int64]*rule.Set
	commissions map[string]commission.Snapshot
	decisions   map[string]command.Decided
	decidedAt   map[string]time.Time // by the id of the event // by event
	funds       funds
	answers     map[key]answer
	records     []change.Record
	transfers   []query.Transfer
}

// key is an idempotency key of a caller.
type key struct{ caller, text string }

// answer is the first answer to a request, by the hash of its content.
type answer struct {
	hash [32]byte
	body []byte
}

// New returns an empty store.
func New() *Store {
	return &Store{
		payouts:     map[string]payout.Snapshot{},
		batches:     map[string]batch.Snapshot{},
		rules:       rule.NewSet(0, nil),
		revisions:   map[int64]*rule.Set{0: rule.NewSet(0, nil)},
		commissions: map[string]commission.Snapshot{},
		decisions:   map[string]command.Decided{},
		decidedAt:   map[string]time.Time{},
		funds:       newFunds(),
		answers:     map[key]answer{},
	}
}

// Records returns the records of the audit, the oldest first.
func (s *Store) Records() []change.Record {
	s.mu.Lock()
	defer s.mu.Unlock()

	return slices.Clone(s.records)
}

// RecordsOf returns the records of the subject, the oldest first.
func (s *Store) RecordsOf(_ *testing.T, subjectID string) []change.Record {
	return slices.DeleteFunc(s.Records(), func(r change.Record) bool {
		return r.SubjectID != subjectID
	})
}

// post adds transfers to the ledger.
func (s *Store) post(transfers []ledger.Transfer, at time.Time) {
	s.funds.post(transfers)

	for _, t := range transfers {
		s.transfers = append(s.transfers, query.Transfer{
			ID:           strconv.Itoa(1 + len(s.transfers)),
			At:           at,
			UserID:       t.UserID(),
			From:         t.From(),
			To:           t.To(),
			Amount:       t.Amount(),
			CommissionID: t.CommissionID(),
			PayoutID:     t.PayoutID(),
		})
	}
}

// Put stores commissions as they are, with what they cause.
func (s *Store) Put(caused effect.Effect, commissions ...commission.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()

	for _, c := range commissions {
		s.commissions[c.ID] = c
		s.post(caused.Transfers, c.CreatedAt)
		caused.Transfers = nil
	}
}

// Payouts returns the repository of payouts.
func (s *Store) Payouts() command.Payouts { return payouts{s} }

// Commissions returns the repository of commissions.
func (s *Store) Commissions() command.Commissions { return commissions{s} }

// Once runs fn unless the request's key is known, and then keeps the outcome.
func (s *Store) Once(request change.Request, fn func() (change.Outcome, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()

	if err := s.known(request); err != nil {
		return err
	}

	outcome, err := fn()
	if err != nil {
		return err
	}

	s.post(outcome.Effect.Transfers, request.Now)

	for _, record := range append([]change.Record{outcome.Record}, outcome.More...) {
		if record.Action != "" {
			s.records = append(s.records, record)
		}
	}

	if request.Key != "" {
		of := key{caller: request.Actor, text: request.Key}
		s.answers[of] = answer{hash: request.Hash, body: outcome.Answer}
	}

	return nil
}

// known returns a *change.ReplayedError if the request's key was used for the same request, and
// fault.ErrKeyReused if it was used for another.
func (s *Store) known(request change.Request) error {
	first, known := s.answers[key{caller: request.Actor, text: request.Key}]

	switch {
	case !known:
		return nil
	case first.hash != request.Hash:
		return fault.ErrKeyReused
	}

	return &change.ReplayedError{Body: first.body}
}

type payouts struct{ *Store }

func (s payouts) Create(
	_ context.Context,
	wanted payout.Wanted,
	now time.Time,
	fn func(ledger.Funds) (payout.Payout, effect.Effect, error),
) (stored payout.Snapshot, known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if first, known := s.payouts[wanted.ID]; known {
		p := payout.Restore(first)
		p.NoteConflict(wanted, now)
		s.payouts[wanted.ID] = p.Snapshot()

		return p.Snapshot(), true, nil
	}

	made, caused, err := fn(s.funds.of(wanted.UserID, wanted.Amount.Currency()))
	if err != nil {
		return payout.Snapshot{}, false, err
	}

	stored = made.Snapshot()
	s.payouts[stored.ID] = stored
	s.funds.take(stored, caused.Taken)
	s.post(caused.Transfers, now)

	return stored, false, nil
}

func (s payouts) Update(
	_ context.Context,
	request change.Request,
	id string,
	fn func(*payout.Payout, *batch.Batch) (change.Outcome, error),
) error {
	return s.Once(request, func() (change.Outcome, error) {
		found, known := s.payouts[id]
		if !known {
			return change.Outcome{}, payout.ErrNotFound
		}

		p := payout.Restore(found)
		b := batches(s).batch(found.BatchID)

		outcome, err := fn(&p, &b)
		if err != nil {
			return change.Outcome{}, err
		}

		batches(s).save(b, &p)

		return outcome, nil
	})
}

type commissions struct{ *Store }

func (s commissions) Add(
	_ context.Context,
	request change.Request,
	made commission.Snapshot,
	outcome change.Outcome,
) error {
	return s.Once(request, func() (change.Outcome, error) {
		made.MadeBy = request.Actor
		s.commissions[made.ID] = made

		return outcome, nil
	})
}

func (s commissions) Update(
	_ context.Context,
	request change.Request,
	id string,
	fn func(*commission.Commission) (change.Outcome, error),
) error {
	return s.Once(request, func() (change.Outcome, error) {
		if _, known := s.commissions[id]; !known {
			return change.Outcome{}, commission.ErrNotFound
		}

		c := s.family(id)

		outcome, err := fn(&c)
		if err == nil {
			s.save(c)
		}

		return outcome, err
	})
}

func (s commissions) UpdateDue(
	_ context.Context,
	now time.Time,
	limit int,
	fn func(*commission.Commission) (effect.Effect, error),
) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	var due []commission.Snapshot

	for _, c := range s.commissions {
		if c.StandsAlone() && c.Status == commission.Pending && !c.AvailableAt.After(now) {
			due = append(due, c)
		}
	}

	slices.SortFunc(due, func(a, b commission.Snapshot) int {
		return cmp.Or(a.AvailableAt.Compare(b.AvailableAt), cmp.Compare(a.ID, b.ID))
	})
	due = due[:min(limit, len(due))]

	var (
		changed []commission.Commission
		caused  effect.Effect
	)

	for _, snapshot := range due {
		c := s.family(snapshot.ID)

		one, err := fn(&c)
		if err != nil {
			return len(due), err
		}

		changed = append(changed, c)
		caused.Add(one)
	}

	s.save(changed...)
	s.post(caused.Transfers, now)

	return len(due), nil
}

func (s commissions) family(id string) commission.Commission {
	var followers []commission.Snapshot

	for _, other := range slices.Sorted(maps.Keys(s.commissions)) {
		if c := s.commissions[other]; c.ReversesID == id {
			followers = append(followers, c)
		}
	}

	return commission.Restore(s.commissions[id], followers...)
}

// save stores what has changed of commissions and their followers.
func (s commissions) save(changed ...commission.Commission) {
	for i := range changed {
		for _, moved := range changed[i].Moved() {
			s.commissions[moved.ID] = moved
		}
	}
}
