package postgres

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	application "tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/replay"
	platform "tributary/platform/postgres"
)

var _ application.Store = (*Store)(nil)

const (
	countPeriod = `
SELECT count(*), coalesce(sum(events), 0)::bigint FROM (
    SELECT count(*) AS events FROM decisions WHERE occurred_at >= $1 AND occurred_at < $2
    GROUP BY user_id
) AS users`

	upsertEffective = `
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

// Count reads every decision of the period, however long that takes.
func (s *Store) Count(ctx context.Context, period replay.Period) (replay.Size, error) {
	var size replay.Size
	err := s.begin(ctx, "count a period", func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}

		return tx.QueryRow(ctx, countPeriod, period.From, period.To).Scan(&size.Users, &size.Events)
	})

	return size, err
}

// Users reads every decision of the period, however long that takes.
func (s *Store) Users(
	ctx context.Context,
	period replay.Period,
	after string,
	limit int,
) ([]application.User, error) {
	var c conditions

	c.between("occurred_at", period.From, period.To)
	c.add(`user_id > $? COLLATE "C"`, after)

	sql := usersOf("decisions"+c.where()) + ` LIMIT ` + c.arg(limit)

	var users []application.User
	err := s.begin(ctx, "read users", func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}

		users, err = collect(ctx, tx, pgx.RowToStructByPos[application.User], sql, c.planned()...)

		return err
	})

	return users, err
}

// Post locks the users, then the replay. What is read under the locks of the users, which are
// those of consumption, does not change until the transaction ends.
func (s *Store) Post(
	ctx context.Context,
	claim application.Claim,
	users []string,
	fn func(*replay.Replay, []application.History) (application.Posting, error),
) ([]commission.Snapshot, error) {
	var adjustments []commission.Snapshot

	lock := func(tx pgx.Tx) (moneyTx, error) { return s.lock(ctx, tx, users...) }
	err := s.workOn(ctx, claim, lock, func(tx moneyTx, claimed *replay.Replay) error {
		// How long they are was checked before.
		histories, err := s.histories(ctx, tx, users, math.MaxInt32)
		if err != nil {
			return err
		}

		for i := range histories {
			histories[i].Commissions = func(ids []string) ([]commission.Commission, error) {
				return readFamilies(ctx, tx, ids)
			}
		}

		before := claimed.Snapshot()

		posting, err := fn(claimed, histories)
		if err != nil {
			return err
		}

		adjustments = posting.Adjustments

		return post(ctx, tx, before, posting)
	})

	return adjustments, err
}

// PostInParts locks as Post does. A dry run reads all at one time instead.
func (s *Store) PostInParts(
	ctx context.Context,
	claim application.Claim,
	user string,
	dryRun bool,
	fn func(*replay.Replay, application.History, application.Writer) error,
) error {
	lock := func(tx pgx.Tx) (moneyTx, error) { return s.lockOne(ctx, tx, user, dryRun) }

	return s.workOn(ctx, claim, lock, func(tx moneyTx, claimed *replay.Replay) error {
		history, err := s.historyInParts(ctx, tx, user)
		if err != nil {
			return err
		}

		history.Commissions = func(ids []string) ([]commission.Commission, error) {
			return readFamilies(ctx, tx, ids)
		}

		before := claimed.Snapshot()

		return fn(claimed, history, func(part application.Posting) error {
			err := post(ctx, tx, before, part)
			before.Progress.Differences += int64(len(part.Differences))

			return err
		})
	})
}

// workOn takes the locks, then the replay that is claimed, and saves it after fn.
func (s *Store) workOn(
	ctx context.Context,
	claim application.Claim,
	lock func(pgx.Tx) (moneyTx, error),
	fn func(moneyTx, *replay.Replay) error,
) error {
	return s.begin(ctx, "replay", func(tx pgx.Tx) error {
		locked, err := lock(tx)
		if err != nil {
			return err
		}

		claimed, err := lockReplay(ctx, tx, claim)
		if err != nil {
			return err
		}

		if err := fn(locked, &claimed); err != nil {
			return err
		}

		return saveReplay(ctx, tx, claimed.Snapshot())
	})
}

// lockOne locks the user, unless nothing is posted.
func (s *Store) lockOne(
	ctx context.Context,
	tx pgx.Tx,
	user string,
	dryRun bool,
) (moneyTx, error) {
	if !dryRun {
		return s.lock(ctx, tx, user)
	}

	if _, err := tx.Exec(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`); err != nil {
		return moneyTx{}, err
	}

	return s.lock(ctx, tx)
}

// post stores the result of a step, with the audit. before is the replay before the step.
func post(
	ctx context.Context,
	tx moneyTx,
	before replay.Snapshot,
	b application.Posting,
) error {
	if err := addCommissions(
		ctx,
		tx,
		b.Adjustments,
		b.Effect,
		change.OfReplay(before.ID, before.Actor),
		b.Now,
	); err != nil {
		return err
	}

	if err := copyDifferences(ctx, tx, before, b.Differences); err != nil {
		return err
	}

	records := make([]change.Record, len(b.Adjustments))
	for i := range b.Adjustments {
		records[i] = change.Record{
			At:          b.Now,
			Actor:       before.Actor,
			Action:      "replay",
			SubjectType: "commission",
			SubjectID:   b.Adjustments[i].ID,
			Reason:      before.Reason,
			After:       command.AuditedCommission(b.Adjustments[i]),
			RequestID:   before.RequestID,
		}
	}

	if err := audit(ctx, tx, change.Outcome{More: records}); err != nil {
		return err
	}

	var batch pgx.Batch
	for _, d := range b.Effective {
		answer := resolution(
			command.Decided{Decision: d.Decision, CommissionID: d.CommissionID},
			b.Now,
		)
		batch.Queue(upsertEffective, append(answer, d.OrderTakenBy)...)
	}

	queueUsage(&batch, upsertUsage, b.Usage)

	if batch.Len() == 0 {
		return nil
	}

	return tx.SendBatch(ctx, &batch).Close()
}

// copyDifferences stores what the step found, numbered after what the replay has found before.
func copyDifferences(
	ctx context.Context,
	tx pgx.Tx,
	before replay.Snapshot,
	differences []application.Difference,
) error {
	columns := []string{
		"replay_id",
		"number",
		"user_id",
		"event_id",
		"occurred_at",
		"currency",
		"expected_minor",
		"booked_minor",
	}

	rows := platform.NewCopy("replay_differences", columns, len(differences))
	for i, d := range differences {
		rows.Row().
			UUIDOrNull(before.ID).
			Bigint(before.Progress.Differences + int64(i) + 1).
			Text(d.Event.UserID()).
			Text(d.Event.ID()).
			Time(d.Event.OccurredAt()).
			Text(d.Currency.String()).
			Bigint(d.Expected).
			Bigint(d.Posted)
	}

	return rows.Into(ctx, tx)
}
