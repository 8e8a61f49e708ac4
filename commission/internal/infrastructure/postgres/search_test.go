package postgres_test

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/infrastructure/postgres"
)

// row holds the columns by which lists are filtered.
type row struct {
	id                         uuid.UUID
	made, occurred, updated    time.Time
	user, kind, status, typeOf string
	campaign, order            *string
}

func (r row) fits(f query.CommissionFilter) bool {
	return (f.UserID == "" || r.user == f.UserID) && (f.EventType == "" || r.typeOf == f.EventType) && (f.Status == "" || r.status == f.Status) &&
		(f.Kind == "" || r.kind == f.Kind) &&
		(f.CampaignID == "" || r.campaign != nil && *r.campaign == f.CampaignID) &&
		(f.OccurredFrom.IsZero() || !r.occurred.Before(f.OccurredFrom)) &&
		(f.OrderID == "" || r.order != nil && *r.order == f.OrderID) &&
		(f.OccurredTo.IsZero() || r.occurred.Before(f.OccurredTo)) &&
		within(r.made, f.CreatedFrom, f.CreatedTo) && within(r.updated, f.Updated.From, f.Updated.To)
}

func within(at, from, to time.Time) bool {
	return !at.Before(from) && (to.IsZero() || at.Before(to))
}

func below(rng *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(d)))
}

// made returns rows of forty days, the oldest first: most of them created right after their event,
// some of the near future, some hours late and one a number of weeks late. Rarely requested rows
// are among the oldest, where a search of the newest first finds them last.
func made(rng *rand.Rand, rows, weeksLate int) []row {
	campaigns := []string{"x", "y"}

	list := make([]row, rows)
	for i := range list {
		at := start().Add(time.Duration(i-rows) * (40 * 24 * time.Hour / time.Duration(rows)))

		r := row{
			made:   at.Add(below(rng, 20*time.Second)),
			user:   "user" + string(rune('a'+rng.IntN(26))),
			kind:   "earning",
			status: "approved",
			typeOf: "purchase",
		}
		switch rng.IntN(100) {
		case 0:
			r.occurred = at.Add(5 * time.Minute)
		case 1, 2:
			r.occurred = at.Add(-below(rng, 10*time.Hour))
		default:
			r.occurred = at.Add(-below(rng, 3*time.Second))
		}

		if i%weeksLate == weeksLate-1 {
			r.occurred = at.Add(-below(rng, 20*24*time.Hour))
		}

		if c := rng.IntN(3); c < 2 {
			r.campaign = &campaigns[c]
		}

		if i%5 == 0 {
			order := fmt.Sprint("order", i/10)
			r.order = &order
			r.typeOf = []string{"purchase", "view"}[i/5%2] // one purchase an order
		}

		r.made = r.made.Truncate(time.Microsecond)

		r.updated = r.made
		if i%3 == 0 {
			r.updated = r.made.Add(below(rng, 20*24*time.Hour)).Truncate(time.Hour)
		}

		if i < rows/100 {
			r.kind = []string{"earning", "adjustment", "clawback"}[i%3]
			r.status = []string{"approved", "held", "pending"}[i%5%3]
			r.typeOf = []string{"lead", "refund", "engagement"}[i%7%3]
		}

		r.occurred = r.occurred.Truncate(time.Microsecond)
		binary.BigEndian.PutUint64(r.id[:], uint64(r.made.UnixMilli())<<16|7<<12)
		binary.BigEndian.PutUint64(r.id[8:], uint64(i))
		list[i] = r
	}

	return list
}

// search is a database with rows, and a store over one connection to it that records its
// statements.
type search struct {
	fixture

	pool   *pgxpool.Pool
	record *transcript
}

