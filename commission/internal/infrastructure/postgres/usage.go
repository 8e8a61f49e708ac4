package postgres

import (
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/domain/decision"
	"tributary/platform/money"
)

// deriveUsage computes the accounts from the effective decisions: the base and the commission that
// reversals have left of each event, without those whose commission was rejected. As in package
// decision, a base below the version's minimum does not count.
const deriveUsage = `
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[],
        $6::timestamptz[]) AS q (user_id, rule_id, currency, period, from_time, to_time)
), events AS (
    SELECT u.user_id, e.event_id FROM (SELECT DISTINCT user_id FROM wanted) AS u
    CROSS JOIN LATERAL (
        SELECT event_id FROM commissions WHERE user_id = u.user_id AND event_id IS NOT NULL
        UNION
        SELECT event_id FROM decisions WHERE user_id = u.user_id AND outcome <> 'commissioned'
        OFFSET 0
    ) AS e
), counted AS (
    SELECT w.user_id, w.rule_id, w.currency, w.period, v.minimum_base_minor AS minimum,
        e.base_minor - coalesce(r.base, 0) AS base, e.amount_minor + coalesce(r.amount, 0) AS earned
    FROM wanted AS w
    JOIN events USING (user_id)
    CROSS JOIN LATERAL (
        SELECT * FROM effective_decisions AS e
        WHERE e.event_id = events.event_id AND e.rule_id = w.rule_id AND e.currency = w.currency
            AND e.occurred_at >= w.from_time AND e.occurred_at < w.to_time
            AND NOT reverses(e.event_type)
            AND e.reason NOT IN ('below_minimum', 'amount_out_of_range')
        OFFSET 0
    ) AS e
    JOIN rules AS v ON v.rule_id = e.rule_id AND v.version = e.rule_version
    LEFT JOIN LATERAL (
        SELECT status FROM commissions WHERE id = e.commission_id OFFSET 0
    ) AS c ON true
    CROSS JOIN LATERAL (
        SELECT sum(x.base_minor) AS base, sum(x.amount_minor) AS amount
        FROM (
            SELECT reason, base_minor, amount_minor FROM decisions AS y
                WHERE y.reverses_event_id = e.event_id
                AND NOT EXISTS (SELECT FROM replayed_decisions AS p WHERE p.event_id = y.event_id)
            UNION ALL
            SELECT reason, base_minor, amount_minor FROM replayed_decisions AS p
                WHERE p.reverses_event_id = e.event_id
        ) AS x
        WHERE x.reason IN ('clawed_back', 'nothing_to_claw_back')
    ) AS r
    WHERE c.status IS DISTINCT FROM 'rejected'
)
INSERT INTO usage AS u (user_id, rule_id, currency, period, volume_minor, earned_minor)
SELECT w.user_id, w.rule_id, w.currency, w.period,
    least(coalesce(sum(c.base) FILTER (WHERE c.base >= c.minimum), 0), 9223372036854775807),
    least(coalesce(sum(c.earned), 0), 9223372036854775807)
FROM wanted AS w LEFT JOIN counted AS c USING (user_id, rule_id, currency, period)
GROUP BY w.user_id, w.rule_id, w.currency, w.period
RETURNING u.user_id, u.rule_id::text, u.currency, u.period, u.volume_minor, u.earned_minor`

// releaseUsage takes out of the accounts what is rejected. One that is missing is derived without
// it when it is needed.
const releaseUsage = `
UPDATE usage AS u
SET volume_minor = u.volume_minor + d.volume, earned_minor = u.earned_minor + d.earned
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
    AS d (user_id, rule_id, currency, period, volume, earned)
WHERE (u.user_id, u.rule_id, u.currency, u.period)
    = (d.user_id, d.rule_id, d.currency, d.period)`

// eachUsage calls fn for each row of an account: user, rule, currency, period, volume and earned.
func eachUsage(rows pgx.Rows, fn func(decision.UsageKey, decision.Usage)) error {
	var (
		key   decision.UsageKey
		usage decision.Usage
		code  string
	)
	_, err := pgx.ForEachRow(
		rows,
		[]any{&key.UserID, &key.RuleID, &code, &key.Period, &usage.Volume, &usage.Earned},
		func() (err error) {
			if key.Currency, err = money.ParseCurrency(code); err == nil {
				fn(key, usage)
			}

			return err
		},
	)

	return err
}
