package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/settle"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
)

var _ settle.Store = (*Store)(nil)

const (
	selectMaker = `SELECT actor FROM audit WHERE subject_type = 'commission' AND subject_id = $1
    AND action = 'adjust'`

	lockCommission = selectCommissions + ` WHERE id = $1 FOR UPDATE`

	moveCommission = `UPDATE commissions SET status = $2, reason = $3, version = version + 1
    WHERE id = $1 RETURNING ` + commissionColumns

	// settleRows moves the money of earnings, and of their clawbacks and adjustments that are still
	// pending, out of the pending account.
	settleRows = `
WITH moved AS (
    UPDATE commissions SET status = $2, version = version + 1 WHERE reverses_id = ANY($1::uuid[])
        AND status = 'pending'
    RETURNING id, user_id, currency, amount_minor
), rows AS (
    SELECT * FROM moved UNION ALL SELECT id, user_id, currency, amount_minor FROM commissions
        WHERE id = ANY($1::uuid[])
)
INSERT INTO ledger (user_id, currency, from_account, to_account, amount_minor, position_minor,
    commission_id, created_at)
SELECT r.user_id, r.currency, CASE WHEN amount_minor > 0 THEN 'pending' ELSE $3 END,
    CASE WHEN amount_minor > 0 THEN $3 ELSE 'pending' END, abs(amount_minor),
    CASE WHEN $3 = 'available' THEN coalesce(
        CASE WHEN amount_minor > 0 THEN credited_minor ELSE debited_minor END, 0) + before END,
    id, $4
FROM (
    SELECT *, sum(abs(amount_minor)) OVER (PARTITION BY user_id, currency, amount_minor > 0
        ORDER BY id) - abs(amount_minor) AS before
    FROM rows
) AS r
LEFT JOIN LATERAL (
    SELECT credited_minor, debited_minor FROM balances
    WHERE user_id = r.user_id AND currency = r.currency
    OFFSET 0
) AS b ON true`

	selectDue = `SELECT id::text, user_id FROM commissions WHERE status = 'pending'
    AND reverses_id IS NULL AND event_id IS NOT NULL AND available_at <= $1 ORDER BY available_at LIMIT $2`

	lockDue = `SELECT id::text FROM commissions WHERE id = ANY($1::uuid[]) AND status = 'pending'
    ORDER BY id FOR UPDATE`

	approveRows = `UPDATE commissions SET status = 'approved', version = version + 1
    WHERE id = ANY($1::uuid[])`
)

func (s *Store) Act(
	ctx context.Context,
	request change.Request,
	act settle.Action,
) (commission.Commission, error) {
	if _, err := uuid.Parse(act.ID); err != nil {
		return commission.Commission{}, commission.ErrNotFound
	}

	return once(ctx, s, request, func(tx pgx.Tx) (commission.Commission, change.Record, error) {
		record := change.Record{
			Action:      string(act.Action),
			SubjectType: "commission",
			SubjectID:   act.ID,
		}

		found, err := readCommission(ctx, tx, selectCommissions+` WHERE id = $1`, act.ID)
		if err != nil {
			return found, record, err
		}

		owner := found.State().UserID // never changes
		if err := request.CheckGain(owner); err != nil {
			return found, record, err
		}

		locked, err := lock(ctx, tx, owner)
		if err != nil {
			return found, record, err
		}

		before, err := readCommission(ctx, tx, lockCommission, act.ID)
		if err != nil {
			return before, record, err
		}

		state := before.State()
		if act.Version != 0 && act.Version != state.Version {
			return before, record, change.ErrVersion
		}

		if state.ByOperator() && act.Action == commission.Approve {
			if err := checkSecond(ctx, tx, request, act.ID); err != nil {
				return before, record, err
			}
		}

		next, err := state.Next(act.Action)
		if err != nil {
			return before, record, err
		}

		after, err := readCommission(ctx, tx, moveCommission, act.ID, string(next), request.Reason)
		if err != nil {
			return before, record, err
		}

		record.Before, record.After = snapshot(state), snapshot(after.State())

		switch next {
		case commission.Approved, commission.Rejected:
			err = moveSettled(ctx, locked, []string{act.ID}, next, request.Now)
		case commission.Pending, commission.Held, commission.Reversed:
		}

		if err == nil && next == commission.Rejected && state.EventID != "" {
			err = s.release(ctx, tx, state.EventID)
		}

		return after, record, err
	})
}

// checkSecond returns a fault if the request's actor made the adjustment.
func checkSecond(ctx context.Context, tx pgx.Tx, request change.Request, id string) error {
	var maker string
	if err := tx.QueryRow(ctx, selectMaker, id).Scan(&maker); err != nil {
		return err
	}

	return request.CheckSecond(maker)
}