func filled(t *testing.T, rows []row) search {
	t.Helper()
	f := setup(t)
	// without the guards: states that a row reaches only later
	f.owned(t, "SET session_replication_role = replica")
	columns := []string{
		"id",
		"event_id",
		"user_id",
		"campaign_id",
		"event_type",
		"kind",
		"status",
		"base_minor",
		"amount_minor",
		"currency",
		"rule_id",
		"reverses_id",
		"reason",
		"available_at",
		"occurred_at",
		"created_at",
		"changed_at",
		"order_id",
	}

	_, err := f.owner.CopyFrom(
		t.Context(),
		pgx.Identifier{"commissions"},
		columns,
		pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
			r := rows[i]
			amount := 100
			status := r.status

			reverses := any(nil)
			switch r.kind {
			case "clawback":
				amount, reverses = -100, r.id
			case "adjustment":
				status = "approved"
			}

			rows[i].status = status

			changed := any(r.updated)
			if r.updated.Equal(r.made) {
				changed = nil
			}

			return []any{
				r.id,
				r.id.String(),
				r.user,
				r.campaign,
				r.typeOf,
				r.kind,
				status,
				1000,
				amount,
				"USD",
				r.id,
				reverses,
				"why",
				r.occurred,
				r.occurred,
				r.made,
				changed,
				r.order,
			}, nil
		}),
	)
	if err != nil {
		t.Fatal(err)
	}

	f.owned(t, `INSERT INTO payouts (id, user_id, amount_minor, currency, payment_method,
    account_details, status, requested_at, created_at, closed_at, paid_at)
		SELECT gen_random_uuid(), 'u' || i % 100, 1, 'USD', 'm', '{}',
		    CASE WHEN i <= 15 THEN 'requested' ELSE 'completed' END,
		        '2026-01-01Z'::timestamptz + i * interval '1 s',
		            '2026-01-01Z'::timestamptz + i * interval '1 s',
		CASE WHEN i > 15 THEN now() END, CASE WHEN i > 15 THEN now() END FROM generate_series(1, 40000) AS i`)
	f.owned(t, "VACUUM ANALYZE")

	record := &transcript{}
	pool := f.traced(t, record)
	f.store = postgres.New(pool)

	return search{f, pool, record}
}

// pages returns how many pages the statements since the last call read, and their plans.
func (f search) pages(t *testing.T) (n int, plans string) {
	t.Helper()

	for _, s := range f.record.taken() {
		rows, err := f.owner.Query(
			t.Context(),
			"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) "+s.sql,
			s.args...)
		if err != nil {
			t.Fatal(err)
		}

		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}

		plan := strings.Join(lines, "\n")
		if buffers := regexp.MustCompile(
			`Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?`,
		).FindStringSubmatch(plan); buffers != nil {
			// the first is that of the whole plan
			hit, _ := strconv.Atoi(buffers[1])
			read, _ := strconv.Atoi(buffers[2])
			n += hit + read
		}

		plans += "\n" + plan
	}

	return n, plans
}

// scans returns how often the store used an index.
func (f search) scans(t *testing.T, index string) string {
	t.Helper()

	for range 2 { // a session's statistics are published by its next statement
		if _, err := f.pool.Exec(t.Context(), "SELECT pg_stat_force_next_flush()"); err != nil {
			t.Fatal(err)
		}
	}

	return f.one(t, `SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = $1`, index)
}

// Whatever a list skips for speed, it returns the same rows as a search of the whole table.
func TestListsMissNothing(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	rows := made(rng, 2000, 30)
	f := filled(t, rows)
	newest := slices.Clone(rows)
	slices.SortFunc(
		newest,
		func(a, b row) int { return strings.Compare(b.id.String(), a.id.String()) },
	)

	changes := slices.Clone(rows)
	slices.SortFunc(changes, func(a, b row) int {
		return cmp.Or(a.updated.Compare(b.updated), strings.Compare(a.id.String(), b.id.String()))
	})

	for range 300 {
		filter := randomFilter(rng, rows)

		ordered := newest
		if filter.Updated.Asked() {
			ordered = changes
		}

		var want, got []string
		for _, r := range ordered {
			if r.fits(filter) {
				want = append(want, r.id.String())
			}
		}

		slice := query.Slice{Limit: 1 + rng.IntN(200)}
		for full := true; full; {
			page, err := f.store.List(t.Context(), owned(t, filter.UserID), filter, slice)
			if err != nil {
				t.Fatal(err)
			}

			for _, c := range page {
				slice.After, slice.UpdatedAt = c.ID, c.UpdatedAt
				got = append(got, c.ID)
			}

			full = len(page) == slice.Limit
		}

		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %+v returns %d rows, want %d", seed, filter, len(got), len(want))
		}
	}
}

