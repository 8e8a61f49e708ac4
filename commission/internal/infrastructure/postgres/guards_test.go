package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
	platform "tributary/platform/postgres"
)

// at is the statement that inserts a commission, with the position of its amount.
func at(position, insert string) string {
	return strings.NewReplacer(
		"INSERT INTO commissions (id", "INSERT INTO commissions (position_minor, id",
		"gen_random_uuid(),", position+", gen_random_uuid(),",
	).Replace(insert)
}

// nextCredit is the SQL of the position of what the user u gets next, in USD.
func nextCredit() string { return nextPosition("credited_minor", "u", "USD") }

func nextPosition(sum, user, currency string) string {
	return fmt.Sprintf(`coalesce((SELECT %s FROM balances
    WHERE (user_id, currency) = ('%s', '%s')), 0)`, sum, user, currency)
}

// SQL must refuse this, to the service's role and to the owner alike: history is not rewritten and
// states are not skipped.
func TestTheDatabaseGuardsItself(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.owned(t, `INSERT INTO rules (rule_id, version, name, event_type, user_id, kind, rate,
    hold_days, effective_from, revision)
		VALUES ('00000000-0000-7000-8000-000000000099', 1, 'held', 'purchase', 'held', 'percentage',
		    '0.1', 30, '2026-01-01', 2)`)
	f.decide(
		t,
		purchase("paid", "u", "100"),
		purchase("pending", "held", "100"),
		refund("parked", "u", "nothing", "1"),
	)

	p, err := f.request(
		t.Context(),
		payout.Wanted{
			ID:          uuid.NewString(),
			UserID:      "u",
			Amount:      money.FromMinor(500, money.USD()),
			Method:      "paypal",
			RequestedAt: start(),
		},
	)
	if err != nil || p.Status != payout.Requested {
		t.Fatalf("%v, %v", p, err)
	}

	if _, err := command.NewClosePayout(f.store.Payouts()).Handle(
		t.Context(),
		byHand(),
		command.Closing{ID: p.ID, To: payout.Completed},
	); err != nil {
		t.Fatal(err)
	}

	f.owned(t, `INSERT INTO audit (at, actor, action, subject_type, subject_id, reason, before,
    after, request_id) VALUES (now(), 'a', 'b', 'rule', 'c', 'd', '', '', '')`)
	adjust := func(eventID, status, of string) string {
		position := nextCredit()
		if status == "pending" {
			position = "NULL"
		}

		return at(position, `INSERT INTO commissions (id, event_id, user_id, event_type, kind, status,
    base_minor, amount_minor, currency, reason, reverses_id, available_at, occurred_at, created_at)
			SELECT gen_random_uuid(), nullif('`+eventID+`', ''), user_id, event_type, 'adjustment', '`+status+`', 0, 1, 'USD', 'x', id, now(), now(), now() FROM commissions WHERE `+of)
	}
	f.owned(t, adjust("pending", "pending", `event_id = 'pending'`))
	f.owned(t, at(nextCredit(), `INSERT INTO commissions (id, user_id, kind, status, base_minor,
    amount_minor, currency, reason, available_at, occurred_at, created_at)
		VALUES (gen_random_uuid(), 'u', 'adjustment', 'approved', 0, 1, 'USD', 'by hand', now(), now(),
		    now())`))

	for name, sql := range map[string]string{
		"approve a waiting adjustment": `UPDATE commissions SET status = 'approved',
    version = version + 1 WHERE kind = 'adjustment'`,
		"reject a waiting adjustment": `UPDATE commissions SET status = 'rejected',
    version = version + 1 WHERE kind = 'adjustment'`,
		"hold a waiting adjustment": `UPDATE commissions SET status = 'held',
    version = version + 1 WHERE kind = 'adjustment' AND status = 'pending'`,
		"an adjustment that waits too long": adjust("paid", "pending", `event_id = 'paid'`),
		"an adjustment that does not wait":  adjust("pending", "approved", `event_id = 'pending' AND kind = 'earning'`),
		"an adjustment of another event":    adjust("other", "approved", `event_id = 'paid'`),
		"an adjustment by hand of an event": adjust("", "approved", `event_id = 'paid'`),
		"a clawback from one by hand":       strings.NewReplacer("'adjustment', 'approved', 0, 1", "'clawback', 'approved', 0, -1").Replace(adjust("x", "approved", `reason = 'by hand'`)),
		"a clawback from a waiting one":     strings.NewReplacer("'adjustment', 'pending', 0, 1", "'clawback', 'pending', 0, -1").Replace(adjust("x", "pending", `kind = 'adjustment' AND status = 'pending'`)),
		"edit an amount": `UPDATE commissions SET amount_minor = 1,
    version = version + 1 WHERE event_id = 'pending'`,
		"edit a user": `UPDATE commissions SET user_id = 'x', version = version + 1`,
		"edit a rate": `UPDATE commissions SET rate = '1', version = version + 1`,
		"change without version": `UPDATE commissions SET status = 'held'
    WHERE event_id = 'pending'`,
		"approved to pending": `UPDATE commissions SET status = 'pending',
    version = version + 1 WHERE event_id = 'paid'`,
		"approved to rejected": `UPDATE commissions SET status = 'rejected',
    version = version + 1 WHERE event_id = 'paid'`,
		"same status": `UPDATE commissions SET reason = 'x',
    version = version + 1 WHERE event_id = 'paid'`,
		"unknown status": `UPDATE commissions SET status = 'paid',
    version = version + 1 WHERE event_id = 'pending'`,
		"begin as reversed": `INSERT INTO commissions SELECT gen_random_uuid(), 'x',
    user_id, campaign_id, product_id, order_id, event_type, kind, 'reversed', base_minor, rate,
    amount_minor, currency, rule_id, rule_version, reverses_id, reason, available_at,
    occurred_at, created_at, 1 FROM commissions WHERE event_id = 'paid'`,
		"delete a commission":  `DELETE FROM commissions`,
		"truncate commissions": `TRUNCATE commissions CASCADE`,
		"edit a paid payout":   `UPDATE payouts SET amount_minor = 1, version = version + 1`,
		"reopen a paid payout": `UPDATE payouts SET status = 'failed', version = version + 1`,
		"rehash a payout":      `UPDATE payouts SET request_hash = 'x', version = version + 1`,
		"conflict and reopen": `UPDATE payouts SET status = 'requested', closed_at = NULL,
    conflicted_at = now(), version = version + 1`,
		"conflict without version": `UPDATE payouts SET conflicted_at = now()`,
		"delete a payout":          `DELETE FROM payouts`,
		"edit a transfer":          `UPDATE transfers SET amount_minor = 1`,
		"delete a transfer":        `DELETE FROM transfers`,
		"truncate transfers":       `TRUNCATE transfers`,
		"unbalanced transfer": `INSERT INTO transfers (user_id, currency, from_account,
    to_account, amount_minor, position_minor, commission_id, created_at) VALUES ('u', 'USD',
    'available', 'available', 1, 1000, gen_random_uuid(), now())`,
		"negative transfer": `INSERT INTO transfers (user_id, currency, from_account,
    to_account, amount_minor, position_minor, commission_id, created_at) VALUES ('u', 'USD',
    'programme', 'available', -1, 1000, gen_random_uuid(), now())`,
		"transfer out of nothing": `INSERT INTO transfers (user_id, currency, from_account,
    to_account, amount_minor, position_minor, commission_id, created_at) VALUES ('u', 'USD',
    'pending', 'available', 1, 1000, gen_random_uuid(), now())`,
		"overdraft": `INSERT INTO transfers (user_id, currency, from_account,
    to_account, amount_minor, payout_id, created_at) VALUES ('u', 'USD', 'available',
    'in_payout', 501, gen_random_uuid(), now())`,
		"payout past the accounts": `INSERT INTO transfers (user_id, currency, from_account,
    to_account, amount_minor, payout_id, created_at) VALUES ('u', 'USD', 'available', 'paid', 1,
    gen_random_uuid(), now())`,
		"edit a rule":   `UPDATE rules SET rate = '1' WHERE kind = 'percentage'`,
		"delete a rule": `DELETE FROM rules`,
		"a rule with two formulas": `INSERT INTO rules (rule_id, version, name, event_type,
    kind, rate, flat_amount, effective_from, revision) VALUES (gen_random_uuid(), 1, 'x', 'sale',
    'percentage', '1', '1', now(), 9)`,
		"edit an audit row":   `UPDATE audit SET actor = 'x'`,
		"delete an audit row": `DELETE FROM audit`,
		"edit a decision": `UPDATE decisions SET amount_minor = 1
    WHERE event_id = 'paid'`,
		"decide twice": `UPDATE decisions SET outcome = 'not_commissioned',
    resolved_at = now(), commission_id = NULL WHERE event_id = 'paid'`,
		"edit a parked event": `UPDATE decisions SET outcome = 'not_commissioned',
    resolved_at = now(), amount_sent = '9' WHERE event_id = 'parked'`,
		"delete a decision": `DELETE FROM decisions`,
		"a clawback without its earning": `INSERT INTO commissions (id, event_id, user_id,
    event_type, kind, status, base_minor, amount_minor, currency, available_at, occurred_at,
    created_at) VALUES (gen_random_uuid(), 'x', 'u', 'refund', 'clawback', 'approved', 0, -1,
    'USD', now(), now(), now())`,
		"an adjustment by a replay that never was": at(nextCredit(), `INSERT INTO commissions (id,
    event_id, user_id, kind, status, base_minor, amount_minor, currency, reason, available_at,
    occurred_at, created_at, replay_id) VALUES (gen_random_uuid(), 'x', 'u', 'adjustment',
    'approved', 0, 1, 'USD', 'by replay', now(), now(), now(), gen_random_uuid())`),
		"retire twice by update": `INSERT INTO rule_retirements VALUES
    ('00000000-0000-7000-8000-000000000001', now(), 'x', 9); UPDATE rule_retirements
    SET retired_at = now()`,
	} {
		// 23001 is the guards' own code, 23514 a CHECK, 23505 a unique key; any other is a mistake
		// of this test
		if _, err := f.owner.Exec(t.Context(), sql); err == nil ||
			!strings.HasPrefix(platform.Code(err), "23") {
			t.Errorf("%s: to the owner: %v", name, err)
		}

		if _, err := f.db.Pool.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: allowed to the service", name)
		}
	}

	for _, sql := range []string{
		`UPDATE balances SET available_minor = available_minor + 1, programme_minor = programme_minor - 1`, `DELETE FROM balances`, `UPDATE rules_revision SET revision = 0`,
		`CREATE TABLE x ()`, `ALTER TABLE commissions DISABLE TRIGGER ALL`, `DROP TABLE transfers`,
	} {
		if _, err := f.db.Pool.Exec(t.Context(), sql); err == nil ||
			!strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v, want insufficient privilege", sql, err)
		}
	}

	if got := f.one(t, `SELECT sum(abs(programme_minor + pending_minor + available_minor +
    in_payout_minor + paid_minor)) FROM balances`); got != "0" {
		t.Errorf("the accounts sum to %s", got)
	}
}

