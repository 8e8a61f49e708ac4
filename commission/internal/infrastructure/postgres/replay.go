package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/replay"
)

var _ replay.Store = (*Store)(nil)

const (
	selectUsers = `SELECT DISTINCT user_id FROM decisions WHERE occurred_at >= $1 AND occurred_at < $2 ORDER BY user_id`

	// Decisions with a commission are found by it, the others by an index of theirs.
	selectUserDecisions = `
SELECT ` + decisionColumns + ` FROM decisions AS d
WHERE d.event_id IN (
    SELECT event_id FROM commissions WHERE user_id = $1 UNION SELECT event_id FROM decisions WHERE user_id = $1 AND outcome <> 'commissioned'
)
ORDER BY d.occurred_at, d.event_id LIMIT $2`

	selectBooked = `
SELECT coalesce(d.reverses_event_id, c.event_id), c.currency, coalesce(sum(c.amount_minor) FILTER (WHERE c.status <> 'rejected'), 0)::bigint,
       bool_or(c.kind = 'earning' AND c.status = 'rejected')
FROM commissions AS c LEFT JOIN decisions AS d ON d.event_id = c.event_id AND c.kind = 'clawback'
WHERE c.user_id = $1 AND c.event_id IS NOT NULL
GROUP BY 1, 2`
)

// Users implements replay.Store.
func (s *Store) Users(ctx context.Context, period replay.Period) ([]string, error) {
	var users []string
	err := s.begin(ctx, "read users", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, selectUsers, period.From, period.To)
		if err != nil {
			return err
		}
		users, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return users, err
}

// Rebook implements replay.Store. The lock is that of consumption; what is read after it is what stands until the transaction ends.
func (s *Store) Rebook(ctx context.Context, request change.Request, userID string, fn func(replay.History) (replay.Booking, error)) error {
	return s.begin(ctx, "replay", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockUsers, []string{userID}); err != nil {
			return err
		}
		history, err := s.history(ctx, tx, userID)
		if err != nil {
			return err
		}
		booking, err := fn(history)
		if err != nil || len(booking.Adjustments) == 0 {
			return err
		}
		return book(ctx, tx, request, booking)
	})
}

func (s *Store) history(ctx context.Context, tx pgx.Tx, userID string) (replay.History, error) {
	h := replay.History{UserID: userID, Booked: map[replay.Money]int64{}, Rejected: map[string]bool{}}
	var revision int64
	err := tx.QueryRow(ctx, selectRevision).Scan(&revision)
	if err != nil {
		return h, err
	}
	if h.Rules, err = s.rulesAt(ctx, tx, revision); err != nil {
		return h, err
	}
	rows, err := tx.Query(ctx, selectUserDecisions, userID, replay.MaxEvents+1)
	if err != nil {
		return h, err
	}
	if h.Events, err = pgx.CollectRows(rows, scanEvent); err != nil {
		return h, err
	}
	return h, loadBooked(ctx, tx, h)
}

func loadBooked(ctx context.Context, tx pgx.Tx, h replay.History) error {
	rows, err := tx.Query(ctx, selectBooked, h.UserID)
	if err != nil {
		return err
	}
	var key replay.Money
	var minor int64
	var rejected bool
	_, err = pgx.ForEachRow(rows, []any{&key.EventID, &key.Currency, &minor, &rejected}, func() error {
		h.Booked[key] = minor
		if rejected {
			h.Rejected[key.EventID] = true
		}
		return nil
	})
	return err
}

// book stores what replay makes of a user, with the audit.
func book(ctx context.Context, tx pgx.Tx, request change.Request, b replay.Booking) error {
	if err := addCommissions(ctx, tx, b.Adjustments, request.Now); err != nil {
		return err
	}
	var batch pgx.Batch
	for _, a := range b.Adjustments {
		batch.Queue(insertAudit, request.Now, request.Actor, "replay", "commission", a.State().ID, request.Reason, "", snapshot(a.State()), request.RequestID)
	}
	return tx.SendBatch(ctx, &batch).Close()
}
