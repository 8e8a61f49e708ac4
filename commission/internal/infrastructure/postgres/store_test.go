package postgres_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/contracts/eventtype"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
)

// fixture is a store on a database of its own, a handler over it and an owner's connection for what
// the service must not do.
type fixture struct {
	store    *postgres.Store
	handler  *command.ConsumeEvents
	db       migrationstest.Database
	owner    *pgx.Conn
	now      *atomic.Int64 // unix microseconds
	inMemory int           // events of a replay
}

func setup(tb testing.TB) fixture {
	tb.Helper()
	db := migrationstest.New(tb, migrations.Commission())

	owner, err := pgx.Connect(tb.Context(), db.OwnerURL)
	if err != nil {
		tb.Fatal(err)
	}

	tb.Cleanup(func() { _ = owner.Close(context.WithoutCancel(tb.Context())) })
	f := fixture{store: postgres.New(db.Pool), db: db, owner: owner, now: &atomic.Int64{}}
	f.now.Store(start().UnixMicro())
	f.handler = f.deciding(f.store)

	return f
}

// deciding returns the handler that decides through the repository.
func (f fixture) deciding(decisions command.Decisions) *command.ConsumeEvents {
	return command.NewConsumeEvents(
		decisions,
		f.clock,
		func() string { return uuid.Must(uuid.NewV7()).String() },
	)
}

// traced returns a pool of one connection, whose statements the tracer sees.
func (f fixture) traced(t *testing.T, tracer pgx.QueryTracer) *pgxpool.Pool {
	t.Helper()

	cfg, err := pgxpool.ParseConfig(f.db.URL)
	if err != nil {
		t.Fatal(err)
	}

	cfg.ConnConfig.Tracer, cfg.MaxConns = tracer, 1

	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(pool.Close)

	return pool
}

func (f fixture) clock() time.Time { return time.UnixMicro(f.now.Load()).UTC() }

// decide passes events on and fails the test unless all are stored.
func (f fixture) decide(tb testing.TB, snapshots ...event.Snapshot) {
	tb.Helper()

	events := make([]event.Event, len(snapshots))
	for i, snapshot := range snapshots {
		e, err := event.New(snapshot)
		if err != nil {
			tb.Fatal(err)
		}

		events[i] = e
	}

	refused, err := f.handler.Handle(tb.Context(), events)
	if err != nil || len(refused) > 0 {
		tb.Fatalf("Handle = %v, %v", refused, err)
	}
}

func (f fixture) owned(tb testing.TB, sql string) {
	tb.Helper()

	if _, err := f.owner.Exec(tb.Context(), sql); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}
}

// one reads a single text.
func (f fixture) one(tb testing.TB, sql string, args ...any) string {
	tb.Helper()

	var text string
	if err := f.owner.QueryRow(
		tb.Context(),
		"SELECT ("+sql+")::text",
		args...).Scan(&text); err != nil {
		tb.Fatalf("%s: %v", sql, err)
	}

	return text
}

func purchase(id, user, amount string) event.Snapshot {
	return event.Snapshot{
		ID:         id,
		UserID:     user,
		Type:       eventtype.Purchase,
		OccurredAt: start().Add(-time.Hour),
		ReceivedAt: start(),
		Amount:     amount,
	}
}

func refund(id, user, original, amount string) event.Snapshot {
	return event.Snapshot{
		ID:         id,
		UserID:     user,
		Type:       eventtype.Refund,
		OccurredAt: start().Add(-time.Minute),
		ReceivedAt: start(),
		OriginalID: original,
		Amount:     amount,
	}
}

func (f fixture) outcome(t *testing.T, eventID string) string {
	t.Helper()

	d, err := f.store.Decision(t.Context(), owned(t, ""), eventID)
	if err != nil {
		t.Fatal(err)
	}

	return fmt.Sprintf("%s %s %d", d.Outcome, d.Reason, d.Amount.Minor())
}

func (f fixture) balance(t *testing.T, user string) string {
	t.Helper()

	return f.one(t, `SELECT format('%s/%s/%s/%s', pending_minor, available_minor, in_payout_minor,
    paid_minor) FROM balances WHERE user_id = $1`, user)
}

func TestAPurchaseBecomesACommission(t *testing.T) {
	t.Parallel()
	f := setup(t)
	p := purchase("e1", "user123", "100.0")
	p.ProductID = "prod456"
	f.decide(t, p, p)
	f.decide(t, p)

	if got := f.outcome(t, "e1"); got != "commissioned rule_applied 1000" {
		t.Errorf("decision: %s", got)
	}

	if got := f.balance(t, "user123"); got != "0/1000/0/0" {
		t.Errorf("balance: %s", got)
	}

	if got := f.one(t, `SELECT string_agg(concat_ws(' ', kind, status, rate, amount_minor, currency,
    product_id), ';') FROM commissions`); got != "earning approved 0.1 1000 USD prod456" {
		t.Errorf("commissions: %s", got)
	}
}

func TestRefundsTakeBackExactly(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.decide(t, refund("r0", "u", "e1", "0.03"))

	if got := f.outcome(t, "r0"); got != "parked original_unknown 0" {
		t.Errorf("before its sale: %s", got)
	}

	f.decide(t, purchase("e1", "u", "0.05"), refund("r1", "u", "e1", "0.01"))
	f.decide(t, refund("r2", "u", "e1", ""), refund("r3", "u", "e1", "1"))

	for id, want := range map[string]string{
		"e1": "not_commissioned zero_commission 0", // 0.005 is rounded to the even neighbour
		"r0": "not_commissioned nothing_to_claw_back 0",
		"r3": "not_commissioned already_reversed 0",
	} {
		if got := f.outcome(t, id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}

	f.decide(
		t,
		purchase("e2", "v", "100"),
		refund("s1", "v", "e2", "30"),
		refund("s2", "v", "e2", "30"),
		refund("s3", "v", "e2", "40"),
	)

	if got := f.one(t, `SELECT string_agg(concat_ws(' ', kind, status, amount_minor), ';'
    ORDER BY id) FROM commissions WHERE user_id = 'v'`); got != "earning reversed 1000;clawback "+
		"approved -300;clawback approved -300;clawback approved -400" {
		t.Errorf("rows: %s", got)
	}

	if got := f.balance(t, "v"); got != "0/0/0/0" {
		t.Errorf("balance: %s", got)
	}
}

func TestDecideManyAtOnce(t *testing.T) {
	t.Parallel()
	f := setup(t)

	var events []event.Snapshot
	for i := range 500 {
		events = append(events, purchase(fmt.Sprintf("e%d", i), fmt.Sprintf("user%d", i%50), "10"))
	}

	f.decide(t, events...)

	if got := f.one(t, `SELECT concat_ws(' ', (SELECT count(*) FROM decisions), (SELECT count(*)
    FROM commissions), (SELECT sum(available_minor) FROM balances), (SELECT count(*) FROM ledger))`); got != "500 500 50000 500" {
		t.Error(got)
	}
}

func start() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
