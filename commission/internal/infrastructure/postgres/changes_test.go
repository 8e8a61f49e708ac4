package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"tributary/platform/idempotency"
)

// Old answers are deleted in bounded batches, even concurrently, and younger ones remain.
func TestOldAnswersAreForgotten(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.owned(t, `INSERT INTO idempotency_keys (caller, key, request_hash, body, created_at)
		SELECT 'c' || i % 7, 'old' || i, decode(repeat('00', 32), 'hex'), '{}',
		    '2026-11-22 11:59:59Z'::timestamptz - i * interval '1 s' FROM generate_series(1,
		        2500) AS i`)
	f.owned(t, `INSERT INTO idempotency_keys (caller, key, request_hash, body, created_at)
		SELECT 'c' || i % 7, 'young' || i, decode(repeat('00', 32), 'hex'), '{}',
		    '2026-11-22 12:00:00Z'::timestamptz + i * interval '1 s' FROM generate_series(0,
		        99) AS i`)

	before := start().Add(-idempotency.KeptFor)
	if n, err := f.store.Forget(t.Context(), before, 10); n != 10 || err != nil {
		t.Fatalf("Forget = %d, %v", n, err)
	}

	if got := f.one(t, `SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE created_at <
    '2026-11-22 11:59:59Z'::timestamptz - 2490 * interval '1 s')) FROM idempotency_keys`); got != "2590 0" {
		t.Errorf("kept, and older than what was kept longest: %s", got)
	}

	var replicas sync.WaitGroup
	for range 4 {
		replicas.Go(func() {
			for range 5 {
				if n, err := f.store.Forget(t.Context(), before, 100); n > 100 || err != nil {
					t.Errorf("Forget = %d, %v", n, err)
				}
			}
		})
	}

	replicas.Wait() // concurrent calls do nothing, so how many succeeded is left to chance

	for deleted := 1; deleted > 0; {
		var err error
		if deleted, err = f.store.Forget(t.Context(), before, 1000); err != nil {
			t.Fatal(err)
		}
	}

	if got := f.one(t, `SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE key LIKE 'young%'))
    FROM idempotency_keys`); got != "100 100" {
		t.Errorf("kept: %s", got)
	}

	if n, err := f.store.Forget(t.Context(), start().Add(time.Hour), 1000); n != 100 || err != nil {
		t.Errorf("an hour later: %d, %v", n, err)
	}
}

// The service may delete answers, and nothing else.
func TestTheServiceDeletesNothingElse(t *testing.T) {
	t.Parallel()

	f := setup(t)
	for right, want := range map[string]string{"DELETE": "idempotency_keys", "TRUNCATE": ""} {
		got := f.one(t, fmt.Sprintf(`SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '')
    FROM pg_class
			WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
			    AND has_table_privilege('commission_user', oid, '%s')`, right))
		if got != want {
			t.Errorf("the service may %s: %q, want %q", right, got, want)
		}
	}
}
