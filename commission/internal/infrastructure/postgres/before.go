package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
)

const (
	// rejectedBy reports whether c had been rejected by the time $2. A clawback is rejected with
	// its earning.
	rejectedBy = `(c.status = 'rejected' AND EXISTS (SELECT FROM audit AS a
        WHERE a.subject_type = 'commission' AND a.subject_id = coalesce(c.reverses_id,
            c.id)::text AND a.action = 'reject' AND a.at <= $2))`

	selectManual = `
SELECT event_id, ` + rejectedBy + `, (
    SELECT a.action FROM audit AS a
    WHERE a.subject_type = 'commission' AND a.subject_id = c.id::text AND a.at <= $2
    ORDER BY a.at DESC, a.id DESC LIMIT 1
) = 'hold'
FROM commissions AS c
WHERE user_id = $1 AND reverses_id IS NULL AND event_id IS NOT NULL
  AND (status = 'rejected' OR order_id = $3)`

	selectPostedBefore = selectCommissions + ` AS c
WHERE user_id = $1 AND id < $3 AND currency = $5 AND event_id IN (SELECT $4::text
    UNION ALL SELECT event_id FROM decisions WHERE reverses_event_id = $4)
  AND NOT ` + rejectedBy + ` ORDER BY c.id`

	selectRelated = `
WITH sales AS (
    SELECT event_id FROM decisions WHERE event_id = $1
    UNION
    SELECT o.event_id FROM decisions AS e
    CROSS JOIN LATERAL (
        SELECT event_id FROM decisions AS o
        WHERE o.user_id = e.user_id AND o.order_id = e.order_id
        OFFSET 0
    ) AS o
    WHERE e.event_id = $1
), related AS (
    SELECT event_id FROM sales
    UNION
    SELECT r.event_id FROM sales AS s
    CROSS JOIN LATERAL (
        SELECT event_id FROM decisions WHERE reverses_event_id = s.event_id OFFSET 0
    ) AS r
)
SELECT ` + decisionColumns + ` FROM related
CROSS JOIN LATERAL (
    SELECT * FROM decisions AS s WHERE s.event_id = related.event_id OFFSET 0
) AS d
WHERE d.decided_at <= $2`

	selectEventsOf = `
SELECT ` + decisionColumns + ` FROM (VALUES ($1::text)) AS u (user_id)
CROSS JOIN LATERAL (` + idsOfUser + `
) AS ids
CROSS JOIN LATERAL (
    SELECT * FROM decisions AS s WHERE s.event_id = ids.event_id OFFSET 0
) AS d
WHERE d.decided_at <= $2`
)

func (s *Store) Before(
	ctx context.Context,
	adjustment commission.Snapshot,
) (query.Before, error) {
	state := adjustment
	b := query.Before{Known: state.CreatedAt}
	err := s.begin(ctx, "read what an adjustment followed from", func(tx pgx.Tx) (err error) {
		made, err := readReplay(ctx, tx, ` WHERE id = $1`, state.ReplayID)
		if err != nil {
			return err
		}

		b.Replay = made

		if b.Rules, err = s.rulesAt(ctx, tx, made.Revision); err != nil {
			return err
		}

		if b.Posted, err = collect(
			ctx,
			tx,
			scanCommission,
			selectPostedBefore,
			state.UserID,
			b.Known,
			state.ID,
			state.EventID,
			state.Amount.Currency().String(),
		); err != nil {
			return err
		}

		if b.Related, err = collect(
			ctx,
			tx,
			scanEvent,
			selectRelated,
			state.EventID,
			b.Known,
		); err != nil {
			return err
		}

		b.Manual, err = manualBefore(ctx, tx, state, b.Known)

		return err
	})

	return b, err
}

// manualBefore returns what operators had decided by the time: which of the user's commissions they
// had rejected, and which of the adjustment's order they held.
func manualBefore(
	ctx context.Context,
	tx pgx.Tx,
	adjustment commission.Snapshot,
	known time.Time,
) (decision.Manual, error) {
	manual := decision.Manual{Rejected: map[string]bool{}, Keeps: map[string]bool{}}

	rows, err := tx.Query(ctx, selectManual, adjustment.UserID, known, adjustment.OrderID)
	if err != nil {
		return manual, err
	}

	var (
		id       string
		rejected bool
		held     *bool
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &rejected, &held}, func() error {
		if rejected {
			manual.Rejected[id] = true
		}

		if rejected || value(held) {
			manual.Keeps[id] = true
		}

		return nil
	})

	return manual, err
}

func (s *Store) EventsOf(
	ctx context.Context,
	owner query.Owner,
	known time.Time,
) ([]event.Event, error) {
	userID, _ := owner.UserID()

	var events []event.Event
	err := s.begin(ctx, "read a user's events", func(tx pgx.Tx) (err error) {
		if _, err = tx.Exec(ctx, `SET LOCAL statement_timeout = '5s'`); err != nil {
			return err
		}

		events, err = collect(ctx, tx, scanEvent, selectEventsOf, userID, known)

		return tooWide(err)
	})

	return events, err
}
