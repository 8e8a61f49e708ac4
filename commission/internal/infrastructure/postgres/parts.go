package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	application "tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/platform/money"
)

const (
	// Only the ids are sorted. The loops keep their order, which the last line asks for.
	selectEntries = `
SELECT ` + decisionColumns + ` FROM (
    SELECT event.occurred_at, event.event_id FROM (SELECT $1::text AS user_id) AS u
    CROSS JOIN LATERAL (` + idsOfUser + `
        OFFSET 0
    ) AS ids
    CROSS JOIN LATERAL (
        SELECT occurred_at, event_id FROM decisions WHERE event_id = ids.event_id OFFSET 0
    ) AS event
    ORDER BY event.occurred_at, event.event_id COLLATE "C"
    OFFSET 0
) AS o
CROSS JOIN LATERAL (
    SELECT * FROM effective_decisions AS s WHERE s.event_id = o.event_id OFFSET 0
) AS d
ORDER BY o.occurred_at, o.event_id COLLATE "C"`

	selectPostedInOrder = `
SELECT p.event_id, d.occurred_at, p.currency, p.minor
FROM (` + selectPosted + `) AS p
CROSS JOIN LATERAL (
    SELECT occurred_at FROM decisions WHERE event_id = p.event_id OFFSET 0
) AS d
ORDER BY d.occurred_at, p.event_id COLLATE "C", p.currency COLLATE "C"`

	// What operators decided. Rejected followers go with what they follow.
	selectActed = `
SELECT event_id, bool_or(status = 'rejected') FROM commissions
WHERE user_id = $1 AND event_id IS NOT NULL AND reverses_id IS NULL AND status IN ('rejected', 'held')
GROUP BY event_id`

	selectKept = `
SELECT ` + decisionColumns + ` FROM unnest($1::text[]) AS kept (event_id)
CROSS JOIN LATERAL (
    SELECT * FROM effective_decisions AS s WHERE s.event_id = kept.event_id OFFSET 0
) AS d
WHERE d.reason <> 'duplicate_order'
ORDER BY d.occurred_at, d.event_id COLLATE "C"`

	selectOrderTies = `
SELECT coalesce(campaign_id, ''), order_id, count(*) FROM decisions
WHERE user_id = $1 AND order_id IS NOT NULL
    AND (sells(event_type) OR reverses(event_type) AND original_event_id IS NULL)
GROUP BY campaign_id, order_id HAVING count(*) > 1`

	selectNameTies = `
SELECT named.event_id, count(*) FROM (
    SELECT event_id FROM commissions
    WHERE user_id = $1 AND event_id IS NOT NULL AND reverses(event_type)
    UNION SELECT event_id FROM decisions
    WHERE user_id = $1 AND outcome = 'not_commissioned' AND reverses(event_type)
    UNION SELECT event_id FROM decisions
    WHERE user_id = $1 AND outcome = 'parked' AND reverses(event_type)
    OFFSET 0
) AS ids
CROSS JOIN LATERAL (
    SELECT original_event_id FROM decisions
    WHERE event_id = ids.event_id AND reverses(event_type) OFFSET 0
) AS reversal
CROSS JOIN LATERAL (
    SELECT event_id FROM decisions
    WHERE event_id = reversal.original_event_id AND user_id = $1 OFFSET 0
) AS named
GROUP BY named.event_id`

	fetched = 1_000 // rows at once
)

// historyInParts returns a history that reads its parts while the transaction lasts.
func (s *Store) historyInParts(
	ctx context.Context,
	tx pgx.Tx,
	user string,
) (application.History, error) {
	histories, err := s.emptyHistories(ctx, tx, []string{user})
	if err != nil {
		return application.History{}, err
	}

	history := histories[0]
	byUser := map[string]*application.History{user: &history}

	if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
		return history, err
	}

	if err := loadUsageOf(ctx, tx, []string{user}, byUser); err != nil {
		return history, err
	}

	history.Parts = &application.Parts{
		Entries: entries(ctx, tx, user),
		Ties:    &decision.Ties{},
	}

	if err := loadTies(ctx, tx, user, history.Parts.Ties); err != nil {
		return history, err
	}

	return history, loadManual(ctx, tx, &history)
}