func TestPoisonIsFoundAndTheRestStored(t *testing.T) {
	t.Parallel()
	f := setup(t)

	var events []event.Event
	for _, id := range []string{"a", "b", "bad", "c", "d"} {
		snapshot := purchase(id, "u", "10")
		if id == "bad" {
			// PostgreSQL accepts no NUL in a text; event.New would have refused it
			snapshot.CampaignID = "\x00"
		}

		events = append(events, event.Restore(snapshot))
	}

	refused, err := f.handler.Handle(t.Context(), events)
	if err != nil || len(refused) != 1 || refused[0].Event.ID() != "bad" {
		t.Fatalf("refused %v, %v", refused, err)
	}

	if got := f.one(t, `SELECT count(*) FROM decisions`); got != "4" {
		t.Errorf("%s decisions", got)
	}
}

// Approval by the clock, with the clawbacks of the earning.
func TestApprovalWhenTheHoldIsOver(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.owned(t, `INSERT INTO rules (rule_id, version, name, event_type, user_id, kind, rate,
    hold_days, effective_from, revision)
		VALUES ('00000000-0000-7000-8000-000000000099', 1, 'held', 'purchase', 'u', 'percentage',
		    '0.1', 30, '2026-01-01', 2)`)
	f.decide(
		t,
		purchase("e1", "u", "100"),
		refund("r1", "u", "e1", "30"),
		purchase("e2", "u", "50"),
		refund("r2", "u", "e2", ""),
	)

	if got := f.balance(t, "u"); got != "700/0/0/0" {
		t.Errorf("before: %s", got)
	}

	if n, err := f.approveDue(t.Context(), start().AddDate(0, 0, 29), 10); n != 0 ||
		err != nil {
		t.Errorf("too early: %d, %v", n, err)
	}

	if n, err := f.approveDue(t.Context(), start().AddDate(0, 0, 30), 10); n != 1 ||
		err != nil {
		t.Errorf("due: %d, %v", n, err)
	}

	if got := f.balance(t, "u"); got != "0/700/0/0" {
		t.Errorf("after: %s", got)
	}

	if got := f.one(t, `SELECT string_agg(concat_ws(' ', event_id, status), ';' ORDER BY event_id)
    FROM commissions`); got != "e1 approved;e2 reversed;r1 approved;r2 approved" {
		t.Errorf("states: %s", got)
	}

	f.decide(t, refund("r3", "u", "e1", ""))

	if got := f.balance(t, "u"); got != "0/0/0/0" {
		t.Errorf("after the last refund: %s", got)
	}
}

