package postgres_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
	platform "tributary/platform/postgres"
)

// The domain's tables of transitions and the triggers of the database are two locks of one door:
// every change of status is tried on the database, and allowed exactly where the domain allows it.

func TestTheDatabaseHasTheTransitionsOfCommissions(t *testing.T) {
	t.Parallel()
	f := setup(t)

	for name, made := range kindsOfCommissions() {
		for _, from := range commission.Statuses() {
			for _, to := range commission.Statuses() {
				listed := slices.ContainsFunc(
					commission.Transitions(),
					func(x commission.Transition) bool {
						return x.From == from && x.To == to && slices.Contains(x.Roles, made.Role())
					},
				)

				allowed := f.tries(t, "commissions", commissionIn(made, from, to), fmt.Sprintf(
					`UPDATE commissions SET status = '%s', version = version + 1 WHERE id = '%s'`,
					to,
					made.ID,
				))
				if allowed != listed {
					t.Errorf("%s, %s to %s: listed %v, allowed %v", name, from, to, listed, allowed)
				}
			}
		}
	}
}

func TestTheDatabaseHasTheTransitionsOfPayouts(t *testing.T) {
	t.Parallel()
	f := setup(t)

	for _, from := range payout.Statuses() {
		for _, to := range payout.Statuses() {
			listed := slices.ContainsFunc(payout.Transitions(), func(x payout.Transition) bool {
				return x.From == from && x.To == to
			})

			allowed := f.tries(t, "payouts", payoutIn(from), fmt.Sprintf(
				`UPDATE payouts SET (status, closed_at, paid_at, failure_code) = (SELECT %s),
				    version = version + 1`,
				statusColumns(to),
			))
			if allowed != listed {
				t.Errorf("payout, %s to %s: listed %v, allowed %v", from, to, listed, allowed)
			}
		}
	}
}

// tries reports whether the database allows the update of what insert stores. The insert skips the
// triggers, so that any status can be tried; a status that even constraints refuse changes to none.
// Nothing is kept.
func (f fixture) tries(t *testing.T, table, insert, update string) bool {
	t.Helper()

	tx, err := f.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	allowed := withoutTriggers(t, tx, table, insert) && accepted(t, tx, update)

	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}

	return allowed
}

// withoutTriggers executes the statement without the triggers of the table, and reports whether it
// is accepted.
func withoutTriggers(t *testing.T, tx pgx.Tx, table, sql string) bool {
	t.Helper()

	turn := func(what string) {
		if _, err := tx.Exec(t.Context(), "ALTER TABLE "+table+" "+what+" TRIGGER USER"); err != nil {
			t.Fatal(err)
		}
	}

	turn("DISABLE")
	defer turn("ENABLE")

	return accepted(t, tx, sql)
}

// accepted reports whether the statement is not refused by a trigger or a constraint.
func accepted(t *testing.T, tx pgx.Tx, sql string) bool {
	t.Helper()

	err := pgx.BeginFunc(t.Context(), tx, func(point pgx.Tx) error {
		tag, err := point.Exec(t.Context(), sql)
		if err == nil && tag.RowsAffected() == 0 {
			err = fmt.Errorf("%s: no row", sql)
		}

		return err
	})

	const restricted, checked = "23001", "23514"
	if code := platform.Code(err); err != nil && code != restricted && code != checked {
		t.Fatal(err)
	}

	return err == nil
}

// kindsOfCommissions returns a commission of each kind: two of adjustments are made by replays.
func kindsOfCommissions() map[string]commission.Snapshot {
	parent := uuid.NewString()
	of := func(kind commission.Kind, eventID, follows string) commission.Snapshot {
		return commission.Snapshot{
			ID:         uuid.NewString(),
			EventID:    eventID,
			Kind:       kind,
			ReversesID: follows,
		}
	}

	return map[string]commission.Snapshot{
		"earning":        of(commission.Earning, "e", ""),
		"clawback":       of(commission.Clawback, "r", parent),
		"correction":     of(commission.Adjustment, "e", parent),
		"in its stead":   of(commission.Adjustment, "e", ""),
		"by an operator": of(commission.Adjustment, "", ""),
	}
}

// commissionIn returns the statement that inserts the commission in the status from, and the
// earning that it follows as it is when its followers become to.
func commissionIn(made commission.Snapshot, from, to commission.Status) string {
	const row = `('%s'::uuid, nullif('%s', ''), 'u', '%s', '%s', 0, %d, 'USD',
    CASE WHEN '%[4]s' = 'earning' THEN gen_random_uuid() END, nullif('%[6]s', '')::uuid, 'x', now(),
    now(), now())`

	minor := 1
	if made.Kind == commission.Clawback {
		minor = -1
	}

	rows := fmt.Sprintf(row, made.ID, made.EventID, from, made.Kind, minor, made.ReversesID)

	if made.ReversesID != "" {
		fate := commission.Approved
		if to == commission.Rejected {
			fate = commission.Rejected
		}

		rows += ", " + fmt.Sprintf(row, made.ReversesID, "e", fate, commission.Earning, 1, "")
	}

	return `INSERT INTO commissions (id, event_id, user_id, status, kind, base_minor, amount_minor,
    currency, rule_id, reverses_id, reason, available_at, occurred_at, created_at) VALUES ` + rows
}

func payoutIn(status payout.Status) string {
	return `INSERT INTO payouts (id, user_id, amount_minor, currency, payment_method,
    account_details, reason, requested_at, created_at, status, closed_at, paid_at, failure_code)
SELECT gen_random_uuid(), 'u', 1, 'USD', 'paypal', '{}', 'x', now(), now(), ` + statusColumns(status)
}

// statusColumns is the SQL of the columns that follow from the status.
func statusColumns(status payout.Status) string {
	closed := "now()"
	paid := "NULL"
	failed := "NULL"

	switch status {
	case payout.Requested:
		closed = "NULL"
	case payout.Completed:
		paid = "now()"
	case payout.Failed:
		failed = "'other'"
	case payout.Rejected, payout.Cancelled:
	}

	return fmt.Sprintf("'%s', %s::timestamptz, %s::timestamptz, %s", status, closed, paid, failed)
}
