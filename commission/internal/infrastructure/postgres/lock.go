package postgres

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	platform "tributary/platform/postgres"
)

// lockUsers serializes writers of the same users, in a common order. A lock lasts as long as its
// transaction.
const lockUsers = `SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT hashtextextended(u,
    7301) AS k FROM unnest($1::text[]) AS u ORDER BY k) AS keys`

// moneyTx is a transaction that holds the locks of the users whose money it moves, and knows where
// the positions of their transfers go on. Everything that writes the ledger or moves a commission
// takes one, and only lock and queueLock create one: no writer can read a balance, or the state of
// a commission, that another is about to change.
//
// The users come first: before any row of theirs is locked or read for a change.
type moneyTx struct {
	pgx.Tx

	positions positions
	today     *time.Time // the day of UTC on which the locks were taken, by the database's clock
}

// lock waits for the locks of the users.
func lock(ctx context.Context, tx pgx.Tx, users ...string) (moneyTx, error) {
	var batch pgx.Batch

	locked := queueLock(&batch, tx, users)

	return locked, tx.SendBatch(ctx, &batch).Close()
}

// queueLock is lock as the first statements of a batch. The locks are held once the batch was sent.
func queueLock(batch *pgx.Batch, tx pgx.Tx, users []string) moneyTx {
	locked := moneyTx{Tx: tx, positions: positions{}, today: new(time.Time)}

	batch.Queue(lockUsers, users)
	batch.Queue(selectToday).QueryRow(func(row pgx.Row) error { return row.Scan(locked.today) })
	batch.Queue(selectPositions, users).Query(locked.positions.load)

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