// release removes the rejected earning of the event from the accounts of tiers and caps.
func (s *Store) release(ctx context.Context, tx pgx.Tx, eventID string) error {
	var revision int64
	if err := tx.QueryRow(ctx, selectRevision).Scan(&revision); err != nil {
		return err
	}

	rules, err := s.rulesAt(ctx, tx, revision)
	if err != nil {
		return err
	}

	rows, err := tx.Query(ctx, selectOriginals, []string{eventID}, []string{}, []string{})
	if err != nil {
		return err
	}

	books, found := decision.NewBooks(1), map[string]decision.Decision{}
	if err := loadOriginals(rows, found, new([]string), books); err != nil {
		return err
	}

	books.Release(found[eventID].Event, rules)

	var batch pgx.Batch
	queueUsage(&batch, releaseUsage, books.Changes())

	return tx.SendBatch(ctx, &batch).Close()
}

// snapshot returns the members of a commission that an audit row contains: all that can change.
func snapshot(s commission.State) string {
	return fmt.Sprintf(
		`{"status":%q,"version":%d,"amount_minor":%d,"currency":%q}`,
		s.Status,
		s.Version,
		s.Amount.Minor(),
		s.Amount.Currency(),
	)
}

func readCommission(
	ctx context.Context,
	tx pgx.Tx,
	sql string,
	args ...any,
) (commission.Commission, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return commission.Commission{}, err
	}

	found, err := pgx.CollectExactlyOneRow(rows, scanCommission)
	if errors.Is(err, pgx.ErrNoRows) {
		return found, commission.ErrNotFound
	}

	return found, err
}

func (s *Store) Adjust(
	ctx context.Context,
	request change.Request,
	made commission.Commission,
) (commission.Commission, error) {
	return once(ctx, s, request, func(tx pgx.Tx) (commission.Commission, change.Record, error) {
		record := change.Record{
			Action:      "adjust",
			SubjectType: "commission",
			SubjectID:   made.State().ID,
			After:       snapshot(made.State()),
		}

		locked, err := lock(ctx, tx, made.State().UserID)
		if err != nil {
			return made, record, err
		}

		return made, record, addCommissions(
			ctx,
			locked,
			[]commission.Commission{made},
			request.Now,
		)
	})
}

// addCommissions stores commissions with the transfers that post their money.
func addCommissions(
	ctx context.Context,
	tx moneyTx,
	made []commission.Commission,
	now time.Time,
) error {
	if err := copyCommissions(ctx, tx, made, now); err != nil {
		return err
	}

	transfers, err := transfersOf(made)
	if err != nil {
		return err
	}

	return copyTransfers(ctx, tx, transfers, now)
}

// ApproveDue implements settle.Store. Due commissions are read twice: first for the users to lock,
// then again under their locks.
func (s *Store) ApproveDue(ctx context.Context, now time.Time, limit int) (int, error) {
	var approved []string
	err := s.begin(ctx, "approve what is due", func(tx pgx.Tx) error {
		approved = nil

		ids, users, err := due(ctx, tx, now, limit)
		if err != nil || len(ids) == 0 {
			return err
		}

		locked, err := lock(ctx, tx, users...)
		if err != nil {
			return err
		}

		if approved, err = collect(ctx, tx, pgx.RowTo[string], lockDue, ids); err != nil {
			return err
		}

		if _, err := tx.Exec(ctx, approveRows, approved); err != nil {
			return err
		}

		return moveSettled(ctx, locked, approved, commission.Approved, now)
	})

	return len(approved), err
}

// due returns the ids and users of earnings at the end of their hold period.
func due(
	ctx context.Context,
	tx pgx.Tx,
	now time.Time,
	limit int,
) (ids, users []string, err error) {
	rows, err := tx.Query(ctx, selectDue, now, limit)
	if err != nil {
		return nil, nil, err
	}

	return pairs(rows)
}

// pairs reads rows of two texts.
func pairs(rows pgx.Rows) (ids, users []string, err error) {
	var id, user string
	_, err = pgx.ForEachRow(rows, []any{&id, &user}, func() error {
		ids = append(ids, id)
		users = append(users, user)

		return nil
	})

	return ids, users, err
}

// moveSettled moves the money of earnings that became approved or rejected, and of the rows that
// follow them.
func moveSettled(
	ctx context.Context,
	tx moneyTx,
	ids []string,
	to commission.Status,
	now time.Time,
) error {
	_, err := tx.Exec(ctx, settleRows, ids, string(to), string(to.Account()), now)
	return err
}
