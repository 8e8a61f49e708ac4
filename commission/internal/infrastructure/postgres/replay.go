package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/platform/money"
)

var _ replay.Store = (*Store)(nil)

const (
	selectUsers = `SELECT DISTINCT user_id FROM decisions WHERE occurred_at >= $1
    AND occurred_at < $2 ORDER BY user_id`

	// Decisions with a commission are found by it, the others by their own indexes. No index has
	// all decisions of a user, since each event would pay for it.
	idsOfUser = `
    SELECT event_id FROM commissions WHERE user_id = $1 AND event_id IS NOT NULL
    UNION SELECT event_id FROM decisions WHERE user_id = $1 AND outcome = 'not_commissioned'
    UNION SELECT event_id FROM decisions WHERE user_id = $1 AND outcome = 'parked'`

	selectUserDecisions = `
SELECT ` + decisionColumns + ` FROM (` + idsOfUser + `) AS ids
CROSS JOIN LATERAL (
    SELECT * FROM standing_decisions AS s WHERE s.event_id = ids.event_id OFFSET 0
) AS d
ORDER BY d.occurred_at, d.event_id LIMIT $2`

	selectBooked = `
SELECT coalesce(d.reverses_event_id, c.event_id), c.currency,
    coalesce(sum(c.amount_minor) FILTER (WHERE c.status <> 'rejected'), 0)::bigint,
    bool_or(c.reverses_id IS NULL AND c.status = 'rejected'),
    bool_or(c.reverses_id IS NULL AND c.status = 'held')
FROM commissions AS c
LEFT JOIN LATERAL (
    SELECT reverses_event_id FROM decisions
    WHERE event_id = c.event_id AND c.kind = 'clawback'
    OFFSET 0
) AS d ON true
WHERE c.user_id = $1 AND c.event_id IS NOT NULL
GROUP BY 1, 2`

	selectUserUsage = `SELECT rule_id::text, currency, period, volume_minor, earned_minor FROM usage
    WHERE user_id = $1`

	upsertStanding = `
INSERT INTO replayed_decisions AS p (event_id, outcome, reason, rules_revision, rule_id,
    rule_version, currency, base_minor, position_minor, cap_used_minor,
    reverses_event_id, reversed_before, unrounded, amount_minor, available_at, commission_id,
        replayed_at, order_taken_by)
VALUES ($1, $2, $3, $4, nullif($5, '')::uuid, nullif($6::int, 0), nullif($7, ''), $8,
    nullif($9::bigint, 0), nullif($10::bigint, 0),
    nullif($11, ''), nullif($12::bigint, 0), nullif($13, ''), $14, $15, nullif($16, '')::uuid,
        $17, nullif($18, ''))
ON CONFLICT (event_id) DO UPDATE SET outcome = excluded.outcome, reason = excluded.reason,
    rules_revision = excluded.rules_revision, rule_id = excluded.rule_id,
    rule_version = excluded.rule_version, currency = excluded.currency,
        base_minor = excluded.base_minor, position_minor = excluded.position_minor,
    cap_used_minor = excluded.cap_used_minor, reverses_event_id = excluded.reverses_event_id,
        reversed_before = excluded.reversed_before,
    order_taken_by = excluded.order_taken_by, unrounded = excluded.unrounded,
        amount_minor = excluded.amount_minor, available_at = excluded.available_at,
    commission_id = excluded.commission_id, replayed_at = excluded.replayed_at`
)

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

// Rebook implements replay.Store. The lock is that of consumption; what is read under it does not
// change until the transaction ends.
func (s *Store) Rebook(
	ctx context.Context,
	request change.Request,
	userID string,
	fn func(replay.History) (replay.Booking, error),
) ([]commission.Snapshot, error) {
	var booked []commission.Snapshot
	err := s.begin(ctx, "replay", func(tx pgx.Tx) error {
		locked, err := lock(ctx, tx, userID)
		if err != nil {
			return err
		}

		history, err := s.history(ctx, tx, userID)
		if err != nil {
			return err
		}

		history.Commissions = func(ids []string) ([]commission.Commission, error) {
			return readFamilies(ctx, locked, ids)
		}

		booking, err := fn(history)
		if err != nil {
			return err
		}

		booked = booking.Adjustments

		return book(ctx, locked, request, booking)
	})

	return booked, err
}

