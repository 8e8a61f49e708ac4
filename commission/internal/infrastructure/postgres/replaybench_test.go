package postgres_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// REPLAY_USERS users, 10,000 by default, have 100 purchases each.
func programme(b *testing.B) (f fixture, users int) {
	b.Helper()

	const each = 100

	f = setup(b)

	users, err := strconv.Atoi(cmp.Or(os.Getenv("REPLAY_USERS"), "10000"))
	if err != nil {
		b.Fatal(err)
	}

	f.sold(b, users, each)

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

		f.measureReplay(b, false)
	}
}

// measureReplay replays November, and reports the largest heap.
func (f fixture) measureReplay(b *testing.B, dryRun bool) {
	b.Helper()

	began := time.Now()
	stop := peakHeap()

	request := byHand()
	request.Now = f.clock()

	found, err := f.replays(f.store).Start(b.Context(), request, november(), dryRun)
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

// BenchmarkReplayOfOne replays one user with REPLAY_EVENTS_OF_ONE events, 100,000 by default, and
// reports the largest heap: without a difference; with a difference of each event; and in a dry run
// with a refund of each second event, of which all come after the last sale, or each an hour after
// its own.
func BenchmarkReplayOfOne(b *testing.B) {
	events, err := strconv.Atoi(cmp.Or(os.Getenv("REPLAY_EVENTS_OF_ONE"), "100000"))
	if err != nil {
		b.Fatal(err)
	}

	for _, c := range []struct {
		name    string
		sales   int
		differ  bool
		refunds string // when they occur, for the n-th sale
	}{
		{"without a difference", events, false, ""},
		{"with a difference of each event", events, true, ""},
		{"with refunds at the end", events / 2, false, `occurred_at + interval '14 days'`},
		{"with refunds after an hour", events / 2, false, `occurred_at + interval '1 hour'`},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := setup(b)
			f.soldBy(b, "one", c.sales)

			if c.differ {
				f.rule(b, 1, 1, "0.2", "user_id", "'one'")
			}

			if c.refunds != "" {
				f.refunded(b, "one", c.refunds, c.sales)
			}

			for b.Loop() {
				f.measureReplay(b, c.refunds != "")
			}
		})
	}
}

// refunded spreads the sales of the user over 14 days, and adds a refund of each that took back
// nothing.
func (f fixture) refunded(tb testing.TB, user, at string, sales int) {
	tb.Helper()

	err := pgx.BeginFunc(tb.Context(), f.owner, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`SET LOCAL session_replication_role = replica`,
			`UPDATE decisions SET occurred_at = occurred_at
    - interval '14 days' * (substr(event_id, length($1) + 2)::float / ` + strconv.Itoa(sales) + `) WHERE user_id = $1`,
			`INSERT INTO decisions (event_id, user_id, event_type, occurred_at, received_at, decided_at,
    original_event_id, self_referral, outcome, reason, rules_revision)
    SELECT 'refund-' || event_id, user_id, 'refund', ` + at + `, received_at, decided_at,
        event_id, false, 'not_commissioned', 'original_not_commissioned', rules_revision
    FROM decisions WHERE user_id = $1`,
		} {
			var args []any
			if strings.Contains(sql, "$1") {
				args = append(args, user)
			}

			if _, err := tx.Exec(tb.Context(), sql, args...); err != nil {
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
