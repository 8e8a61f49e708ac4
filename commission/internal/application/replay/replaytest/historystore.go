package replaytest

import (
	"context"
	"maps"
	"slices"

	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
)

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
	period domain.Period,
	after string,
	limit int,
) ([]replay.User, error) {
	return s.selected(replay.Selection{Period: period}, after, limit), nil
}

func (s *Store) selected(who replay.Selection, after string, limit int) []replay.User {
	s.mu.Lock()
	defer s.mu.Unlock()

	var users []replay.User

	for _, user := range slices.Sorted(maps.Keys(s.decisions)) {
		if n := s.count(user, who); n > 0 && user > after && len(users) < limit {
			users = append(users, replay.User{ID: user, Events: n})
		}
	}

	return users
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
