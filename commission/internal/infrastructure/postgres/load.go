package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
)

// How a row is found never depends on statistics, which a new database does not have: if keys are
// joined with a table, the table is a LATERAL subquery with OFFSET 0, which PostgreSQL looks up for
// each key and never reads from end to end.
const (
	selectDecided = `SELECT event_id FROM decisions WHERE event_id = ANY($1)`

	// The originals of the batch's events in their current state: by id, with the sale that took
	// the order of a repeated one, and sales of the same orders. With what earlier reversals
	// reversed.
	selectOriginals = `
SELECT ` + decisionColumns + `, coalesce(r.reversed, 0), r.times
FROM (
    SELECT e.* FROM effective_decisions AS e WHERE e.event_id = ANY($1)
    UNION
    SELECT e.* FROM effective_decisions AS s
    CROSS JOIN LATERAL (
        SELECT * FROM effective_decisions AS e WHERE e.event_id = s.order_taken_by OFFSET 0
    ) AS e
    WHERE s.event_id = ANY($1)
    UNION
    SELECT e.* FROM unnest($2::text[], $3::text[]) AS o (user_id, order_id)
    CROSS JOIN LATERAL (
        SELECT * FROM effective_decisions AS e
        WHERE e.user_id = o.user_id AND e.order_id = o.order_id
            AND sells(e.event_type)
        OFFSET 0
    ) AS e
) AS d
CROSS JOIN LATERAL (
    SELECT sum(base_minor)::bigint AS reversed, count(*) AS times
    FROM (
        SELECT reason, base_minor FROM decisions AS y WHERE y.reverses_event_id = d.event_id
            AND NOT EXISTS (SELECT FROM replayed_decisions AS p WHERE p.event_id = y.event_id)
        UNION ALL
        SELECT reason, base_minor FROM replayed_decisions AS p
            WHERE p.reverses_event_id = d.event_id
    ) AS x
    WHERE x.reason IN ('clawed_back', 'nothing_to_claw_back')
) AS r
ORDER BY d.occurred_at, d.event_id`

	selectParked = `
SELECT ` + decisionColumns + `
FROM unnest($1::text[], $2::text[]) AS q (user_id, ref)
CROSS JOIN LATERAL (
    SELECT * FROM decisions AS d
    WHERE d.user_id = q.user_id AND coalesce(d.original_event_id, d.order_id) = q.ref
        AND d.outcome = 'parked'
    OFFSET 0
) AS d`

	selectUsage = `
SELECT u.user_id, u.rule_id::text, u.currency, u.period, u.volume_minor, u.earned_minor
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[]) AS q (user_id, rule_id, currency,
    period)
CROSS JOIN LATERAL (
    SELECT * FROM usage AS u
    WHERE (u.user_id, u.rule_id, u.currency, u.period)
        = (q.user_id, q.rule_id, q.currency, q.period)
    OFFSET 0
) AS u`
)

// load locks the users and reads what the events require: one round trip, and a second one only for
// reversals, tiers and caps.
func (s *Store) load(
	ctx context.Context,
	tx pgx.Tx,
	events []event.Event,
) (moneyTx, command.DecisionState, error) {
	state := command.DecisionState{
		Accounts: decision.NewAccounts(len(events)),
		Earnings: map[string]*commission.Commission{},
	}
	required := decision.Require(events)
	users, ids := refTexts(required.Events)

	var (
		batch    pgx.Batch
		revision int64
		found    originals
	)
	known, missing := s.ends.take(users)
	locked := queueLock(&batch, tx, users, known, missing)

	batch.Queue(selectRevision).QueryRow(func(row pgx.Row) error { return row.Scan(&revision) })
	batch.Queue(selectDecided, ids).Query(func(rows pgx.Rows) error {
		decided, err := pgx.CollectRows(rows, pgx.RowTo[string])
		state.Accounts.LoadDecided(required, decided)

		return err
	})
	queueOriginals(&batch, required, &found)
	queueParked(&batch, required, state.Accounts)

	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return locked, state, err
	}

	state.Accounts.LoadOriginals(required, found.events)

	var err error
	if state.Rules, err = s.rulesAt(ctx, tx, revision); err != nil {
		return locked, state, err
	}

	if err := loadEarnings(ctx, locked, found.earnings, &state); err != nil {
		return locked, state, err
	}

	usage := state.Accounts.RequiredUsage(events, state.Rules)

	return locked, state, loadUsage(ctx, tx, usage, state.Accounts)
}