// loadTies reads which orders and events of the user several events refer to.
func loadTies(ctx context.Context, tx pgx.Tx, user string, ties *decision.Ties) error {
	rows, err := tx.Query(ctx, selectOrderTies, user)
	if err != nil {
		return err
	}

	var (
		eventID string
		number  = event.Order{UserID: user}
		n       int
	)

	if _, err := pgx.ForEachRow(rows, []any{&number.CampaignID, &number.Number, &n}, func() error {
		ties.Order(number, n)
		return nil
	}); err != nil {
		return err
	}

	rows, err = tx.Query(ctx, selectNameTies, user)
	if err != nil {
		return err
	}

	_, err = pgx.ForEachRow(rows, []any{&eventID, &n}, func() error {
		ties.Name(eventID, n)
		return nil
	})

	return err
}

// loadManual reads what operators decided. Only the order of several events can be kept from one of
// them.
func loadManual(ctx context.Context, tx pgx.Tx, history *application.History) error {
	rows, err := tx.Query(ctx, selectActed, history.UserID)
	if err != nil {
		return err
	}

	var (
		ids      []string
		eventID  string
		rejected bool
	)

	if _, err := pgx.ForEachRow(rows, []any{&eventID, &rejected}, func() error {
		if ids = append(ids, eventID); rejected {
			history.Manual.Rejected[eventID] = true
		}

		return nil
	}); err != nil || len(ids) == 0 {
		return err
	}

	rows, err = tx.Query(ctx, selectKept, ids)
	if err != nil {
		return err
	}

	var r decisionRow

	_, err = pgx.ForEachRow(rows, r.targets(), func() error {
		sale := r.event()

		number := sale.Snapshot().Order()
		if _, tied := history.Parts.Ties.Number(decision.TieOfOrder(number)); tied {
			history.Parts.Keeps = append(history.Parts.Keeps, sale)
		}

		return nil
	})

	return err
}

// entries reads the decisions of the user with what is posted for each, in the order of the events.
func entries(
	ctx context.Context,
	tx pgx.Tx,
	user string,
) iter.Seq2[application.Entry, error] {
	return func(yield func(application.Entry, error) bool) {
		posted, stop := iter.Pull2(byCursor(ctx, tx, "posted", selectPostedInOrder, scanPosted, []string{user}))
		defer stop()

		next, err, more := posted()

		for entry, failed := range byCursor(ctx, tx, "entries", selectEntries, scanEntry, user) {
			for more && err == nil && !next.follows(entry.Event) {
				if next.eventID == entry.Event.ID() && next.amount.Currency().Valid() {
					entry.Posted = append(entry.Posted, next.amount)
				}

				next, err, more = posted()
			}

			if err = errors.Join(err, failed); !yield(entry, err) || err != nil {
				return
			}
		}
	}
}

// postedRow is what is posted for an event in one currency.
type postedRow struct {
	eventID    string
	occurredAt time.Time
	amount     money.Amount // zero in an unknown currency
}

func scanPosted(row pgx.CollectableRow) (postedRow, error) {
	var (
		p     postedRow
		code  string
		minor int64
	)

	err := row.Scan(&p.eventID, &p.occurredAt, &code, &minor)
	if currency, unknown := money.ParseCurrency(code); unknown == nil {
		p.amount = money.FromMinor(minor, currency)
	}

	return p, err
}

// follows reports whether the row is of a later event, in the order of decision.Chronological.
func (p postedRow) follows(e event.Event) bool {
	return cmp.Or(p.occurredAt.Compare(e.OccurredAt()), cmp.Compare(p.eventID, e.ID())) > 0
}

// byCursor reads the rows of a statement by a cursor, which sees nothing that is written meanwhile.
func byCursor[T any](
	ctx context.Context,
	tx pgx.Tx,
	name, sql string,
	scan pgx.RowToFunc[T],
	args ...any,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T

		if _, err := tx.Exec(ctx, "DECLARE "+name+" NO SCROLL CURSOR FOR "+sql, args...); err != nil {
			yield(none, err)
			return
		}

		// An error has ended the transaction, and the cursor with it.
		defer func() { _, _ = tx.Exec(ctx, "CLOSE "+name) }()

		for {
			rows, err := collect(ctx, tx, scan, fmt.Sprintf("FETCH %d FROM %s", fetched, name))
			if err != nil {
				yield(none, err)
				return
			}

			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}

			if len(rows) < fetched {
				return
			}
		}
	}
}

func scanEntry(row pgx.CollectableRow) (application.Entry, error) {
	var r decisionRow
	if err := row.Scan(r.targets()...); err != nil {
		return application.Entry{}, err
	}

	d, err := r.decision()

	return application.Entry{EffectiveDecision: application.EffectiveDecision{
		Decision:     d,
		CommissionID: value(r.commissionID),
	}}, err
}
