package postgres

import (
	"context"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
)

var _ replay.Store = (*Store)(nil)

const (
	// One pass over all decisions, sorted on disk where needed: memory holds some users at a time, whatever their number.
	selectHistories = `
SELECT ` + decisionColumns + ` FROM decisions AS d
WHERE d.user_id IN (SELECT user_id FROM decisions WHERE occurred_at >= $1 AND occurred_at < $2)
ORDER BY d.user_id, d.occurred_at, d.event_id`

	selectBooked = `
SELECT c.user_id, coalesce(d.reverses_event_id, c.event_id), c.currency, coalesce(sum(c.amount_minor) FILTER (WHERE c.status <> 'rejected'), 0)::bigint,
       bool_or(c.kind = 'earning' AND c.status = 'rejected')
FROM commissions AS c LEFT JOIN decisions AS d ON d.event_id = c.event_id AND c.kind = 'clawback'
WHERE c.user_id = ANY($1) AND c.event_id IS NOT NULL
GROUP BY 1, 2, 3`

	usersAtOnce = 200
)

// Histories implements replay.Store.
func (s *Store) Histories(ctx context.Context, period replay.Period, fn func(replay.History) error) error {
	return s.begin(ctx, "read histories", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, selectHistories, period.From, period.To)
		if err != nil {
			return err
		}
		defer rows.Close()
		h := histories{store: s, fn: fn}
		for rows.Next() {
			e, err := scanEvent(rows)
			if err != nil {
				return err
			}
			if err := h.add(ctx, e); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return h.flush(ctx)
	})
}

// histories gathers users until there are some, and then reads what is booked for all of them at once.
type histories struct {
	store *Store
	fn    func(replay.History) error
	some  []replay.History
}

func (h *histories) add(ctx context.Context, e event.Event) error {
	if n := len(h.some); n == 0 || h.some[n-1].UserID != e.UserID() {
		if n == usersAtOnce {
			if err := h.flush(ctx); err != nil {
				return err
			}
		}
		h.some = append(h.some, replay.History{UserID: e.UserID()})
	}
	last := &h.some[len(h.some)-1]
	last.Events = append(last.Events, e)
	return nil
}

func (h *histories) flush(ctx context.Context) error {
	if len(h.some) == 0 {
		return nil
	}
	if err := loadBooked(ctx, h.store.pool, h.some); err != nil {
		return err
	}
	for _, history := range h.some {
		if err := h.fn(history); err != nil {
			return err
		}
	}
	h.some = h.some[:0]
	return nil
}

func loadBooked(ctx context.Context, from querier, some []replay.History) error {
	users := make([]string, len(some))
	at := make(map[string]*replay.History, len(some))
	for i := range some {
		some[i].Booked, some[i].Rejected = map[replay.Money]int64{}, map[string]bool{}
		users[i], at[some[i].UserID] = some[i].UserID, &some[i]
	}
	rows, err := from.Query(ctx, selectBooked, users)
	if err != nil {
		return err
	}
	var user string
	var key replay.Money
	var minor int64
	var rejected bool
	_, err = pgx.ForEachRow(rows, []any{&user, &key.EventID, &key.Currency, &minor, &rejected}, func() error {
		at[user].Booked[key] = minor
		if rejected {
			at[user].Rejected[key.EventID] = true
		}
		return nil
	})
	return err
}

// Book implements replay.Store.
func (s *Store) Book(ctx context.Context, seen replay.History, adjustments []commission.Commission, now time.Time) (bool, error) {
	same := false
	err := s.begin(ctx, "book adjustments", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockUsers, []string{seen.UserID}); err != nil {
			return err
		}
		current := []replay.History{{UserID: seen.UserID}}
		if err := loadBooked(ctx, tx, current); err != nil {
			return err
		}
		same = maps.Equal(current[0].Booked, seen.Booked) && maps.Equal(current[0].Rejected, seen.Rejected)
		if !same {
			return nil
		}
		return addCommissions(ctx, tx, adjustments, now)
	})
	return same, err
}
