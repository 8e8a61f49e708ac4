package postgres_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// REPLAY_USERS users, 10,000 by default, have 100 purchases each, and one has REPLAY_EVENTS_OF_ONE.
func programme(b *testing.B) (f fixture, users int) {
	b.Helper()

	const each = 100

	f = setup(b)

	users, err := strconv.Atoi(cmp.Or(os.Getenv("REPLAY_USERS"), "10000"))
	if err != nil {
		b.Fatal(err)
	}

	f.sold(b, users, each)

	if n, _ := strconv.Atoi(os.Getenv("REPLAY_EVENTS_OF_ONE")); n > 0 {
		f.soldBy(b, "one", n)
	}

	return f, users
}

// BenchmarkWhatIf tries a rule for one user beside a million events of others.
func BenchmarkWhatIf(b *testing.B) {
	f, _ := programme(b)

	rate, err := money.ParseRate("0.3")
	if err != nil {
		b.Fatal(err)
	}

	snapshot := rule.Snapshot{
		Name:     "trial",
		Scope:    rule.Scope{EventType: eventtype.Purchase, UserID: "u7"},
		Currency: money.USD(),
		Formula:  rule.Percentage{Rate: rate},
		Priority: 1,
	}

	for b.Loop() {
		trials, err := f.replays(f.store).WhatIf(b.Context(), november(), snapshot)
		if err != nil || len(trials) != 1 {
			b.Fatal(trials, err)
		}
	}
}

// BenchmarkReplay replays a million purchases after a new rule for each twentieth user, and reports
// the largest heap.
func BenchmarkReplay(b *testing.B) {
	f, users := programme(b)

	for b.Loop() {
		for i := 0; i < users; i += 20 {
			f.rule(b, 100+i, 1, "0.2", "user_id", fmt.Sprintf("'u%d'", i))
		}

		began := time.Now()
		stop := peakHeap()

		found, err := f.start(b, f.store, november())
		if err != nil {
			b.Fatal(err)
		}

		f.replays(f.store).Work(context.WithoutCancel(b.Context()))

		b.ReportMetric(float64(stop())/(1<<20), "MiB")

		done, err := f.store.Replays().Replay(b.Context(), found.Replay.ID)
		if err != nil || done.Status != domain.Completed {
			b.Fatal(done, err)
		}

		b.Logf("%+v in %s", done.Progress, time.Since(began).Round(time.Second))
	}
}

// peakHeap returns a function that stops measuring and returns the largest heap since, in bytes.
func peakHeap() (stop func() uint64) {
	debug.FreeOSMemory()

	var (
		peak    uint64
		running sync.WaitGroup
	)

	done := make(chan struct{})

	running.Go(func() {
		var m runtime.MemStats

		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()

		for {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse+m.StackInuse)

			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})

	return func() uint64 {
		close(done)
		running.Wait()

		return peak
	}
}

// sold adds purchases of 100.00 of users u0 to u<users>, as consumption would have stored them.
func (f fixture) sold(tb testing.TB, users, each int) {
	tb.Helper()
	f.soldAs(tb, fmt.Sprintf(`'u' || n %% %d`, users), "e", users*each)
}

func (f fixture) soldBy(tb testing.TB, user string, n int) {
	tb.Helper()
	f.soldAs(tb, "'"+user+"'", user, n)
}

// soldAs adds n purchases. Triggers are off meanwhile: the rows are right, and there are many.
func (f fixture) soldAs(tb testing.TB, user, prefix string, n int) {
	tb.Helper()

	template := purchase("template-"+prefix, "template", "100")
	f.decide(tb, template)

	err := pgx.BeginFunc(tb.Context(), f.owner, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`SET LOCAL session_replication_role = replica`,
			fmt.Sprintf(`CREATE TEMPORARY TABLE made ON COMMIT DROP AS SELECT %s AS user_id,
    '%s-' || n AS event_id, gen_random_uuid() AS id, n FROM generate_series(1, %d) AS n`, user, prefix, n),
			`INSERT INTO decisions (event_id, user_id, event_type, occurred_at, received_at, decided_at,
    amount_sent, self_referral, outcome, reason, rules_revision, rule_id, rule_version, currency,
    base_minor, unrounded, amount_minor, available_at, commission_id)
    SELECT m.event_id, m.user_id, event_type, occurred_at, received_at, decided_at,
        amount_sent, self_referral, outcome, reason, rules_revision, rule_id, rule_version, currency,
        base_minor, unrounded, amount_minor, available_at, m.id
    FROM made AS m, decisions AS d WHERE d.event_id = 'template-` + prefix + `'`,
			`INSERT INTO commissions (id, event_id, user_id, event_type, kind, status, base_minor, rate,
    amount_minor, currency, rule_id, rule_version, available_at, occurred_at, created_at)
    SELECT m.id, m.event_id, m.user_id, event_type, kind, status, base_minor, rate,
        amount_minor, currency, rule_id, rule_version, available_at, occurred_at, created_at
    FROM made AS m, commissions AS c WHERE c.event_id = 'template-` + prefix + `'`,
			`INSERT INTO balances (user_id, currency, programme_minor, pending_minor,
    available_minor, in_payout_minor, paid_minor, credited_minor, debited_minor, moved_minor)
    SELECT user_id, 'USD', -s, 0, s, 0, 0, s, 0, s
    FROM (SELECT user_id, 1000 * count(*) AS s FROM made GROUP BY user_id) AS x`,
		} {
			if _, err := tx.Exec(tb.Context(), sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}

		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}

	if _, err := f.owner.Exec(tb.Context(), `ANALYZE`); err != nil {
		tb.Fatal(err)
	}
}
