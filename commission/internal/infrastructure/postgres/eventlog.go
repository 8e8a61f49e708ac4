package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/effect"
	platform "tributary/platform/postgres"
)

// logTx is a transaction in which events are numbered: it holds the locks of their users, or the
// one of all rules, since before its first write. The order of transactions is then the order of
// each user's events.
type logTx interface {
	pgx.Tx
	// lastSequences returns the number of the last event of each user or rule, 0 for none. The
	// caller counts them up.
	lastSequences(ctx context.Context, events []logged) (map[owner]*int64, error)
}

// logged is an event to be written. Its thing is the subject of the fact; status, version and state
// are those after the change.
type logged struct {
	effect.Fact

	cause     change.Cause
	status    string
	version   int
	changedAt time.Time // zero if the thing is new
	state     string    // a JSON object, or ""
}

// appendEvents writes the events of users, numbered in their order.
func appendEvents(ctx context.Context, tx logTx, events []logged) error {
	if len(events) == 0 {
		return nil
	}

	last, err := tx.lastSequences(ctx, events)
	if err != nil {
		return err
	}

	rows := platform.NewCopy("commission_events", []string{
		"user_id",
		"rule_id",
		"sequence",
		"type",
		"event_id",
		"commission_id",
		"payout_id",
		"caused_by",
		"cause_id",
		"actor",
		"status",
		"version",
		"changed_at",
		"state",
		"previous_status",
		"previous_version",
	}, len(events))
	for i := range events {
		e := &events[i]
		of := e.Type.Subject()
		*last[e.key()]++

		rows.Row().
			TextOrNull(e.UserID).
			UUIDOrNull(only(e.SubjectID, of == effect.Rule)).
			Bigint(*last[e.key()]).
			Text(string(e.Type)).
			TextOrNull(only(e.SubjectID, of == effect.Decision)).
			UUIDOrNull(only(e.SubjectID, of == effect.Commission)).
			UUIDOrNull(only(e.SubjectID, of == effect.Payout)).
			Text(string(e.cause.Kind)).
			TextOrNull(only(e.cause.ID, e.cause.ID != e.SubjectID)).
			TextOrNull(e.cause.Actor).
			TextOrNull(e.status).
			IntegerOrNull(e.version).
			TimeOrNull(e.changedAt).
			TextOrNull(e.state).
			TextOrNull(e.PreviousStatus).
			IntegerOrNull(e.PreviousVersion)
	}

	return noPartition(rows.Into(ctx, tx))
}

// only returns the text if the condition holds, and "" otherwise.
func only(text string, condition bool) string {
	if condition {
		return text
	}

	return ""
}

// noPartition hides the code of the error that the log has no partition for today: it looks like a
// constraint, but is no fault of the content, which must not be discarded. A retry succeeds once
// the partition is there.
func noPartition(err error) error {
	const (
		checkViolation = "23514"
		doing          = "the log of changes has no partition for today"
	)

	if refused, ok := platform.Refusal(err); ok && refused.Code == checkViolation &&
		refused.ConstraintName == "" {
		return fmt.Errorf("%s: %s", doing, refused.Message)
	}

	return err
}

// owner is whose events are numbered.
type owner struct{ userID, ruleID string }

func (l *logged) key() owner {
	if l.UserID == "" {
		return owner{ruleID: l.SubjectID}
	}

	return owner{userID: l.UserID}
}

const (
	// %[1]s and %[2]s are the day and the next one, and no arguments, so that the plan names one
	// partition. Whoever wrote events of these users held their locks before, so none is of a later
	// day.
	selectSequencesToday = `
SELECT k.user_id, coalesce((
    SELECT e.sequence FROM commission_events AS e
    WHERE e.user_id = k.user_id
        AND e.at >= '%[1]s' AND e.at < '%[2]s'
    ORDER BY e.sequence DESC LIMIT 1
), 0)
FROM unnest($1::text[]) AS k (user_id)`

	// Of those without an event today: a user needs it once a day.
	selectOlderSequences = `
SELECT k.user_id, coalesce((
    SELECT e.sequence FROM commission_events AS e
    WHERE e.user_id = k.user_id AND e.at < '%[1]s'
    ORDER BY e.sequence DESC LIMIT 1
), (
    SELECT s.sequence FROM event_sequences AS s WHERE s.user_id = k.user_id AND s.rule_id IS NULL
), 0)
FROM unnest($1::text[]) AS k (user_id)`

	selectRuleSequence = `
SELECT coalesce((
    SELECT e.sequence FROM commission_events AS e WHERE e.rule_id = $1::uuid
    ORDER BY e.sequence DESC LIMIT 1
), (
    SELECT s.sequence FROM event_sequences AS s WHERE s.user_id IS NULL AND s.rule_id = $1::uuid
), 0)`
)

func (tx rulesTx) lastSequences(
	ctx context.Context,
	events []logged,
) (map[owner]*int64, error) {
	last := make(map[owner]*int64, len(events))

	for i := range events {
		key := events[i].key()

		var number int64
		if err := tx.QueryRow(ctx, selectRuleSequence, key.ruleID).Scan(&number); err != nil {
			return nil, err
		}

		last[key] = &number
	}

	return last, nil
}

func (tx moneyTx) lastSequences(
	ctx context.Context,
	events []logged,
) (map[owner]*int64, error) {
	last := make(map[owner]*int64, len(events))

	var missing []string
	for i := range events {
		key := events[i].key()
		if last[key] != nil {
			continue
		}

		e := tx.ends[key.userID]
		last[key] = &e.sequence

		if !e.known.equal(*tx.now) {
			e.known, e.sequence = *tx.now, 0
			missing = append(missing, key.userID)
		}
	}

	if len(missing) == 0 {
		return last, nil
	}

	begins := tx.now.day.Format(time.RFC3339)
	ends := tx.now.day.AddDate(0, 0, 1).Format(time.RFC3339)

	today := fmt.Sprintf(selectSequencesToday, begins, ends)
	if err := tx.readSequences(ctx, today, missing); err != nil {
		return nil, err
	}

	older := fmt.Sprintf(selectOlderSequences, begins)

	return last, tx.readSequences(ctx, older, tx.withoutEvent(missing))
}

func (tx moneyTx) readSequences(ctx context.Context, sql string, users []string) error {
	if len(users) == 0 {
		return nil
	}

	rows, err := tx.Query(ctx, sql, users)
	if err != nil {
		return err
	}

	var (
		user   string
		number int64
	)
	_, err = pgx.ForEachRow(rows, []any{&user, &number}, func() error {
		tx.ends[user].sequence = number
		return nil
	})

	return err
}

// withoutEvent returns the users without a known event.
func (tx moneyTx) withoutEvent(users []string) []string {
	var out []string
	for _, user := range users {
		if tx.ends[user].sequence == 0 {
			out = append(out, user)
		}
	}

	return out
}
