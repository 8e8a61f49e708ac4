package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/platform/idempotency"
	"tributary/platform/postgres"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// insertKeyed is insertEvents for commits in which some requests have a key. A row contains the
// number of its request, or 0 without a key; requests whose key was used before insert nothing. It
// returns the new ids and the numbers of the requests with new keys.
const insertKeyed = `
WITH keyed AS (
    SELECT * FROM unnest($17::int[], $18::text[], $19::text[], $20::bytea[],
        $21::timestamptz[]) AS keyed (number, caller, key, request_hash, received_at)
), used AS (
    INSERT INTO idempotency_keys (caller, key, request_hash, received_at) SELECT caller, key,
        request_hash, received_at FROM keyed
    ON CONFLICT (caller, key) DO NOTHING
    RETURNING caller, key
), recorded AS (` + insertInto + eventArrays + `, $16::int[]) AS row (` + eventColumns + `, request)
    WHERE request = 0 OR request IN (SELECT number FROM keyed JOIN used USING (caller, key))
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
)
SELECT event_id, 0 FROM recorded
UNION ALL
SELECT '', number FROM keyed JOIN used USING (caller, key)`

// insertKeyed returns the ids that were new, and the indexes of the events that were left out
// because their key was used before.
func (a *Appender) insertKeyed(
	ctx context.Context,
	r *rows,
	keyed []ingest.Keyed,
) (inserted []string, apart map[int]bool, err error) {
	k := keysOf(len(r.ids), keyed)

	result, err := a.pool.Query(
		ctx,
		insertKeyed,
		append(r.columns(), k.requests, k.numbers, k.callers, k.keys, k.hashes, k.received)...)
	if err != nil {
		return nil, nil, err
	}

	fresh := map[int32]bool{0: true}

	var (
		id     string
		number int32
	)
	_, err = pgx.ForEachRow(result, []any{&id, &number}, func() error {
		if fresh[number] = true; number == 0 {
			inserted = append(inserted, id)
		}

		return nil
	})

	apart = map[int]bool{}
	for i, number := range k.requests {
		if !fresh[number] {
			apart[i] = true
		}
	}

	return inserted, apart, err
}

// keys are the columns of the keys to insert, and the column of the events that holds the number of
// their request.
type keys struct {
	requests, numbers []int32
	callers, keys     []string
	hashes            [][]byte
	received          []time.Time
}

// unnumbered is the request of an event whose key an earlier request of the same commit has.
const unnumbered = -1

func keysOf(events int, keyed []ingest.Keyed) *keys {
	k := &keys{requests: make([]int32, events)}

	type name struct{ caller, key string }

	numbers := map[name]bool{}
	for _, request := range keyed {
		use := request.Use

		number := int32(unnumbered)
		if id := (name{use.Caller, use.Key}); !numbers[id] {
			numbers[id] = true
			number = int32(len(numbers)) //nolint:gosec // fewer than events
			k.numbers = append(k.numbers, number)
			k.callers = append(k.callers, use.Caller)
			k.keys = append(k.keys, use.Key)
			k.hashes, k.received = append(k.hashes, use.Hash[:]), append(k.received, use.At)
		}

		for i := request.From; i < request.To; i++ {
			k.requests[i] = number
		}
	}

	return k
}

// Keys reads and deletes the keys that the Appender has stored.
type Keys struct{ pool *pgxpool.Pool }

var (
	_ command.Keys     = (*Keys)(nil)
	_ idempotency.Keys = (*Keys)(nil)
)

func NewKeys(pool *pgxpool.Pool) *Keys { return &Keys{pool: pool} }

const (
	selectKey = `SELECT request_hash, received_at FROM idempotency_keys WHERE caller = $1 AND key = $2`

	// One caller at a time. The service may not lock the rows: that requires the right to update
	// them.
	lockForgetting = `SELECT pg_try_advisory_xact_lock(7202)`
	deleteKeys     = `
DELETE FROM idempotency_keys WHERE (caller, key) IN (SELECT caller, key FROM idempotency_keys
    WHERE received_at < $1 ORDER BY received_at LIMIT $2)`
)

func (k *Keys) Find(ctx context.Context, caller, key string) (ingest.Use, bool, error) {
	use := ingest.Use{Caller: caller, Key: key}

	var hash []byte

	err := k.pool.QueryRow(ctx, selectKey, caller, key).Scan(&hash, &use.At)
	if errors.Is(err, pgx.ErrNoRows) {
		return ingest.Use{}, false, nil
	}

	copy(use.Hash[:], hash)
	use.At = use.At.UTC()

	return use, err == nil, postgres.Fault("look for a key", err)
}

func (k *Keys) Look(ctx context.Context, events []event.Event) ([]ingest.Outcome, error) {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID()
	}

	found, err := known(ctx, k.pool, ids, nil)
	if err != nil {
		return nil, postgres.Fault("look for events", err)
	}

	outcomes := make([]ingest.Outcome, len(events))
	for i, e := range events {
		if outcomes[i], err = outcomeOf(e, found); err != nil {
			return nil, err
		}
	}

	return outcomes, nil
}

func (k *Keys) Forget(ctx context.Context, before time.Time, limit int) (int, error) {
	deleted := 0

	err := pgx.BeginFunc(ctx, k.pool, func(tx pgx.Tx) error {
		var single bool
		if err := tx.QueryRow(ctx, lockForgetting).Scan(&single); err != nil || !single {
			return err
		}

		tag, err := tx.Exec(ctx, deleteKeys, before, limit)
		deleted = int(tag.RowsAffected())

		return err
	})
	if err != nil {
		return 0, postgres.Fault("delete old keys", err)
	}

	return deleted, nil
}
