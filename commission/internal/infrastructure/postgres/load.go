package postgres

import (
	"context"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
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
    SELECT e.* FROM standing_decisions AS e WHERE e.event_id = ANY($1)
    UNION
    SELECT e.* FROM standing_decisions AS s
    CROSS JOIN LATERAL (
        SELECT * FROM standing_decisions AS e WHERE e.event_id = s.order_taken_by OFFSET 0
    ) AS e
    WHERE s.event_id = ANY($1)
    UNION
    SELECT e.* FROM unnest($2::text[], $3::text[]) AS o (user_id, order_id)
    CROSS JOIN LATERAL (
        SELECT * FROM standing_decisions AS e
        WHERE e.user_id = o.user_id AND e.order_id = o.order_id
            AND e.event_type IN ('sale', 'purchase')
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

// wanted is what the events of a batch may depend on.
type wanted struct {
	users, ids              []string
	originals               []string // named by reversals
	orderUsers, orders      []string
	parkedUsers, parkedRefs []string // what parked reversals may wait for
}

func want(events []event.Event) wanted {
	var w wanted
	for _, e := range events {
		f := e.Facts()

		w.users, w.ids = append(w.users, f.UserID), append(w.ids, f.ID)
		if f.Type.Reverses() && f.OriginalID != "" {
			w.originals = append(w.originals, f.OriginalID)
		} else if f.OrderID != "" && (f.Type.Reverses() || f.Type.Sells()) {
			w.orderUsers, w.orders = append(w.orderUsers, f.UserID), append(w.orders, f.OrderID)
		}

		w.parkedUsers, w.parkedRefs = append(w.parkedUsers, f.UserID), append(w.parkedRefs, f.ID)
		if f.OrderID != "" && f.Type.Sells() {
			w.parkedUsers, w.parkedRefs = append(w.parkedUsers, f.UserID), append(w.parkedRefs, f.OrderID)
		}
	}

	return w
}

// load locks the users and reads the state: one round trip, and a second one only for reversals,
// tiers and caps.
func (s *Store) load(
	ctx context.Context,
	tx pgx.Tx,
	events []event.Event,
) (moneyTx, command.DecisionState, error) {
	state := command.DecisionState{
		Books:    decision.NewBooks(len(events)),
		Earnings: map[string]*commission.Commission{},
	}
	w := want(events)

	var (
		revision int64
		earnings []string
	)
	originals := map[string]decision.Decision{}

	var batch pgx.Batch
	locked := queueLock(&batch, tx, w.users)

	batch.Queue(selectRevision).QueryRow(func(row pgx.Row) error { return row.Scan(&revision) })
	batch.Queue(selectDecided, w.ids).Query(func(rows pgx.Rows) error {
		var id string
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
			state.Books.LoadDecided(id)
			return nil
		})

		return err
	})

	if len(w.originals)+len(w.orders) > 0 {
		batch.Queue(selectOriginals, w.originals, w.orderUsers, w.orders).Query(
			func(rows pgx.Rows) error {
				return loadOriginals(rows, originals, &earnings, state.Books)
			},
		)
	}

	if len(w.parkedRefs) > 0 {
		batch.Queue(selectParked, w.parkedUsers, w.parkedRefs).Query(func(rows pgx.Rows) error {
			parked, err := pgx.CollectRows(rows, scanEvent)
			for _, e := range parked {
				state.Books.LoadParked(e)
			}

			return err
		})
	}

	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return locked, state, err
	}

	var err error
	if state.Rules, err = s.rulesAt(ctx, tx, revision); err != nil {
		return locked, state, err
	}

	if err := loadEarnings(ctx, locked, earnings, &state, originals); err != nil {
		return locked, state, err
	}

	return locked, state, loadUsage(ctx, tx, usageKeys(events, originals, state.Rules), state.Books)
}

func loadOriginals(
	rows pgx.Rows,
	originals map[string]decision.Decision,
	earnings *[]string,
	books *decision.Books,
) error {
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

		originals[d.Event.ID()] = d
		if r.commissionID != nil && d.Earned() {
			*earnings = append(*earnings, *r.commissionID)
		}

		books.LoadOriginal(decision.Original{
			Decision: d,
			Reversed: reversed,
			Times:    times,
			Booked:   r.commissionID != nil,
		})

		return nil
	})

	return err
}

// loadEarnings reads the commissions that reversals may reverse. Their users are locked, so they
// are not approved or rejected meanwhile.
func loadEarnings(
	ctx context.Context,
	tx moneyTx,
	ids []string,
	state *command.DecisionState,
	originals map[string]decision.Decision,
) error {
	if len(ids) == 0 {
		return nil
	}

	found, err := readFamilies(ctx, tx, ids)
	if err != nil {
		return err
	}

	for i := range found {
		s := found[i].Snapshot()

		state.Earnings[s.EventID] = &found[i]
		if s.Status == commission.Rejected {
			state.Books.Reject(originals[s.EventID].Event)
		}
	}

	return nil
}

// usageKeys returns the accounts that events of the batch, or the events they reverse, may change.
func usageKeys(
	events []event.Event,
	originals map[string]decision.Decision,
	rules *rule.Set,
) map[decision.UsageKey]account {
	keys := map[decision.UsageKey]account{}
	for _, e := range events {
		if e.Type().Reverses() {
			continue
		}

		currency, err := optionalCurrency(new(e.Facts().Currency))
		if err != nil {
			continue
		}

		if !currency.Valid() {
			currency = money.USD()
		}

		if applied, found, _ := rules.Select(e, currency); found {
			addKeys(keys, decision.Decision{Event: e, Rule: applied.Ref(), Currency: currency}, rules)
		}
	}

	for _, d := range originals {
		addKeys(keys, d, rules)
	}

	return keys
}

// loadUsage reads the accounts. Those that are missing, and may have been in use before they were
// kept, are derived from the decisions first.
func loadUsage(
	ctx context.Context,
	tx pgx.Tx,
	keys map[decision.UsageKey]account,
	books *decision.Books,
) error {
	if len(keys) == 0 {
		return nil
	}

	if err := readUsage(ctx, tx, keys, books, selectUsage); err != nil {
		return err
	}

	maps.DeleteFunc(keys, func(_ decision.UsageKey, a account) bool { return !a.derived })

	if len(keys) == 0 {
		return nil
	}

	return readUsage(ctx, tx, keys, books, deriveUsage)
}

// readUsage loads the accounts that the statement returns, and takes them out of keys.
func readUsage(
	ctx context.Context,
	tx pgx.Tx,
	keys map[decision.UsageKey]account,
	books *decision.Books,
	sql string,
) error {
	var (
		users, rules, currencies, periods []string
		from, to                          []time.Time
	)
	for key, a := range keys {
		users, rules = append(users, key.UserID), append(rules, key.RuleID)
		currencies, periods = append(currencies, key.Currency.String()), append(periods, key.Period)
		from, to = append(from, a.from), append(to, a.to)
	}

	args := []any{users, rules, currencies, periods}
	if sql == deriveUsage {
		args = append(args, from, to)
	}

	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return err
	}

	var (
		key   decision.UsageKey
		usage decision.Usage
		code  string
	)
	_, err = pgx.ForEachRow(
		rows,
		[]any{&key.UserID, &key.RuleID, &code, &key.Period, &usage.Volume, &usage.Earned},
		func() (err error) {
			if key.Currency, err = money.ParseCurrency(code); err == nil {
				books.LoadUsage(key, usage)
				delete(keys, key)
			}

			return err
		},
	)

	return err
}
