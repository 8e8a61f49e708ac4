package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/domain/rule"
	platform "tributary/platform/postgres"
)

// await calls is until it reports true.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()

	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()

	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()

	for !is() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// read reads the log from the position until it has the number of events. Transactions of other
// tests delay the reader.
func (f fixture) read(t *testing.T, after eventlog.Position, number int) []eventlog.Event {
	t.Helper()

	var events []eventlog.Event

	await(t, fmt.Sprint(number, " events"), func() bool {
		page, err := f.store.EventLog().Read(t.Context(), after, 3)
		if err != nil {
			t.Log(err) // a killed connection
		}

		if len(page) > 0 {
			after = page[len(page)-1].Position()
		}

		events = append(events, page...)

		return len(events) >= number
	})

	return events
}

// start of the log: after the first rules.
func (f fixture) firstRules(t *testing.T) eventlog.Position {
	t.Helper()

	const rules = 5

	return f.read(t, eventlog.Position{}, rules)[rules-1].Position()
}

func TestPayoutsWriteTheLog(t *testing.T) {
	t.Parallel()
	f := setup(t)
	from := f.firstRules(t)
	f.decide(t, purchase("e1", "u", "100"))
	from = f.read(t, from, 1)[0].Position()

	if _, err := f.request(t.Context(), payoutOf("u", 1001)); err != nil {
		t.Fatal(err)
	}

	wanted := payoutOf("u", 400)
	wanted.RequestHash = "k:1"

	paid, err := f.request(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}

	wanted.RequestHash = "k:2"
	if _, err := f.request(t.Context(), wanted); err != nil {
		t.Fatal(err)
	}

	if _, err := command.NewClosePayout(f.store.Payouts()).Handle(
		t.Context(), byHand(), command.Closing{ID: paid.ID, To: payout.Completed},
	); err != nil {
		t.Fatal(err)
	}

	var got []string

	for _, e := range f.read(t, from, 4) {
		p := e.Payout

		got = append(got, fmt.Sprint(
			e.Sequence, " ", e.Type, " ", e.Cause.Kind, " ", p.Status, p.Version, " ",
			e.PreviousStatus, e.PreviousVersion, " ", p.Reason, p.Details,
			!p.ClosedAt.IsZero(), !p.ConflictedAt.IsZero(), " ", e.Cause.Actor,
		))
		if e.UserID != "u" || e.Cause.Kind == "payment_request" && e.Cause.ID != p.ID {
			t.Errorf("%+v", e)
		}
	}

	want := []string{
		"2 payout.rejected payment_request rejected1 0 insufficient_balancetrue false ",
		"3 payout.requested payment_request requested1 0 false false ",
		"4 payout.updated payment_request requested2 requested1 false true ",
		"5 payout.completed operator completed3 requested2 true true " + byHand().Actor,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRulesWriteTheLog(t *testing.T) {
	t.Parallel()
	f := setup(t)
	first := f.read(t, eventlog.Position{}, 5)

	for _, e := range first {
		if e.Type != "rule.published" || e.Sequence != 1 || e.Rule.Version() != 1 || e.Cause.ID != "first-rules" {
			t.Errorf("%+v", e)
		}
	}

	id := first[0].Rule.ID()
	snapshot := first[0].Rule.Snapshot()
	snapshot.Version = 2

	if err := f.store.PublishRule(
		t.Context(), byHand(), func(*rule.Set) (rule.Rule, change.Outcome, error) {
			return unaudited(rule.New(snapshot))
		},
	); err != nil {
		t.Fatal(err)
	}

	if err := f.store.RetireRule(
		t.Context(),
		byHand(),
		func(set *rule.Set) (rule.Rule, change.Outcome, error) { return unaudited(set.Retire(id, start())) },
	); err != nil {
		t.Fatal(err)
	}

	var got []string

	for _, e := range f.read(t, first[4].Position(), 2) {
		got = append(got, fmt.Sprint(
			e.Key() == id, e.Sequence, " ", e.Type, " ", e.Rule.Version(), " ",
			e.Rule.Snapshot().RetiredAt.IsZero(), " ", e.PreviousVersion, " ", e.UserID,
		))
	}

	want := []string{"true 2 rule.published 2 true 1 ", "true 3 rule.retired 2 false 2 "}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A reader of seq > n skips a transaction that has a lower number and commits later. The log's
// reader waits for it.
func TestTheReaderWaitsForEarlierTransactions(t *testing.T) {
	t.Parallel()
	f := setup(t)
	from := f.firstRules(t)

	slow, err := f.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = slow.Rollback(context.WithoutCancel(t.Context())) }()

	row := `INSERT INTO commission_events (user_id, sequence, type, payout_id, caused_by, status,
    version, state) SELECT user_id, 99, 'payout.updated', id, 'operator', status, version, '{}'
    FROM payouts WHERE user_id = $1`

	for _, user := range []string{"u", "v"} {
		if _, err := f.request(t.Context(), payoutOf(user, 1)); err != nil {
			t.Fatal(err)
		}
	}

	if _, err := slow.Exec(t.Context(), row, "u"); err != nil {
		t.Fatal(err)
	}

	if _, err := f.db.Pool.Exec(t.Context(), row, "v"); err != nil {
		t.Fatal(err)
	}

	before := f.read(t, from, 2)

	naive := f.one(t, `SELECT max(seq) FROM commission_events`)
	if page, err := f.store.EventLog().Read(t.Context(), before[1].Position(), 9); err != nil || len(page) > 0 {
		t.Fatalf("while an earlier transaction runs: %v, %v", page, err)
	}

	f.owned(t, `SELECT pg_sleep(1)`)

	if held, err := f.store.EventLog().Held(t.Context()); err != nil || held < time.Second {
		t.Errorf("held for %v, %v", held, err)
	}

	if err := slow.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}

	after := f.read(t, before[1].Position(), 2)
	if after[0].UserID != "u" || after[1].UserID != "v" {
		t.Errorf("read %s before %s", after[0].UserID, after[1].UserID)
	}

	if got := f.one(t, `SELECT count(*) FROM commission_events WHERE seq > `+naive); got != "0" {
		t.Errorf("a reader of seq > n finds %s events more, and skips none", got)
	}
}

// Eight writers work on the same users while connections are killed. The reader that follows finds
// every event once and each user's events in order.
func TestTheReaderSkipsNothing(t *testing.T) {
	t.Parallel()
	f := setup(t)
	from := f.firstRules(t)

	const writers, each, users = 8, 60, 5

	ctx, stop := context.WithCancel(t.Context())
	defer stop()

	var killer, work sync.WaitGroup
	written := make(chan struct{}, writers*each)

	killer.Go(func() { f.killConnections(ctx, t, written) })

	for range writers {
		work.Go(func() {
			for i := range each {
				wanted := payoutOf(fmt.Sprint("u", i%users), 1)
				await(t, "a payout", func() bool {
					_, err := f.request(t.Context(), wanted)
					return err == nil
				})

				if i%5 == 0 {
					written <- struct{}{}
				}
			}
		})
	}

	seen := f.read(t, from, writers*each)

	work.Wait()
	stop()
	killer.Wait()

	last := map[string]int64{}
	ids := map[string]bool{}

	for _, e := range seen {
		if last[e.UserID]++; e.Sequence != last[e.UserID] {
			t.Fatalf("event %d of %s comes as number %d", e.Sequence, e.UserID, last[e.UserID])
		}

		ids[e.ID()] = true
	}

	if len(ids) != writers*each || f.one(t, `SELECT count(*) FROM payouts`) != fmt.Sprint(writers*each) {
		t.Errorf("%d events", len(ids))
	}
}

// killConnections ends a random connection of the service at each signal.
func (f fixture) killConnections(ctx context.Context, t *testing.T, signal <-chan struct{}) {
	t.Helper()

	conn, err := pgx.Connect(ctx, f.db.OwnerURL)
	if err != nil {
		t.Error(err)
		return
	}

	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	for {
		select {
		case <-ctx.Done():
			return
		case <-signal:
		}

		if _, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = 'commission_user' AND datname = current_database() ORDER BY random() LIMIT 1`,
		); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}
}

func TestTheLogIsAppendOnly(t *testing.T) {
	t.Parallel()
	f := setup(t)

	partition := f.one(t, `SELECT tableoid::regclass FROM commission_events LIMIT 1`)
	for _, statement := range []string{
		"UPDATE %s SET sequence = 9", "DELETE FROM %s", "TRUNCATE %s",
	} {
		for _, table := range []string{"commission_events", partition} {
			sql := fmt.Sprintf(statement, table)
			if _, err := f.db.Pool.Exec(t.Context(), sql); platform.Code(err) != "42501" {
				t.Errorf("the service: %s: %v", sql, err)
			}

			if _, err := f.owner.Exec(t.Context(), sql); platform.Code(err) != "23001" {
				t.Errorf("the owner: %s: %v", sql, err)
			}
		}
	}

	if _, err := f.db.Pool.Exec(t.Context(), `SELECT FROM `+partition); platform.Code(err) != "42501" {
		t.Errorf("the service reads a partition: %v", err)
	}
}

// aged moves all partitions back by the number of days, as if that time had passed.
func (f fixture) aged(t *testing.T, days int) {
	t.Helper()
	f.owned(t, fmt.Sprintf(`DO $$
DECLARE
    part text;
    day  date;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits
        WHERE inhparent = 'commission_events'::regclass ORDER BY 1
    LOOP
        day := to_date(right(part, 8), 'YYYYMMDD') - %d;
        EXECUTE format('ALTER TABLE commission_events DETACH PARTITION %%I', part);
        EXECUTE format('ALTER TABLE %%I DISABLE TRIGGER ALL', part);
        EXECUTE format('UPDATE %%I SET at = at - interval ''%d days''', part);
        EXECUTE format('ALTER TABLE %%I ENABLE TRIGGER ALL', part);
        EXECUTE format('ALTER TABLE %%I RENAME TO %%I', part, 'commission_events_' || to_char(day, 'YYYYMMDD'));
        EXECUTE format('ALTER TABLE commission_events ATTACH PARTITION %%I FOR VALUES FROM (%%L) TO (%%L)',
            'commission_events_' || to_char(day, 'YYYYMMDD'), day::timestamp AT TIME ZONE 'UTC',
            (day + 1)::timestamp AT TIME ZONE 'UTC');
    END LOOP;
END $$`, days, days))
}

func TestOldPartitionsAreDropped(t *testing.T) {
	t.Parallel()
	f := setup(t)
	log := f.store.EventLog()

	const users = 2500 // more than two steps

	var facts []string
	for i := range users {
		facts = append(facts, fmt.Sprint("u", i))
	}

	f.owned(t, `INSERT INTO commission_events (user_id, sequence, type, event_id, caused_by, status)
    SELECT u, n, 'decision.made', u || n, 'event', 'parked' FROM unnest('{`+
		strings.Join(facts, ",")+`}'::text[]) AS u, generate_series(1, 3) AS n`)

	f.aged(t, 30)

	if err := log.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}

	old := time.Now().AddDate(0, 0, -7)

	if dropped, err := log.Expire(t.Context(), old); err != nil || dropped > 0 {
		t.Fatalf("before it is published: %d, %v", dropped, err)
	}

	f.owned(t, `UPDATE relay SET (tx, seq) = (SELECT tx, seq FROM commission_events
    ORDER BY tx DESC, seq DESC LIMIT 1)`)

	// a reader is there; the drop does not wait for long, and no other reader waits for it
	reading, err := f.owner.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	if _, err := reading.Exec(t.Context(), `SELECT FROM commission_events LIMIT 1`); err != nil {
		t.Fatal(err)
	}

	begun := time.Now()
	if _, err := log.Expire(t.Context(), old); platform.Code(err) != "55P03" || time.Since(begun) > 5*time.Second {
		t.Fatalf("while there is a reader: %v after %v", err, time.Since(begun))
	}

	if err := reading.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}

	if dropped, err := log.Expire(t.Context(), old); err != nil || dropped != 8 {
		t.Fatalf("dropped %d, %v", dropped, err)
	}

	if got := f.one(t, `SELECT concat_ws(' ', (SELECT count(*) FROM commission_events),
    (SELECT count(*) FROM event_sequences WHERE user_id IS NOT NULL AND sequence = 3),
    (SELECT count(*) FROM event_sequences WHERE rule_id IS NOT NULL AND sequence = 1))`); got != "0 2500 5" {
		t.Errorf("left: %s", got)
	}

	if _, err := f.request(t.Context(), payoutOf("u7", 1)); err != nil {
		t.Fatal(err)
	}

	if got := f.read(t, eventlog.Position{}, 1)[0].Sequence; got != 4 {
		t.Errorf("the numbers go on with %d", got)
	}
}

// The log without a partition for today is no reason to discard an event.
func TestWithoutAPartitionNothingIsDiscarded(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.aged(t, 30)

	if _, err := f.request(t.Context(), payoutOf("u", 1)); err == nil || platform.Refused(err) ||
		!strings.Contains(err.Error(), "partition") {
		t.Errorf("a payout: %v", err)
	}
}

func TestIDsAreUUIDv7InTheOrderOfTime(t *testing.T) {
	t.Parallel()

	at := time.Date(2026, 11, 26, 12, 0, 0, 123456000, time.UTC)
	first := eventlog.Event{At: at, Place: eventlog.Position{Seq: 1<<61 + 9}}
	next := eventlog.Event{At: at.Add(time.Microsecond), Place: eventlog.Position{Seq: 3}}

	id, err := uuid.Parse(first.ID())
	if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		t.Errorf("%s: %v, version %d", first.ID(), err, id.Version())
	}

	if made := time.Unix(id.Time().UnixTime()); !made.Equal(at.Truncate(time.Millisecond)) {
		t.Errorf("time %v", made)
	}

	if first.ID() >= next.ID() {
		t.Errorf("%s before %s", first.ID(), next.ID())
	}
}
