package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
)

var _ command.Decisions = (*Store)(nil)

// Decide locks, loads, decides, and writes by a few statements, whatever the number of events.
func (s *Store) Decide(
	ctx context.Context,
	events []event.Event,
	decide func(command.DecisionState) (command.DecisionChanges, error),
) error {
	var (
		changes command.DecisionChanges
		ended   ends
	)

	err := s.begin(ctx, "store decisions", func(tx pgx.Tx) error {
		if ended != nil { // refused, perhaps for what was known of the users
			s.ends.rest()
		}

		locked, state, err := s.load(ctx, tx, events)
		ended = locked.ends

		if err != nil {
			return err
		}

		if changes, err = decide(state); err != nil {
			return err
		}

		return store(ctx, locked, changes)
	})
	if err == nil {
		s.recent.keep(&changes)
		s.ends.put(ended)
	}

	return err
}

const (
	resolveDecision = `
UPDATE decisions SET outcome = $2, reason = $3, rules_revision = $4, rule_id = nullif($5,
    '')::uuid, rule_version = nullif($6::int, 0), currency = nullif($7, ''),
       base_minor = $8, position_minor = nullif($9::bigint, 0),
           cap_used_minor = nullif($10::bigint, 0), reverses_event_id = nullif($11, ''),
       reversed_before = nullif($12::bigint, 0), unrounded = nullif($13, ''), amount_minor = $14,
           available_at = $15, commission_id = nullif($16, '')::uuid,
       resolved_at = $17
WHERE event_id = $1 AND outcome = 'parked'`

	upsertUsage = `
INSERT INTO usage AS n (user_id, rule_id, currency, period, volume_minor, earned_minor)
SELECT u, r::uuid, c, p, v, e FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
    $5::bigint[], $6::bigint[]) AS t (u, r, c, p, v, e)
ON CONFLICT (user_id, rule_id, currency, period) DO UPDATE
    SET volume_minor = n.volume_minor + excluded.volume_minor,
        earned_minor = n.earned_minor + excluded.earned_minor`
)

// store writes the changes with a few statements, whatever their number. errRace is returned if
// another writer has decided an event meanwhile.
func store(ctx context.Context, tx moneyTx, c command.DecisionChanges) error {
	if err := copyDecisions(ctx, tx, c.Decisions, c.Now); err != nil {
		return err
	}

	if err := copyCommissions(ctx, tx, c.Commissions, c.Transfers, c.Now); err != nil {
		return err
	}

	if err := copyTransfers(ctx, tx, c.Transfers, c.Now); err != nil {
		return err
	}

	var batch pgx.Batch
	for _, d := range c.Resolved {
		batch.Queue(resolveDecision, resolution(d, c.Now)...).Exec(expect(1))
	}

	queueMoves(&batch, c.Moved)
	queueUsage(&batch, upsertUsage, c.Usage)

	if batch.Len() > 0 {
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return err
		}
	}

	return logFacts(ctx, tx, c.Facts, c.Now)
}

func expect(rows int) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != int64(rows) {
			return errRace
		}

		return nil
	}
}

// minor returns NULL if the decision has no currency.
func minor(d decision.Decision, units int64) *int64 {
	if !d.Currency.Valid() {
		return nil
	}

	return &units
}

func resolution(d command.Decided, now time.Time) []any {
	return []any{
		d.Event.ID(),
		string(d.Outcome),
		string(d.Reason),
		d.Revision,
		d.Rule.ID,
		d.Rule.Version,
		d.Currency.String(),
		minor(d.Decision, d.Base.Minor()),
		d.Position,
		d.CapUsed,
		d.OriginalID,
		d.ReversedBefore,
		d.Unrounded,
		minor(d.Decision, d.Amount.Minor()),
		orNil(d.AvailableAt),
		d.CommissionID,
		now,
	}
}

func queueUsage(batch *pgx.Batch, sql string, usage map[decision.UsageKey]decision.Usage) {
	if len(usage) == 0 {
		return
	}

	var (
		users, rules, currencies, periods []string
		volumes, earned                   []int64
	)
	for key, used := range usage {
		users = append(users, key.UserID)
		rules = append(rules, key.RuleID)
		currencies = append(currencies, key.Currency.String())
		periods = append(periods, key.Period)
		volumes = append(volumes, used.Volume)
		earned = append(earned, used.Earned)
	}

	batch.Queue(sql, users, rules, currencies, periods, volumes, earned)
}
