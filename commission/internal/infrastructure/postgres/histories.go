package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	application "tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/decision"
)

const (
	// Decisions with a commission are found by it, the others by their own indexes. No index has
	// all decisions of a user, since each event would pay for it. It follows a u with the user_id.
	idsOfUser = `
    SELECT event_id FROM commissions WHERE user_id = u.user_id AND event_id IS NOT NULL
    UNION SELECT event_id FROM decisions WHERE user_id = u.user_id AND outcome = 'not_commissioned'
    UNION SELECT event_id FROM decisions WHERE user_id = u.user_id AND outcome = 'parked'`

	selectDecisionsOf = `
SELECT ` + decisionColumns + ` FROM unnest($1::text[]) AS u (user_id)
CROSS JOIN LATERAL (` + idsOfUser + `
    OFFSET 0
) AS ids
CROSS JOIN LATERAL (
    SELECT * FROM effective_decisions AS s WHERE s.event_id = ids.event_id OFFSET 0
) AS d
LIMIT $2`

	selectPosted = `
SELECT c.user_id, coalesce(d.reverses_event_id, c.event_id) AS event_id, c.currency,
    coalesce(sum(c.amount_minor) FILTER (WHERE c.status <> 'rejected'), 0)::bigint AS minor,
    bool_or(c.reverses_id IS NULL AND c.status = 'rejected'),
    bool_or(c.reverses_id IS NULL AND c.status = 'held')
FROM unnest($1::text[]) AS u (user_id)
CROSS JOIN LATERAL (
    SELECT * FROM commissions WHERE user_id = u.user_id AND event_id IS NOT NULL OFFSET 0
) AS c
LEFT JOIN LATERAL (
    SELECT reverses_event_id FROM decisions
    WHERE event_id = c.event_id AND c.kind = 'clawback'
    OFFSET 0
) AS d ON true
GROUP BY 1, 2, 3`

	selectUsageOf = `
SELECT n.user_id, n.rule_id::text, n.currency, n.period, n.volume_minor, n.earned_minor
FROM unnest($1::text[]) AS u (user_id)
CROSS JOIN LATERAL (SELECT * FROM usage WHERE user_id = u.user_id OFFSET 0) AS n`
)

func (s *Store) histories(
	ctx context.Context,
	tx pgx.Tx,
	users []string,
	limit int,
) ([]application.History, error) {
	if len(users) == 0 {
		return nil, nil
	}

	histories, err := s.emptyHistories(ctx, tx, users)
	if err != nil {
		return nil, err
	}

	byUser := make(map[string]*application.History, len(users))
	for i, user := range users {
		histories[i].Posted = map[application.Money]int64{}
		byUser[user] = &histories[i]
	}

	if err := loadDecisions(ctx, tx, users, limit, byUser); err != nil {
		return nil, err
	}

	if err := loadPosted(ctx, tx, users, byUser); err != nil {
		return nil, err
	}

	return histories, loadUsageOf(ctx, tx, users, byUser)
}

// emptyHistories returns histories of nothing with the rules of now.
func (s *Store) emptyHistories(
	ctx context.Context,
	tx pgx.Tx,
	users []string,
) ([]application.History, error) {
	var revision int64
	if err := tx.QueryRow(ctx, selectRevision).Scan(&revision); err != nil {
		return nil, err
	}

	rules, err := s.rulesAt(ctx, tx, revision)
	if err != nil {
		return nil, err
	}

	histories := make([]application.History, len(users))
	for i, user := range users {
		histories[i] = application.History{
			Rules:  rules,
			UserID: user,
			Manual: decision.Manual{Rejected: map[string]bool{}, Keeps: map[string]bool{}},
			Usage:  map[decision.UsageKey]decision.Usage{},
		}
	}

	return histories, nil
}

func loadDecisions(
	ctx context.Context,
	tx pgx.Tx,
	users []string,
	limit int,
	into map[string]*application.History,
) error {
	rows, err := tx.Query(ctx, selectDecisionsOf, users, limit+1)
	if err != nil {
		return err
	}

	var r decisionRow

	read := 0
	_, err = pgx.ForEachRow(rows, r.targets(), func() error {
		if read++; read > limit {
			return application.ErrManyEvents
		}

		d, err := r.decision()
		h := into[d.Event.UserID()]
		h.Decisions = append(
			h.Decisions,
			application.EffectiveDecision{Decision: d, CommissionID: value(r.commissionID)},
		)

		return err
	})

	return err
}

func loadPosted(
	ctx context.Context,
	tx pgx.Tx,
	users []string,
	into map[string]*application.History,
) error {
	rows, err := tx.Query(ctx, selectPosted, users)
	if err != nil {
		return err
	}

	// A second event does not keep the order that a replay has assigned to another one.
	second := map[string]bool{}
	for _, h := range into {
		for i := range h.Decisions {
			if s := &h.Decisions[i]; s.Reason == decision.DuplicateOrder {
				second[s.Event.ID()] = true
			}
		}
	}

	var (
		user           string
		key            application.Money
		minor          int64
		rejected, held bool
	)
	_, err = pgx.ForEachRow(
		rows,
		[]any{&user, &key.EventID, &key.Currency, &minor, &rejected, &held},
		func() error {
			h := into[user]

			h.Posted[key] = minor
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

func loadUsageOf(
	ctx context.Context,
	tx pgx.Tx,
	users []string,
	into map[string]*application.History,
) error {
	rows, err := tx.Query(ctx, selectUsageOf, users)
	if err != nil {
		return err
	}

	return eachUsage(rows, func(key decision.UsageKey, usage decision.Usage) {
		into[key.UserID].Usage[key] = usage
	})
}