// A clawback after the payout leaves a negative balance, and the next payout nets it.
func TestClawbackAfterPayout(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.decide(t, purchase("e1", "u", "100"))

	request := func(minor int64) payout.Status {
		p, err := f.request(
			t.Context(),
			payout.Wanted{
				ID:          uuid.NewString(),
				UserID:      "u",
				Amount:      money.FromMinor(minor, money.USD()),
				Method:      "paypal",
				RequestedAt: start(),
			},
		)
		if err != nil {
			t.Fatal(err)
		}

		return p.Status
	}
	if got := request(1000); got != payout.Requested {
		t.Errorf("first: %s", got)
	}

	f.decide(t, refund("r1", "u", "e1", "40"), purchase("e2", "u", "50"))

	if got := f.balance(t, "u"); got != "0/100/1000/0" {
		t.Errorf("balance: %s", got)
	}

	if got := request(101); got != payout.Rejected {
		t.Errorf("second: %s", got)
	}

	if got := request(100); got != payout.Requested {
		t.Errorf("third: %s", got)
	}
}

// Replicas that handle the same events concurrently, as while partitions move, decide each once.
func TestTwoReplicasDecideOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)

	var snapshots []event.Snapshot
	for i := range 200 {
		id := string(rune('a'+i%26)) + uuid.NewString()
		sale := purchase(id, "u"+string(rune('0'+i%7)), "10")
		sale.OrderID = id
		snapshots = append(snapshots, sale, refund("r"+id, sale.UserID, id, "5"))
	}

	done := make(chan struct{})
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()

			for from := 0; from < len(snapshots); from += 50 {
				var events []event.Event
				for _, snapshot := range snapshots[from : from+50] {
					events = append(events, event.Restore(snapshot))
				}

				if refused, err := f.handler.Handle(t.Context(), events); err != nil ||
					len(refused) > 0 {
					t.Errorf("%v, %v", refused, err)
				}
			}
		}()
	}

	for range 4 {
		<-done
	}

	if got := f.one(t, `SELECT concat_ws(' ', (SELECT count(*) FROM decisions), (SELECT count(*)
    FROM commissions), (SELECT sum(amount_minor) FROM commissions), (SELECT sum(available_minor)
    FROM balances))`); got != "400 400 10000 10000" {
		t.Error(got)
	}
}

