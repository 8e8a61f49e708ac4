package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	application "tributary/commission/internal/application/replay"
)

// concerned are the conditions of the selected events.
func concerned(who application.Selection) conditions {
	var c conditions

	c.between("occurred_at", who.Period.From, who.Period.To)
	c.equal("event_type", string(who.Scope.EventType))
	c.equal("user_id", who.Scope.UserID)
	c.equal("campaign_id", who.Scope.CampaignID)
	c.equal("product_id", who.Scope.ProductID)

	return c
}

// usersOf returns the users of the events, in the order of the bytes of their ids.
func usersOf(events string) string {
	return `SELECT user_id, count(*) FROM ` + events + `
GROUP BY user_id ORDER BY user_id COLLATE "C"`
}

// selectConcerned returns the users of the selected events. Events of a campaign or product that
// have earned are found by the indexes of commissions. The others have none by which to find them,
// since each event would pay for it: the period is read for them, or all that earned nothing if
// those are fewer. A reversal is not found: rules apply to what it reverses.
func selectConcerned(who application.Selection) (sql string, args []any) {
	c := concerned(who)
	if who.Scope.CampaignID == "" && who.Scope.ProductID == "" {
		return usersOf("decisions" + c.where()), c.args
	}

	where := c.where()

	return usersOf(`(
    SELECT user_id FROM commissions` + where + ` AND kind = 'earning'
    UNION ALL SELECT user_id FROM decisions` + where + ` AND outcome = 'not_commissioned'
) AS events`), c.args
}

// reader reads histories in a transaction that sees all at one time.
type reader struct {
	store *Store
	tx    pgx.Tx
}

var _ application.Reader = reader{}

func (r reader) Histories(
	ctx context.Context,
	users []string,
	limit int,
) ([]application.History, error) {
	return r.store.histories(ctx, r.tx, users, limit)
}

func (r reader) Read(
	ctx context.Context,
	user string,
	fn func(application.History) error,
) error {
	history, err := r.store.historyInParts(ctx, r.tx, user)
	if err != nil {
		return err
	}

	return fn(history)
}

// Selected reads the users once, by a cursor, however long that takes.
func (s *Store) Selected(
	ctx context.Context,
	who application.Selection,
	limit int,
	fn func([]application.User, application.Reader) error,
) error {
	err := s.atOneTime(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}

		sql, args := selectConcerned(who)

		var page []application.User

		for user, err := range byCursor(ctx, tx, "users", sql, pgx.RowToStructByPos[application.User], args...) {
			if err != nil {
				return err
			}

			if page = append(page, user); len(page) < limit {
				continue
			}

			if err := fn(page, reader{s, tx}); err != nil {
				return err
			}

			page = page[:0]
		}

		if len(page) == 0 {
			return nil
		}

		return fn(page, reader{s, tx})
	})

	return mapped("read users", err)
}

// Read reads without locks, but all at one time.
func (s *Store) Read(
	ctx context.Context,
	user string,
	fn func(application.History) error,
) error {
	err := s.atOneTime(ctx, func(tx pgx.Tx) error { return reader{s, tx}.Read(ctx, user, fn) })
	return mapped("read a history", err)
}

// Histories reads without locks, but all at one time.
func (s *Store) Histories(
	ctx context.Context,
	users []string,
	limit int,
) (histories []application.History, err error) {
	err = s.atOneTime(ctx, func(tx pgx.Tx) (err error) {
		histories, err = s.histories(ctx, tx, users, limit)
		return err
	})

	return histories, mapped("read histories", err)
}

func (s *Store) atOneTime(ctx context.Context, fn func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(
		ctx,
		s.pool,
		pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		fn,
	)
}
