package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/application/settle"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func november() replay.Period {
	return replay.Period{From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
}

func byHand() change.Request {
	return change.Request{Actor: "operator", Reason: "test", Now: start(), RequestID: "request"}
}

// rule publishes a version for purchases since the beginning of the year; columns and values are further ones, each with its comma before it.
func (f fixture) rule(t *testing.T, id, version int, rate, columns, values string) {
	t.Helper()
	f.owned(t, fmt.Sprintf(`INSERT INTO rules (rule_id, version, name, event_type, kind, rate, priority, effective_from, revision%s)
		VALUES ('00000000-0000-7000-8000-%012d', %d, 'test', 'purchase', 'percentage', '%s', 5, '2026-01-01', (SELECT revision + 1 FROM rules_revision)%s)`, columns, 900+id, version, rate, values))
}

// replay applies a replay of the month and gives what it booked.
func (f fixture) replay(t *testing.T) string {
	t.Helper()
	report, err := replay.New(f.store, newID).Replay(t.Context(), byHand(), november(), true)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, d := range report.Differences {
		text += fmt.Sprintf("%s %+d;", d.Event.ID(), d.Expected-d.Booked)
	}
	return text
}

// While a replay looks at a user, neither consumption nor an operator changes what it sees.
func TestAReplayAndOtherWritersTakeTurns(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.owned(t, `INSERT INTO rules (rule_id, version, name, event_type, user_id, kind, rate, hold_days, effective_from, revision)
		VALUES ('00000000-0000-7000-8000-000000000099', 1, 'held', 'purchase', 'u', 'percentage', '0.1', 30, '2026-01-01', 2)`)
	f.decide(t, purchase("e1", "u", "100"), purchase("e2", "u", "50"))
	held := f.one(t, `SELECT id FROM commissions WHERE event_id = 'e2'`)
	for name, write := range map[string]func(context.Context) error{
		"consume": func(ctx context.Context) error {
			_, err := f.handler.Handle(ctx, []event.Event{event.Restore(refund("r1", "u", "e1", ""))})
			return err
		},
		"reject": func(ctx context.Context) error {
			_, err := f.store.Act(ctx, byHand(), settle.Action{ID: held, Action: commission.Reject})
			return err
		},
	} {
		done := make(chan error, 1)
		err := f.store.Rebook(t.Context(), byHand(), "u", func(replay.History) (replay.Booking, error) {
			go func() { done <- write(t.Context()) }()
			for f.one(t, `SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted`) == "0" {
				select {
				case err := <-done:
					return replay.Booking{}, fmt.Errorf("did not wait: %v", err)
				default:
				}
			}
			return replay.Booking{}, nil
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// failing is a store that stores nothing for one user.
type failing struct {
	replay.Store

	userID string
}

var errAway = errors.New("database away")

func (s failing) Rebook(ctx context.Context, request change.Request, userID string, fn func(replay.History) (replay.Booking, error)) error {
	return s.Store.Rebook(ctx, request, userID, func(history replay.History) (replay.Booking, error) {
		booking, err := fn(history)
		if err == nil && userID == s.userID && len(booking.Adjustments) > 0 {
			err = errAway
		}
		return booking, err
	})
}

// A replay that fails half-way has booked whole users, each with its audit; the next one does the rest.
func TestAReplayThatFailsIsAuditedAndGoesOn(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.decide(t, purchase("e1", "u", "100"), purchase("e2", "v", "50"), purchase("e3", "w", "50"))
	f.rule(t, 1, 1, "0.2", "", "")
	_, err := replay.New(failing{f.store, "v"}, newID).Replay(t.Context(), byHand(), november(), true)
	if !errors.Is(err, errAway) {
		t.Fatalf("Replay = %v", err)
	}
	const audited = `SELECT string_agg(concat_ws(' ', c.user_id, c.amount_minor, a.actor, a.action, a.request_id), ';' ORDER BY c.user_id)
		FROM commissions AS c LEFT JOIN audit AS a ON a.subject_id = c.id::text WHERE c.kind = 'adjustment'`
	if got := f.one(t, audited); got != "u 1000 operator replay request" {
		t.Errorf("after the failure: %s", got)
	}
	if got := f.replay(t); got != "e2 +500;e3 +500;" {
		t.Errorf("the next one booked %s", got)
	}
	if got := f.one(t, audited); got != "u 1000 operator replay request;v 500 operator replay request;w 500 operator replay request" {
		t.Errorf("at the end: %s", got)
	}
	if got := f.replay(t); got != "" {
		t.Errorf("once more: %s", got)
	}
}