// The status says where the money is: it never changes while the ledger does not, for the service's
// role and for the owner alike.
func TestNoStatusChangesWithoutItsMoney(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.owned(t, `INSERT INTO rules (rule_id, version, name, event_type, user_id, kind, rate,
    hold_days, effective_from, revision)
		VALUES ('00000000-0000-7000-8000-000000000099', 1, 'held', 'purchase', 'held', 'percentage',
		    '0.1', 30, '2026-01-01', 2)`)
	f.decide(
		t,
		purchase("paid", "u", "100"),
		purchase("pending", "held", "100"),
		refund("part", "held", "pending", "30"),
	)

	for name, change := range map[string]string{
		"approve an earning":                 `status = 'approved' WHERE event_id = 'pending'`,
		"reject an earning":                  `status = 'rejected' WHERE event_id = 'pending'`,
		"approve a clawback by itself":       `status = 'approved' WHERE event_id = 'part'`,
		"reject a clawback by itself":        `status = 'rejected' WHERE event_id = 'part'`,
		"reverse what was not taken back":    `status = 'reversed' WHERE event_id = 'paid'`,
		"reverse what was taken back partly": `status = 'reversed' WHERE event_id = 'pending'`,
	} {
		for role, run := range map[string]func(context.Context, string, ...any) (pgconn.CommandTag, error){"the owner": f.owner.Exec, "the service": f.db.Pool.Exec} {
			if _, err := run(
				t.Context(),
				`UPDATE commissions SET version = version + 1, `+change,
			); platform.Code(err) != "23001" {
				t.Errorf("%s, by %s: %v", name, role, err)
			}
		}
	}

	if n, err := f.approveDue(t.Context(), start().AddDate(0, 0, 30), 10); n != 1 ||
		err != nil {
		t.Errorf("with the money: %d, %v", n, err)
	}
}