func randomFilter(rng *rand.Rand, rows []row) query.CommissionFilter {
	var f query.CommissionFilter

	some := func() row { return rows[rng.IntN(len(rows))] }
	if rng.IntN(4) == 0 {
		f.UserID = some().user
	}

	if rng.IntN(4) == 0 {
		f.CampaignID = "x"
	}

	if rng.IntN(4) == 0 {
		f.EventType, f.Kind = some().typeOf, rows[rng.IntN(10)].kind
	}

	if rng.IntN(4) == 0 {
		f.Status = rows[rng.IntN(10)].status
	}

	if rng.IntN(10) == 0 {
		f.OrderID = *rows[rng.IntN(len(rows)/5)*5].order
	}

	if rng.IntN(4) == 0 {
		f.CreatedFrom = some().made
	}

	if rng.IntN(4) == 0 {
		f.CreatedTo = some().made
	}

	if rng.IntN(4) == 0 {
		f.Updated.From = some().updated
	}

	if rng.IntN(6) == 0 {
		f.Updated.To = some().updated
	}

	if rng.IntN(4) > 0 {
		f.OccurredFrom = some().occurred
	}

	if rng.IntN(4) > 0 {
		f.OccurredTo = some().occurred.Add(below(rng, time.Hour))
	}

	return f
}

// The cost of a page depends on its rows only, wherever in the table they are.
func TestListsReadLittle(t *testing.T) {
	t.Parallel()
	f := filled(t, made(rand.New(rand.NewPCG(1, 2)), 100_000, 40_000))
	day := func(n int) time.Time { return start().AddDate(0, 0, n) }

	whole, err := strconv.Atoi(
		f.one(t, `SELECT relpages FROM pg_class WHERE relname = 'commissions'`),
	)
	if err != nil || whole < 2000 {
		t.Fatalf("%d pages are too few to tell, %v", whole, err)
	}

	for name, filter := range map[string]query.CommissionFilter{
		"all": {}, "user": {UserID: "usera"}, "campaign": {CampaignID: "x"}, "held": {Status: "held"}, "pending": {Status: "pending"}, "clawbacks": {Kind: "clawback"}, "leads": {EventType: "lead"}, "refunds": {EventType: "refund"},
		"approved": {Status: "approved"}, "earnings": {Kind: "earning"}, "purchases in USD": {EventType: "purchase", Currency: "USD"},
		"since yesterday": {OccurredFrom: day(-1)}, "nothing since yesterday": {OccurredFrom: day(-1), Status: "approved", ProductID: "none"},
		"leads since yesterday": {OccurredFrom: day(-1), EventType: "lead"}, "until 35 days ago": {OccurredTo: day(-35)}, "until 5 days ago": {OccurredTo: day(-5)}, "a day": {OccurredFrom: day(-20), OccurredTo: day(-19)},
		"nothing of a day": {OccurredFrom: day(-20), OccurredTo: day(-19), Currency: "EUR"}, "of the future": {OccurredFrom: day(1), OccurredTo: day(2)},
		"created since yesterday": {CreatedFrom: day(-1)}, "created until 35 days ago": {CreatedTo: day(-35)}, "created on a day": {CreatedFrom: day(-20), CreatedTo: day(-19)},
		"changed since 5 days ago": {Updated: query.Updated{From: day(-5)}}, "changed on a day": {Updated: query.Updated{From: day(-20), To: day(-19)}},
	} {
		if _, err := f.store.List(t.Context(), owned(t, filter.UserID), filter, query.Slice{Limit: 10}); err != nil {
			t.Fatal(err)
		}

		if n, plans := f.pages(t); n > whole/5 {
			t.Errorf("%s: %d pages of %d: %s", name, n, whole, plans)
		}
	}

	for name, filter := range map[string]query.CommissionFilter{
		"pending since yesterday": {OccurredFrom: day(-1), Status: "pending"}, "clawbacks since yesterday": {OccurredFrom: day(-1), Kind: "clawback"}, "since tomorrow": {OccurredFrom: day(1)},
		"changed since tomorrow": {Updated: query.Updated{From: day(50)}}, "order": {OrderID: "order3"}, "no order": {OrderID: "none"},
	} {
		if _, err := f.store.List(t.Context(), owned(t, filter.UserID), filter, query.Slice{Limit: 10}); err != nil {
			t.Fatal(err)
		}

		if n, plans := f.pages(t); n > 5 { // the index begins where such rows can be
			t.Errorf("%s: %d pages: %s", name, n, plans)
		}
	}

	for _, status := range []string{"requested", "completed", "failed"} {
		if _, err := f.store.Payouts().Payouts(
			t.Context(),
			owned(t, ""),
			query.PayoutFilter{Status: status},
			10,
			query.Position{},
		); err != nil {
			t.Fatal(err)
		}

		if n, plans := f.pages(t); n > 30 {
			t.Errorf("payouts %s: %d pages: %s", status, n, plans)
		}
	}

	if _, err := f.store.Summary(
		t.Context(),
		owned(t, ""),
		query.CommissionFilter{OccurredFrom: day(-1)},
		query.Grouping{By: []query.Dimension{query.ByCurrency}},
		10,
		nil,
	); err != nil {
		t.Fatal(err)
	}

	if n, plans := f.pages(t); n > whole/5 {
		t.Errorf("summary of a day: %d pages: %s", n, plans)
	}
}

