package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tributary/commission/internal/application/consume"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/ledger"
	platform "tributary/platform/postgres"
)

var _ consume.Store = (*Store)(nil)

// Decide implements consume.Store: lock, load, decide, and a handful of statements whatever the number of events.
func (s *Store) Decide(ctx context.Context, events []event.Event, decide func(consume.State) (consume.Changes, error)) error {
	for range maxRaces {
		err := s.begin(ctx, "store decisions", func(tx pgx.Tx) error {
			state, err := s.load(ctx, tx, events)
			if err != nil {
				return err
			}
			changes, err := decide(state)
			if err != nil {
				return err
			}
			return store(ctx, tx, changes)
		})
		if !errors.Is(err, errRace) {
			return err
		}
	}
	return platform.Fault("store decisions", errRace)
}

const (
	insertDecisions = `
INSERT INTO decisions (event_id, user_id, event_type, occurred_at, received_at, decided_at, campaign_id, product_id, order_id, original_event_id,
       amount_sent, currency_sent, self_referral, outcome, reason, rules_revision, rule_id, rule_version, currency, base_minor, position_minor, cap_used_minor,
       reverses_event_id, reversed_before, order_taken_by, unrounded, amount_minor, available_at, commission_id)
SELECT e, u, t, o, r, $27, nullif(ca, ''), nullif(p, ''), nullif(od, ''), nullif(og, ''), nullif(a, ''), nullif(cs, ''), sr, oc, re, rv, nullif(ri, '')::uuid,
       nullif(rn, 0), nullif(cu, ''), b, nullif(po, 0), nullif(cp, 0), nullif(rs, ''), nullif(rb, 0), nullif(ob, ''), nullif(un, ''), am, av, nullif(ci, '')::uuid
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
       $12::bool[], $13::text[], $14::text[], $15::bigint[], $16::text[], $17::int[], $18::text[], $19::bigint[], $20::bigint[], $21::bigint[], $22::text[],
       $23::bigint[], $24::text[], $25::text[], $26::bigint[], $28::timestamptz[], $29::text[])
       AS t (e, u, t, o, r, ca, p, od, og, a, cs, sr, oc, re, rv, ri, rn, cu, b, po, cp, rs, rb, ob, un, am, av, ci)
ON CONFLICT (event_id) DO NOTHING`

	resolveDecision = `
UPDATE decisions SET outcome = $2, reason = $3, rules_revision = $4, rule_id = nullif($5, '')::uuid, rule_version = nullif($6::int, 0), currency = nullif($7, ''),
       base_minor = $8, position_minor = nullif($9::bigint, 0), cap_used_minor = nullif($10::bigint, 0), reverses_event_id = nullif($11, ''),
       reversed_before = nullif($12::bigint, 0), unrounded = nullif($13, ''), amount_minor = $14, available_at = $15, commission_id = nullif($16, '')::uuid,
       resolved_at = $17
WHERE event_id = $1 AND outcome = 'parked'`

	insertCommissions = `
INSERT INTO commissions (id, event_id, user_id, campaign_id, product_id, order_id, event_type, kind, status, base_minor, rate, amount_minor, currency,
       rule_id, rule_version, reverses_id, reason, available_at, occurred_at, created_at)
SELECT i::uuid, nullif(e, ''), u, nullif(ca, ''), nullif(p, ''), nullif(od, ''), nullif(t, ''), k, s, b, nullif(r, ''), a, c, nullif(ri, '')::uuid, nullif(rn, 0),
       nullif(rv, '')::uuid, nullif(re, ''), av, o, $20
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::bigint[],
       $13::text[], $14::text[], $15::int[], $16::text[], $17::text[], $18::timestamptz[], $19::timestamptz[])
       AS t (i, e, u, ca, p, od, t, k, s, b, r, a, c, ri, rn, rv, re, av, o)`

	insertTransfers = `
INSERT INTO ledger (user_id, currency, from_account, to_account, amount_minor, commission_id, payout_id, created_at)
SELECT u, c, f, t, a, nullif(ci, '')::uuid, nullif(pi, '')::uuid, $8
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[]) AS t (u, c, f, t, a, ci, pi)`

	reverseEarnings = `UPDATE commissions SET status = 'reversed', version = version + 1 WHERE id = ANY($1::uuid[])`
	settleClawbacks = `UPDATE commissions SET status = 'approved', version = version + 1 WHERE reverses_id = ANY($1::uuid[]) AND status = 'pending'`

	upsertUsage = `
INSERT INTO usage AS n (user_id, rule_id, currency, period, volume_minor, earned_minor)
SELECT u, r::uuid, c, p, v, e FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) AS t (u, r, c, p, v, e)
ON CONFLICT (user_id, rule_id, currency, period) DO UPDATE SET volume_minor = n.volume_minor + excluded.volume_minor, earned_minor = n.earned_minor + excluded.earned_minor`
)