// Transfers follow commissions and payouts, and these follow transfers: no row of either is
// written without the other, whoever writes.
func TestMoneyAndStatesAreWrittenTogether(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.1", "hold_days", "30")
	f.decide(t, purchase("waiting", "u", "100"), purchase("back", "u", "50"))
	f.decide(t, refund("r", "u", "back", ""))

	if err := f.adjust(t.Context(), "u", "50.00"); err != nil {
		t.Fatal(err)
	}

	open, err := f.request(t.Context(), payoutOf("u", 1000))
	if err != nil || open.Status != payout.Requested {
		t.Fatalf("%v, %v", open, err)
	}

	move := func(user, currency, from, to string, minor int, of string) string {
		sum := "debited_minor"
		if to == "available" {
			sum = "credited_minor"
		}

		return fmt.Sprintf(`INSERT INTO transfers (user_id, currency, from_account, to_account,
    amount_minor, position_minor, commission_id, payout_id, created_at)
    SELECT moved.user_id, moved.currency, '%[1]s', '%[2]s', %[3]d, CASE
        WHEN moved.commission_id IS NOT NULL AND 'available' IN ('%[1]s', '%[2]s') THEN %[4]s
        END, moved.commission_id::uuid, moved.payout_id::uuid, moved.at
    FROM (SELECT '%[5]s' AS user_id, '%[6]s' AS currency, * FROM (SELECT %[7]s) AS x
        (commission_id, payout_id, at)) AS moved`,
			from, to, minor, nextPosition(sum, user, currency), user, currency, of)
	}
	waiting := `id, NULL, now() FROM commissions WHERE event_id = 'waiting'`
	given := `id, NULL, now() FROM commissions WHERE kind = 'adjustment'`
	clawback := `id, NULL, now() FROM commissions WHERE event_id = 'r'`
	requested := `NULL, id, now() FROM payouts`
	adjustment := `INSERT INTO commissions (id, user_id, kind, status, base_minor, amount_minor,
    currency, reason, available_at, occurred_at, created_at) VALUES (gen_random_uuid(), 'u',
    'adjustment', 'approved', 0, 100, 'USD', 'x', now(), now(), now())`
	another := `INSERT INTO payouts (id, user_id, amount_minor, currency, payment_method,
    account_details, status, reason, requested_at, created_at, closed_at)
    SELECT gen_random_uuid(), user_id, amount_minor, currency, payment_method,
    account_details, '%s', 'x', requested_at, created_at, %s
    FROM payouts`

	for name, sql := range map[string]string{
		"of no commission": move("u", "USD", "programme", "available", 100000000,
			"gen_random_uuid(), NULL, now()"),
		"of no payout":             move("u", "USD", "available", "in_payout", 1, "NULL, gen_random_uuid(), now()"),
		"again":                    move("u", "USD", "programme", "available", 5000, given),
		"again, to pending":        move("u", "USD", "programme", "pending", 1000, waiting),
		"past pending":             move("u", "USD", "programme", "available", 1000, waiting),
		"approved by the ledger":   move("u", "USD", "pending", "available", 1000, waiting),
		"rejected by the ledger":   move("u", "USD", "pending", "programme", 1000, waiting),
		"of another user":          move("v", "USD", "programme", "available", 5000, given),
		"of another currency":      move("u", "EUR", "programme", "available", 5000, given),
		"of another amount":        move("u", "USD", "programme", "available", 4999, given),
		"a clawback to the user":   move("u", "USD", "programme", "pending", 500, clawback),
		"a reversal that approves": move("u", "USD", "available", "pending", 500, clawback),
		"a payout again":           move("u", "USD", "available", "in_payout", 1000, requested),
		"a payout paid":            move("u", "USD", "in_payout", "paid", 1000, requested),
		"a payout given back":      move("u", "USD", "in_payout", "available", 1000, requested),
		"a part of a payout":       move("u", "USD", "in_payout", "paid", 1, requested),
		"complete without money": `UPDATE payouts SET status = 'completed', closed_at = now(),
    version = version + 1`,
		"fail without money": `UPDATE payouts SET status = 'failed', closed_at = now(),
    version = version + 1`,
		"cancel without money": `UPDATE payouts SET status = 'cancelled', closed_at = now(),
    version = version + 1`,
		"complete and return": `UPDATE payouts SET status = 'completed', closed_at = now(),
    version = version + 1; ` + move("u", "USD", "in_payout", "available", 1000, requested),
		"request without money":    fmt.Sprintf(another, "requested", "NULL"),
		"begin as completed":       fmt.Sprintf(another, "completed", "now()"),
		"available without place":  adjustment,
		"a transfer twice":         at(nextCredit(), adjustment) + "; " + move("u", "USD", "programme", "available", 100, "id, NULL, now() FROM commissions WHERE amount_minor = 100"),
		"pending and available":    at(nextCredit(), strings.Replace(adjustment, "'approved'", "'pending'", 1)),
		"approve a part by itself": `UPDATE commissions SET status = 'approved', version = version + 1 WHERE event_id = 'waiting'; ` + move("u", "USD", "pending", "available", 999, waiting),
	} {
		for role, pool := range map[string]string{"the service": f.db.URL, "the owner": f.db.OwnerURL} {
			conn, err := pgx.Connect(t.Context(), pool)
			if err != nil {
				t.Fatal(err)
			}

			// statements that are sent as one text are one transaction
			if _, err := conn.Exec(t.Context(), sql); !strings.HasPrefix(platform.Code(err), "23") {
				t.Errorf("%s, by %s: %v", name, role, err)
			}

			_ = conn.Close(t.Context())
		}
	}

	if got := f.balance(t, "u"); got != "1000/4000/1000/0" {
		t.Errorf("balance: %s", got)
	}
}
