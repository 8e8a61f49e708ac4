package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
	platform "tributary/platform/postgres"
)

// taken returns what a payout holds, debits in brackets and what was released struck out.
func (f fixture) taken(t *testing.T, id string) string {
	t.Helper()

	return f.one(t, `SELECT coalesce(string_agg(
    CASE WHEN released THEN '-' ELSE '' END || format(
        CASE side WHEN 'credit' THEN '%s..%s' ELSE '(%s..%s)' END, from_minor, to_minor),
    ' ' ORDER BY side, from_minor), '') FROM payout_intervals WHERE payout_id = $1`, id)
}

// pay requests a payout of u, whose balance covers it.
func (f fixture) pay(t *testing.T, minor int64) string {
	t.Helper()

	p, err := f.request(t.Context(), payoutOf("u", minor))
	if err != nil || p.Status != payout.Requested {
		t.Fatalf("%v, %v", p, err)
	}

	return p.ID
}

func (f fixture) closePayout(t *testing.T, id string, to payout.Status) {
	t.Helper()

	if _, err := command.NewClosePayout(f.store.Payouts()).Handle(
		t.Context(),
		byHand(),
		command.Closing{ID: id, To: to},
	); err != nil {
		t.Fatal(err)
	}
}

// First available, first paid; a clawback nets the next payout; what a failed payout held is the
// first that the next one takes.
func TestPayoutsTakeWhatCameFirst(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.decide(t, purchase("e1", "u", "100"), purchase("e2", "u", "50"), purchase("e3", "u", "30"))

	first, second := f.pay(t, 700), f.pay(t, 400)
	f.decide(t, refund("r1", "u", "e1", "20"))
	f.closePayout(t, first, payout.Failed)

	third := f.pay(t, 600)
	f.closePayout(t, second, payout.Completed)
	f.decide(t, purchase("e4", "u", "10"))
	f.closePayout(t, third, payout.Cancelled)

	fourth := f.pay(t, 1280)
	for id, want := range map[string]string{
		first:  "-0..700",
		second: "700..1100",
		third:  "-0..700 -1100..1200 -(0..200)",
		fourth: "0..700 1100..1880 (0..200)",
	} {
		if got := f.taken(t, id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

// Positions follow each other, and intervals lie on them, whoever writes.
func TestPositionsAndIntervalsAreGuarded(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.decide(
		t,
		purchase("e1", "u", "100"),
		refund("r1", "u", "e1", "30"),
		purchase("e2", "v", "100"),
	)

	open, failed := f.pay(t, 300), f.pay(t, 100)
	f.closePayout(t, failed, payout.Failed)

	adjust := func(minor int, position string) string {
		return at(position, fmt.Sprintf(`INSERT INTO commissions (id, user_id, kind, status,
    base_minor, amount_minor, currency, reason, available_at, occurred_at, created_at)
    VALUES (gen_random_uuid(), 'u', 'adjustment', 'approved', 0, %d, 'USD', 'x', now(), now(),
    now())`, minor))
	}
	take := func(of, side, from, to string) string {
		return fmt.Sprintf(`INSERT INTO payout_intervals (payout_id, user_id, currency, side,
    from_minor, to_minor) VALUES ('%s', 'u', 'USD', '%s', %s, %s)`, of, side, from, to)
	}

	for name, sql := range map[string]string{
		"a gap":              adjust(1, "1001"),
		"an overlap":         adjust(1, "999"),
		"a gap of a debit":   adjust(-1, "301"),
		"again from 0":       adjust(1, "0"),
		"no position":        adjust(1, "NULL::numeric"),
		"gaps on both sides": adjust(1, "1001") + ";" + adjust(-1, "301"),
		"a taken one":        take(open, "credit", "599", "700"),
		"around a taken one": take(open, "credit", "0", "1000"),
		"a taken debit":      take(open, "debit", "299", "300"),
		"more than there is": take(open, "credit", "600", "1001"),
		"more than it pays":  take(open, "credit", "600", "700"),
		"for a failed one":   take(failed, "credit", "600", "700"),
		"of another user":    strings.Replace(take(open, "credit", "0", "100"), "'u'", "'v'", 1),
		"backwards":          take(open, "credit", "700", "600"),
		"release":            `UPDATE payout_intervals SET released = true`,
		"take again":         `UPDATE payout_intervals SET released = false`,
		"edit": `UPDATE payout_intervals SET released = true, to_minor = to_minor - 1
    WHERE NOT released`,
		"delete": `DELETE FROM payout_intervals`,
	} {
		for role, url := range map[string]string{"the service": f.db.URL, "the owner": f.db.OwnerURL} {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}

			code := "23"
			if role == "the service" && !strings.Contains(sql, "INSERT") {
				code = "42501"
			}

			if _, err := conn.Exec(t.Context(), sql); !strings.HasPrefix(platform.Code(err), code) {
				t.Errorf("%s, by %s: %v", name, role, err)
			}

			_ = conn.Close(t.Context())
		}
	}

	// what both roles may do, so that the statements above fail for what is wrong with them
	f.owned(t, adjust(1, "1000"))
	f.owned(t, adjust(-1, "300"))
}

// Whatever happens in whatever order, from several sides at once: what payouts hold are disjoint
// parts of what commissions brought, and sum to the payouts.
func TestIntervalsHoldUnderLoad(t *testing.T) {
	t.Parallel()
	f := setup(t)

	var wg sync.WaitGroup
	for worker := range 4 {
		random := rand.New(rand.NewPCG(uint64(worker), 7))

		wg.Go(func() {
			for i := range 25 {
				user := fmt.Sprintf("u%d", random.IntN(2))
				id := fmt.Sprintf("%d-%d", worker, i)

				var events []event.Snapshot
				for n := range random.IntN(4) {
					sale := purchase(fmt.Sprintf("%s-%d", id, n), user, fmt.Sprint(1+random.IntN(500)))
					events = append(events, sale)

					if random.IntN(3) == 0 {
						events = append(events, refund("r"+sale.ID, user, sale.ID, ""))
					}
				}

				f.decide(t, events...)

				p, err := f.request(t.Context(), payoutOf(user, 1+random.Int64N(4000)))
				if err != nil {
					t.Error(err)
				}

				if p.Status == payout.Requested && random.IntN(3) > 0 {
					f.closePayout(t, p.ID, []payout.Status{
						payout.Completed,
						payout.Failed,
						payout.Cancelled,
					}[random.IntN(3)])
				}
			}
		})
	}

	wg.Wait()

	for name, sql := range map[string]string{
		"overlaps": `SELECT count(*) FROM payout_intervals AS a JOIN payout_intervals AS b
    USING (user_id, currency, side) WHERE NOT a.released AND NOT b.released
    AND (a.payout_id, a.from_minor) <> (b.payout_id, b.from_minor)
    AND a.from_minor < b.to_minor AND b.from_minor < a.to_minor`,
		"payouts that are not their intervals": `SELECT count(*) FROM payouts AS p
    WHERE status <> 'rejected' AND amount_minor <> (SELECT sum(CASE side WHEN 'credit' THEN 1
    ELSE -1 END * (to_minor - from_minor)) FROM payout_intervals WHERE payout_id = p.id)`,
		"positions that do not follow": `SELECT count(*) FROM (SELECT position_minor,
    sum(amount_minor) OVER (PARTITION BY user_id, currency, to_account = 'available'
    ORDER BY id) - amount_minor AS want FROM ledger WHERE position_minor IS NOT NULL) AS x
    WHERE position_minor <> want`,
		"released and held": `SELECT count(*) FROM payout_intervals JOIN payouts ON id = payout_id
    WHERE released <> (status IN ('failed', 'cancelled'))`,
		"balances that are not what is free": `SELECT count(*) FROM balances AS b
    WHERE available_minor <> credited_minor - debited_minor - coalesce((SELECT sum(CASE side
    WHEN 'credit' THEN 1 ELSE -1 END * (to_minor - from_minor)) FROM payout_intervals AS i
    WHERE (i.user_id, i.currency) = (b.user_id, b.currency) AND NOT released), 0)`,
	} {
		if got := f.one(t, sql); got != "0" {
			t.Errorf("%s %s", got, name)
		}
	}

	if got := f.one(t, `SELECT count(*) > 20 FROM payouts WHERE status <> 'rejected'`); got != "true" {
		t.Error("hardly anything was paid")
	}
}