// store writes the changes in one round trip. errRace when an event got its decision from somebody else meanwhile.
func store(ctx context.Context, tx pgx.Tx, c consume.Changes) error {
	var batch pgx.Batch
	if len(c.Decisions) > 0 {
		batch.Queue(insertDecisions, decisionArrays(c)...).Exec(expect(len(c.Decisions)))
	}
	for _, d := range c.Resolved {
		batch.Queue(resolveDecision, resolution(d, c.Now)...).Exec(expect(1))
	}
	queueCommissions(&batch, c.Commissions, c.Now)
	if len(c.Reversed) > 0 {
		batch.Queue(reverseEarnings, c.Reversed)
		batch.Queue(settleClawbacks, c.Reversed)
	}
	queueTransfers(&batch, c.Transfers, c.Now)
	queueUsage(&batch, c.Usage)
	if batch.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &batch).Close()
}

func expect(rows int) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != int64(rows) {
			return errRace
		}
		return nil
	}
}

// column takes one value out of every row.
func column[R, V any](rows []R, pick func(*R) V) []V {
	out := make([]V, len(rows))
	for i := range rows {
		out[i] = pick(&rows[i])
	}
	return out
}

func decisionArrays(c consume.Changes) []any {
	type row struct {
		consume.Decided

		sent event.Facts
	}
	rows := make([]row, len(c.Decisions))
	for i, d := range c.Decisions {
		rows[i] = row{Decided: d, sent: d.Event.Facts()}
	}
	text := func(pick func(*row) string) []string { return column(rows, pick) }
	number := func(pick func(*row) int64) []int64 { return column(rows, pick) }
	return []any{
		text(func(r *row) string { return r.sent.ID }), text(func(r *row) string { return r.sent.UserID }), text(func(r *row) string { return string(r.sent.Type) }),
		column(rows, func(r *row) time.Time { return r.sent.OccurredAt }), column(rows, func(r *row) time.Time { return r.sent.ReceivedAt }),
		text(func(r *row) string { return r.sent.CampaignID }), text(func(r *row) string { return r.sent.ProductID }), text(func(r *row) string { return r.sent.OrderID }),
		text(func(r *row) string { return r.sent.OriginalID }), text(func(r *row) string { return r.sent.Amount }), text(func(r *row) string { return r.sent.Currency }),
		column(rows, func(r *row) bool { return r.sent.SelfReferral }), text(func(r *row) string { return string(r.Outcome) }), text(func(r *row) string { return string(r.Reason) }),
		number(func(r *row) int64 { return r.Revision }), text(func(r *row) string { return r.Rule.ID }), column(rows, func(r *row) int { return r.Rule.Version }),
		text(func(r *row) string { return r.Currency.String() }), column(rows, func(r *row) *int64 { return minor(r.Decision, r.Base.Minor()) }),
		number(func(r *row) int64 { return r.Position }), number(func(r *row) int64 { return r.CapUsed }), text(func(r *row) string { return r.OriginalID }),
		number(func(r *row) int64 { return r.ReversedBefore }), text(func(r *row) string { return r.OrderTakenBy }), text(func(r *row) string { return r.Unrounded }),
		column(rows, func(r *row) *int64 { return minor(r.Decision, r.Amount.Minor()) }), c.Now,
		column(rows, func(r *row) *time.Time { return orNil(r.AvailableAt) }), text(func(r *row) string { return r.CommissionID }),
	}
}