// PostgreSQL may use a generic plan for a prepared statement that has run some times, and such a
// plan can use no partial index.
func TestPartialIndexesAreUsedEveryTime(t *testing.T) {
	t.Parallel()

	f := filled(t, made(rand.New(rand.NewPCG(1, 2)), 20_000, 10_000))
	for index, list := range map[string]func() error{
		"commissions_status": func() error {
			_, err := f.store.List(t.Context(), owned(t, ""), query.CommissionFilter{Status: "held"}, query.Slice{Limit: 10})
			return err
		},
		"commissions_kind": func() error {
			_, err := f.store.List(t.Context(), owned(t, ""), query.CommissionFilter{Kind: "adjustment"}, query.Slice{Limit: 10})
			return err
		},
		"commissions_rare_type": func() error {
			_, err := f.store.List(t.Context(), owned(t, ""), query.CommissionFilter{EventType: "refund"}, query.Slice{Limit: 10})
			return err
		},
		"payouts_status": func() error {
			_, err := f.store.Payouts().Payouts(
				t.Context(),
				owned(t, ""),
				query.PayoutFilter{Status: "requested"},
				10,
				query.Position{},
			)

			return err
		},
	} {
		for range 20 {
			if err := list(); err != nil {
				t.Fatal(err)
			}
		}

		if scans := f.scans(t, index); scans != "20" {
			t.Errorf("%s was used %s times of 20", index, scans)
		}
	}
}

// An aborted search is no outage: a retry would take as long.
func TestSearchesThatTakeTooLong(t *testing.T) {
	t.Parallel()

	f := filled(t, nil)
	if _, err := f.pool.Exec(t.Context(), "SET statement_timeout = '20ms'"); err != nil {
		t.Fatal(err)
	}

	f.owned(t, "BEGIN; LOCK commissions, payouts, decisions")
	_, list := f.store.List(t.Context(), owned(t, ""), query.CommissionFilter{}, query.Slice{Limit: 10})
	_, summary := f.store.Summary(
		t.Context(),
		owned(t, ""),
		query.CommissionFilter{},
		query.Grouping{By: []query.Dimension{query.ByCurrency}},
		10,
		nil,
	)

	_, paid := f.store.Payouts().Payouts(
		t.Context(),
		owned(t, ""),
		query.PayoutFilter{},
		10,
		query.Position{},
	)
	for name, err := range map[string]error{"list": list, "summary": summary, "payouts": paid} {
		if !errors.Is(err, query.ErrTooWide) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