// refTexts returns the users and the ids.
func refTexts(refs []decision.Ref) (users, ids []string) {
	users, ids = make([]string, len(refs)), make([]string, len(refs))
	for i, ref := range refs {
		users[i], ids[i] = ref.UserID, ref.ID
	}

	return users, ids
}

// orderTexts appends the users and the numbers.
func orderTexts(users, numbers []string, orders []event.Order) (_, _ []string) {
	for _, o := range orders {
		users, numbers = append(users, o.UserID), append(numbers, o.Number)
	}

	return users, numbers
}

// originals are the events that reversals may reverse, and the ids of those commissions that are
// earnings.
type originals struct {
	events   []decision.Original
	earnings []string
}

func queueOriginals(batch *pgx.Batch, required decision.Required, found *originals) {
	if len(required.Originals)+len(required.Orders) == 0 {
		return
	}

	_, ids := refTexts(required.Originals)
	users, numbers := orderTexts(nil, nil, required.Orders)
	batch.Queue(selectOriginals, ids, users, numbers).Query(found.read)
}

func (o *originals) read(rows pgx.Rows) error {
	var (
		r        decisionRow
		reversed int64
		times    int
	)
	_, err := pgx.ForEachRow(rows, append(r.targets(), &reversed, &times), func() error {
		d, err := r.decision()
		if err != nil {
			return err
		}

		if r.commissionID != nil && d.Earned() {
			o.earnings = append(o.earnings, *r.commissionID)
		}

		o.events = append(o.events, decision.Original{
			Decision:      d,
			Reversed:      reversed,
			Times:         times,
			HasCommission: r.commissionID != nil,
		})

		return nil
	})

	return err
}

func queueParked(batch *pgx.Batch, required decision.Required, accounts *decision.Accounts) {
	users, refs := refTexts(required.Events)
	users, refs = orderTexts(users, refs, required.Sold)

	batch.Queue(selectParked, users, refs).Query(func(rows pgx.Rows) error {
		parked, err := pgx.CollectRows(rows, scanEvent)
		accounts.LoadParked(required, parked)

		return err
	})
}

// loadEarnings reads the commissions that reversals may reverse. Their users are locked, so they
// are not approved or rejected meanwhile.
func loadEarnings(
	ctx context.Context,
	tx moneyTx,
	ids []string,
	state *command.DecisionState,
) error {
	if len(ids) == 0 {
		return nil
	}

	families, err := readFamilies(ctx, tx, ids)
	if err != nil {
		return err
	}

	for i := range families {
		s := families[i].Snapshot()

		state.Earnings[s.EventID] = &families[i]
		if s.Status == commission.Rejected {
			state.Accounts.Reject(decision.Ref{UserID: s.UserID, ID: s.EventID})
		}
	}

	return nil
}

// loadUsage reads the accounts. Those that are missing, and may have been in use before they were
// kept, are derived from the decisions first.
func loadUsage(
	ctx context.Context,
	tx pgx.Tx,
	keys map[decision.UsageKey]decision.UsageSpan,
	accounts *decision.Accounts,
) error {
	if len(keys) == 0 {
		return nil
	}

	if err := readUsage(ctx, tx, keys, accounts, selectUsage); err != nil {
		return err
	}

	for key, span := range keys {
		if !span.Derived { // nothing was ever added to it
			accounts.LoadUsage(key, decision.Usage{})
			delete(keys, key)
		}
	}

	if len(keys) == 0 {
		return nil
	}

	return readUsage(ctx, tx, keys, accounts, deriveUsage)
}

// readUsage loads the accounts that the statement returns, and takes them out of keys.
func readUsage(
	ctx context.Context,
	tx pgx.Tx,
	keys map[decision.UsageKey]decision.UsageSpan,
	accounts *decision.Accounts,
	sql string,
) error {
	var (
		users, rules, currencies, periods []string
		from, to                          []time.Time
	)
	for key, a := range keys {
		users, rules = append(users, key.UserID), append(rules, key.RuleID)
		currencies, periods = append(currencies, key.Currency.String()), append(periods, key.Period)
		from, to = append(from, a.From), append(to, a.To)
	}

	args := []any{users, rules, currencies, periods}
	if sql == deriveUsage {
		args = append(args, from, to)
	}

	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}

	return eachUsage(rows, func(key decision.UsageKey, usage decision.Usage) {
		accounts.LoadUsage(key, usage)
		delete(keys, key)
	})
}
