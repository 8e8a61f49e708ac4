package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/contracts/eventtype"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/domain/event"
	"tributary/tracking/internal/infrastructure/postgres"
)

// row holds the columns by which lists are filtered.
type row struct {
	seq                int64
	occurred, received time.Time
	user, kind         string
	campaign           *string
}

func (r row) fits(f query.Filter) bool {
	return (f.UserID == "" || r.user == f.UserID) && (f.Type == "" || r.kind == string(f.Type)) &&
		(f.CampaignID == "" || r.campaign != nil && *r.campaign == f.CampaignID) &&
		(f.From.IsZero() || !r.occurred.Before(f.From)) && (f.To.IsZero() || r.occurred.Before(f.To))
}

func below(rng *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(d)))
}

// randomLog returns a log of two days: bursts and silence, gaps in seq, receipts out of order,
// events that arrive hours and weeks late, and some of the near future.
func randomLog(rng *rand.Rand, rows int) []row {
	seq, received := int64(0), start().Add(-48*time.Hour)
	users := []string{"a", "b", "rare"}
	kinds := []string{"view", "click", "lead", "refund"}
	campaigns := []string{"x", "y"}

	log := make([]row, 0, rows)
	for range rows {
		seq += 1 + int64(rng.IntN(3))*int64(rng.IntN(30))

		received = received.Add(below(rng, time.Second))
		if rng.IntN(20) == 0 {
			received = received.Add(below(rng, 2*20*48*time.Hour/time.Duration(rows)))
		}

		r := row{
			seq:      seq,
			received: received.Add(-below(rng, 20*time.Second)),
			user:     users[min(rng.IntN(40), 2)],
			kind:     kinds[rng.IntN(len(kinds))],
		}
		switch rng.IntN(20) {
		case 0:
			r.occurred = r.received.Add(event.MaxAhead)
		case 1:
			r.occurred = r.received.Add(-below(rng, 40*time.Hour))
		case 2:
			r.occurred = r.received.Add(-below(rng, 40*24*time.Hour))
		default:
			r.occurred = r.received.Add(-below(rng, 3*time.Second))
		}

		r.occurred = r.occurred.Truncate(time.Microsecond)
		if c := rng.IntN(3); c < 2 {
			r.campaign = &campaigns[c]
		}

		log = append(log, r)
	}

	return log
}

func randomFilter(rng *rand.Rand, log []row) query.Filter {
	var f query.Filter
	if rng.IntN(3) == 0 {
		f.UserID = log[rng.IntN(len(log))].user
	}

	if rng.IntN(3) == 0 {
		f.CampaignID = "x"
	}

	if rng.IntN(3) == 0 {
		f.Type = eventtype.Type(log[rng.IntN(len(log))].kind)
	}

	if rng.IntN(4) > 0 {
		f.From = log[rng.IntN(len(log))].occurred
	}

	if rng.IntN(4) > 0 {
		f.To = log[rng.IntN(len(log))].occurred.Add(below(rng, time.Hour))
	}

	return f
}

func insert(t *testing.T, db migrationstest.Database, log []row) {
	t.Helper()

	owner, err := pgx.Connect(t.Context(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = owner.Close(t.Context()) }()

	batch := &pgx.Batch{}
	for _, r := range log {
		batch.Queue(
			`INSERT INTO events (seq, occurred_at, received_at, event_id, user_id, event_type,
    campaign_id, body_hash) OVERRIDING SYSTEM VALUE
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			r.seq,
			r.occurred,
			r.received,
			fmt.Sprint(r.seq),
			r.user,
			r.kind,
			r.campaign,
			make([]byte, 16),
		)
	}

	if err := owner.SendBatch(t.Context(), batch).Close(); err != nil {
		t.Fatal(err)
	}

	if _, err := owner.Exec(t.Context(), `VACUUM ANALYZE events`); err != nil {
		t.Fatal(err)
	}
}

// Whatever a list skips for speed, it returns the same rows as a search of the whole log.
func TestListsMissNothing(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	db := migrationstest.New(t, migrations.Tracking())
	rows := randomLog(rng, 2000)
	insert(t, db, rows)

	log := postgres.NewLog(db.Pool)
	for range 300 {
		f, limit := randomFilter(rng, rows), 1+rng.IntN(200)

		var want []int64
		for _, r := range rows {
			if r.fits(f) {
				want = append(want, r.seq)
			}
		}

		position := int64(0)
		if len(want) > 0 && rng.IntN(2) == 0 { // from a position within the log
			position = want[rng.IntN(len(want))]
			want = slices.DeleteFunc(want, func(seq int64) bool { return seq <= position })
		}

		var got []int64
		for more := true; more; {
			var (
				page []event.Entry
				err  error
			)

			page, more, err = log.Events(t.Context(), f, position, limit)
			if err != nil {
				t.Fatal(err)
			}

			for _, entry := range page {
				got, position = append(got, entry.Seq), entry.Seq
			}

			if more && len(page) != limit {
				t.Fatalf("seed %d: a page of %d events, want %d", seed, len(page), limit)
			}
		}

		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %+v returns %d events, want %d", seed, f, len(got), len(want))
		}
	}
}

// A page holds at most about 4 MiB, whatever its limit, in both parts of a list by time: 100 events
// of 512 KiB fill many pages, each event once.
func TestPagesOfLargeEventsAreShort(t *testing.T) {
	t.Parallel()

	log, db := setup(t)

	owner, err := pgx.Connect(t.Context(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = owner.Close(context.WithoutCancel(t.Context())) }()

	const large = `INSERT INTO events (event_id, user_id, event_type, occurred_at, received_at,
    body_hash, metadata)
		SELECT n, 'u', 'view', $1, CASE WHEN n <= 50 THEN $1::timestamptz ELSE $1::timestamptz +
		    interval '1 day' END, '0123456789abcdef', '"' || repeat('x', 512 << 10) || '"'
		FROM generate_series(1, 100) AS n`
	if _, err := owner.Exec(t.Context(), large, start()); err != nil {
		t.Fatal(err)
	}

	for name, f := range map[string]query.Filter{"all": {}, "by time": {To: start().Add(time.Hour)}} {
		position := int64(0)
		events := 0

		more := true
		for more {
			var page []event.Entry
			if page, more, err = log.Events(t.Context(), f, position, 1000); err != nil {
				t.Fatal(err)
			}

			if len(page) == 0 || len(page) > 9 {
				t.Fatalf("%s: a page of %d events of 512 KiB", name, len(page))
			}

			for _, entry := range page {
				if entry.Seq <= position {
					t.Fatalf("%s: seq %d after %d", name, entry.Seq, position)
				}

				position = entry.Seq
				events++
			}
		}

		if events != 100 {
			t.Errorf("%s: %d events, want 100", name, events)
		}
	}
}
