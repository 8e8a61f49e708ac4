package postgres

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	platform "tributary/platform/postgres"
)

// lockUsers serializes writers of the same users, in a common order. A lock lasts as long as its
// transaction.
const lockUsers = `SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT hashtextextended(u,
    7301) AS k FROM unnest($1::text[]) AS u ORDER BY k) AS keys`

// selectMoment runs after the locks were taken.
const selectMoment = `
SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date, pg_postmaster_start_time()`

// moneyTx is a transaction that holds the locks of the users whose money it moves, and knows where
// their histories end. Everything that writes the ledger or moves a commission takes one, and only
// lock and queueLock create one: no writer can read a balance, or the state of a commission, that
// another is about to change.
//
// The users come first: before any row of theirs is locked or read for a change.
type moneyTx struct {
	pgx.Tx

	ends ends
	now  *moment // when the locks were taken, by the database's clock
}

// lock waits for the locks of the users.
func (s *Store) lock(ctx context.Context, tx pgx.Tx, users ...string) (moneyTx, error) {
	var batch pgx.Batch

	s.ends.remove(users)

	taken := make(ends, len(users))
	for _, user := range users {
		taken[user] = &end{}
	}

	locked := queueLock(&batch, tx, users, taken, users)

	return locked, tx.SendBatch(ctx, &batch).Close()
}

// queueLock is lock as the first statements of a batch. The locks are held once the batch was sent.
// It reads the ends of those users who are missing among the known ones.
func queueLock(batch *pgx.Batch, tx pgx.Tx, users []string, known ends, missing []string) moneyTx {
	locked := moneyTx{Tx: tx, ends: known, now: new(moment)}

	batch.Queue(lockUsers, users)
	batch.Queue(selectMoment).QueryRow(func(row pgx.Row) error {
		return row.Scan(&locked.now.day, &locked.now.server)
	})

	if len(missing) > 0 {
		batch.Queue(selectPositions, missing).Query(known.loadPositions)
	}

	return locked
}

// errRace means that another writer decided the same event in between: everything is read again.
var errRace = errors.New("another writer was first")

const maxAttempts = 10

// begin runs fn in a transaction, and after a race in a new one: fn must read again and may be
// called several times. Errors become faults.
func (s *Store) begin(ctx context.Context, doing string, fn func(pgx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := pgx.BeginFunc(ctx, s.pool, fn)
		if err == nil {
			return nil
		}

		if !raced(err) || attempt == maxAttempts {
			return mapped(doing, err)
		}
	}
}

// raced reports whether the transaction may succeed if it starts again and reads what others have
// written since. A violated constraint counts, since what is written follows from what was read. If
// it is violated every time, the content is at fault.
func raced(err error) bool {
	if errors.Is(err, errRace) {
		return true
	}

	code := platform.Code(err)

	return code == "40001" || code == "40P01" || // serialization failure, deadlock
		strings.HasPrefix(code, "23")
}