// minor is NULL where the decision never got as far as a currency.
func minor(d decision.Decision, units int64) *int64 {
	if !d.Currency.Valid() {
		return nil
	}
	return &units
}

func resolution(d consume.Decided, now time.Time) []any {
	return []any{
		d.Event.ID(), string(d.Outcome), string(d.Reason), d.Revision, d.Rule.ID, d.Rule.Version, d.Currency.String(), minor(d.Decision, d.Base.Minor()),
		d.Position, d.CapUsed, d.OriginalID, d.ReversedBefore, d.Unrounded, minor(d.Decision, d.Amount.Minor()), orNil(d.AvailableAt), d.CommissionID, now,
	}
}

func queueCommissions(batch *pgx.Batch, commissions []commission.Commission, now time.Time) {
	if len(commissions) == 0 {
		return
	}
	rows := make([]commission.State, len(commissions))
	for i, c := range commissions {
		rows[i] = c.State()
	}
	text := func(pick func(*commission.State) string) []string { return column(rows, pick) }
	batch.Queue(insertCommissions,
		text(func(s *commission.State) string { return s.ID }), text(func(s *commission.State) string { return s.EventID }), text(func(s *commission.State) string { return s.UserID }),
		text(func(s *commission.State) string { return s.CampaignID }), text(func(s *commission.State) string { return s.ProductID }), text(func(s *commission.State) string { return s.OrderID }),
		text(func(s *commission.State) string { return string(s.EventType) }), text(func(s *commission.State) string { return string(s.Kind) }), text(func(s *commission.State) string { return string(s.Status) }),
		column(rows, func(s *commission.State) int64 { return s.Base.Minor() }), text(func(s *commission.State) string { return s.Rate }), column(rows, func(s *commission.State) int64 { return s.Amount.Minor() }),
		text(func(s *commission.State) string { return s.Amount.Currency().String() }), text(func(s *commission.State) string { return s.Rule.ID }), column(rows, func(s *commission.State) int { return s.Rule.Version }),
		text(func(s *commission.State) string { return s.ReversesID }), text(func(s *commission.State) string { return s.Reason }),
		column(rows, func(s *commission.State) time.Time { return s.AvailableAt }), column(rows, func(s *commission.State) time.Time { return s.OccurredAt }), now)
}

func queueTransfers(batch *pgx.Batch, rows []ledger.Transfer, now time.Time) {
	if len(rows) == 0 {
		return
	}
	text := func(pick func(*ledger.Transfer) string) []string { return column(rows, pick) }
	batch.Queue(insertTransfers,
		text(func(t *ledger.Transfer) string { return t.UserID }), text(func(t *ledger.Transfer) string { return t.Amount.Currency().String() }),
		text(func(t *ledger.Transfer) string { return string(t.From) }), text(func(t *ledger.Transfer) string { return string(t.To) }),
		column(rows, func(t *ledger.Transfer) int64 { return t.Amount.Minor() }), text(func(t *ledger.Transfer) string { return t.CommissionID }),
		text(func(t *ledger.Transfer) string { return t.PayoutID }), now)
}

func queueUsage(batch *pgx.Batch, usage map[decision.UsageKey]decision.Usage) {
	if len(usage) == 0 {
		return
	}
	var users, rules, currencies, periods []string
	var volumes, earned []int64
	for key, change := range usage {
		users, rules, currencies = append(users, key.UserID), append(rules, key.RuleID), append(currencies, key.Currency.String())
		periods, volumes, earned = append(periods, key.Period), append(volumes, change.Volume), append(earned, change.Earned)
	}
	batch.Queue(upsertUsage, users, rules, currencies, periods, volumes, earned)
}

func transfersOf(commissions []commission.Commission) []ledger.Transfer {
	var out []ledger.Transfer
	for _, c := range commissions {
		if transfer, ok := c.Transfer(); ok {
			out = append(out, transfer)
		}
	}
	return out
}