func (s *Store) history(ctx context.Context, tx pgx.Tx, userID string) (replay.History, error) {
	h := replay.History{
		UserID: userID,
		Booked: map[replay.Money]int64{},
		Manual: decision.Manual{Rejected: map[string]bool{}, Keeps: map[string]bool{}},
		Usage:  map[decision.UsageKey]decision.Usage{},
	}

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

	if h.Decisions, err = pgx.CollectRows(rows, scanStanding); err != nil {
		return h, err
	}

	if err := loadBooked(ctx, tx, h); err != nil {
		return h, err
	}

	return h, loadUserUsage(ctx, tx, h)
}

func scanStanding(row pgx.CollectableRow) (replay.Standing, error) {
	var r decisionRow
	if err := row.Scan(r.targets()...); err != nil {
		return replay.Standing{}, err
	}

	d, err := r.decision()

	return replay.Standing{Decision: d, CommissionID: value(r.commissionID)}, err
}

func loadBooked(ctx context.Context, tx pgx.Tx, h replay.History) error {
	rows, err := tx.Query(ctx, selectBooked, h.UserID)
	if err != nil {
		return err
	}

	// A second telling does not keep the order that a replay has given to another one.
	second := map[string]bool{}
	for _, s := range h.Decisions {
		second[s.Event.ID()] = s.Reason == decision.DuplicateOrder
	}

	var (
		key            replay.Money
		minor          int64
		rejected, held bool
	)
	_, err = pgx.ForEachRow(
		rows,
		[]any{&key.EventID, &key.Currency, &minor, &rejected, &held},
		func() error {
			h.Booked[key] = minor
			if rejected {
				h.Manual.Rejected[key.EventID] = true
			}

			if (rejected || held) && !second[key.EventID] {
				h.Manual.Keeps[key.EventID] = true
			}

			return nil
		},
	)

	return err
}

func loadUserUsage(ctx context.Context, tx pgx.Tx, h replay.History) error {
	rows, err := tx.Query(ctx, selectUserUsage, h.UserID)
	if err != nil {
		return err
	}

	key := decision.UsageKey{UserID: h.UserID}

	var (
		usage decision.Usage
		code  string
	)
	_, err = pgx.ForEachRow(
		rows,
		[]any{&key.RuleID, &code, &key.Period, &usage.Volume, &usage.Earned},
		func() (err error) {
			if key.Currency, err = money.ParseCurrency(code); err == nil {
				h.Usage[key] = usage
			}

			return err
		},
	)

	return err
}

// book stores the result of a replay for a user, with the audit.
func book(
	ctx context.Context,
	tx moneyTx,
	request change.Request,
	b replay.Booking,
) error {
	if err := addCommissions(
		ctx,
		tx,
		b.Adjustments,
		b.Effect,
		request.Replay(),
		b.Now,
	); err != nil {
		return err
	}

	var batch pgx.Batch
	for i := range b.Adjustments {
		batch.Queue(
			insertAudit,
			b.Now,
			request.Actor,
			"replay",
			"commission",
			b.Adjustments[i].ID,
			request.Reason,
			"",
			command.AuditedCommission(b.Adjustments[i]),
			request.RequestID,
		)
	}

	for _, d := range b.Standing {
		answer := resolution(
			command.Decided{Decision: d.Decision, CommissionID: d.CommissionID},
			b.Now,
		)
		batch.Queue(upsertStanding, append(answer, d.OrderTakenBy)...)
	}

	queueUsage(&batch, upsertUsage, b.Usage)

	return tx.SendBatch(ctx, &batch).Close()
}
