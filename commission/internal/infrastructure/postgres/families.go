package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
)

const (
	selectOwner = `SELECT user_id FROM commissions WHERE id = $1`

	selectMaker = `SELECT actor FROM audit WHERE subject_type = 'commission' AND subject_id = $1
    AND action = 'adjust'`

	// Commissions by id with their followers, each after the one that it follows.
	selectFamilies = `
SELECT ` + commissionColumns + `
FROM unnest($1::uuid[]) AS q (original)
CROSS JOIN LATERAL (
    SELECT c.* FROM commissions AS c WHERE c.id = q.original
    UNION ALL
    SELECT c.* FROM commissions AS c WHERE c.reverses_id = q.original
    OFFSET 0
) AS c
ORDER BY q.original, reverses_id NULLS FIRST, id`

	updateCommissions = `
UPDATE commissions AS c SET status = t.status, reason = nullif(t.reason, ''), version = t.version,
    changed_at = t.changed_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::timestamptz[])
    AS t (id, status, reason, version, changed_at)
WHERE c.id = t.id AND c.version = t.version - 1`

	selectDue = `SELECT id::text, user_id FROM commissions WHERE status = 'pending'
    AND reverses_id IS NULL AND event_id IS NOT NULL AND available_at <= $1 ORDER BY available_at LIMIT $2`
)

// Commissions is the repository of commissions.
type Commissions struct{ store *Store }

var _ command.Commissions = Commissions{}

// Commissions returns the repository of commissions.
func (s *Store) Commissions() Commissions { return Commissions{store: s} }

func (r Commissions) Add(
	ctx context.Context,
	request change.Request,
	made commission.Snapshot,
	outcome change.Outcome,
) error {
	return r.store.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		locked, err := r.store.lock(ctx, tx, made.UserID)
		if err != nil {
			return outcome, err
		}

		err = addCommissions(
			ctx,
			locked,
			[]commission.Snapshot{made},
			outcome.Effect,
			request.Cause(),
			request.Now,
		)

		return outcome, err
	})
}

// addCommissions stores new commissions with the transfers that post their money, and the facts.
func addCommissions(
	ctx context.Context,
	tx moneyTx,
	made []commission.Snapshot,
	caused effect.Effect,
	cause change.Cause,
	now time.Time,
) error {
	if err := copyCommissions(ctx, tx, made, caused.Transfers, now); err != nil {
		return err
	}

	if err := copyTransfers(ctx, tx, caused.Transfers, now); err != nil {
		return err
	}

	return logFacts(ctx, tx, cause.Of(caused.Facts), now)
}

// Update reads the owner, who never changes, to lock the user, and then everything under the lock.
func (r Commissions) Update(
	ctx context.Context,
	request change.Request,
	id string,
	fn func(*commission.Commission) (change.Outcome, error),
) error {
	if _, err := uuid.Parse(id); err != nil {
		return commission.ErrNotFound
	}

	return r.store.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		locked, found, err := r.lock(ctx, tx, id)
		if err != nil {
			return change.Outcome{}, err
		}

		outcome, err := fn(&found)
		if err != nil {
			return change.Outcome{}, err
		}

		return outcome, r.store.save(
			ctx,
			locked,
			found.Moved(),
			outcome.Effect,
			request.Cause(),
			request.Now,
		)
	})
}

func (r Commissions) lock(
	ctx context.Context,
	tx pgx.Tx,
	id string,
) (locked moneyTx, found commission.Commission, err error) {
	owners, err := collect(ctx, tx, pgx.RowTo[string], selectOwner, id)
	if err != nil {
		return locked, found, err
	}

	if len(owners) == 0 {
		return locked, found, commission.ErrNotFound
	}

	if locked, err = r.store.lock(ctx, tx, owners[0]); err != nil {
		return locked, found, err
	}

	families, err := readFamilies(ctx, locked, []string{id})
	if err != nil {
		return locked, found, err
	}

	found = families[0]

	if s := found.Snapshot(); s.ByOperator() {
		err = tx.QueryRow(ctx, selectMaker, id).Scan(&s.MadeBy)
		found = commission.Restore(s)
	}

	return locked, found, err
}

// readFamilies returns the commissions of the ids with their followers, in the order of id. What is
// to be changed is read from a moneyTx.
func readFamilies(
	ctx context.Context,
	from querier,
	ids []string,
) ([]commission.Commission, error) {
	rows, err := collect(ctx, from, scanCommission, selectFamilies, ids)
	if err != nil {
		return nil, err
	}

	var found []commission.Commission

	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && rows[end].ReversesID == rows[start].ID {
			end++
		}

		found = append(found, commission.Restore(rows[start], rows[start+1:end]...))
		start = end
	}

	return found, nil
}

// save writes commissions whose status has changed, then the transfers and facts that this causes,
// and takes rejected earnings out of the accounts of tiers and caps.
func (s *Store) save(
	ctx context.Context,
	tx moneyTx,
	moved []commission.Snapshot,
	caused effect.Effect,
	cause change.Cause,
	now time.Time,
) error {
	var batch pgx.Batch
	queueMoves(&batch, moved)

	if batch.Len() == 0 {
		return nil
	}

	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return err
	}

	if err := copyTransfers(ctx, tx, caused.Transfers, now); err != nil {
		return err
	}

	if err := s.release(ctx, tx, moved); err != nil {
		return err
	}

	return logFacts(ctx, tx, cause.Of(caused.Facts), now)
}

// queueMoves writes the status of commissions: first of those that others follow, since the
// database checks a follower against the one that it follows.
func queueMoves(batch *pgx.Batch, moved []commission.Snapshot) {
	for _, following := range []bool{false, true} {
		var (
			ids, statuses, reasons []string
			versions               []int
			times                  []time.Time
		)

		for i := range moved {
			m := &moved[i]
			if (m.ReversesID != "") == following {
				ids = append(ids, m.ID)
				statuses = append(statuses, string(m.Status))
				reasons = append(reasons, m.Reason)
				versions = append(versions, m.Version)
				times = append(times, m.UpdatedAt)
			}
		}

		if len(ids) > 0 {
			batch.Queue(updateCommissions, ids, statuses, reasons, versions, times).
				Exec(expect(len(ids)))
		}
	}
}

// release removes the earnings that were rejected from the accounts of tiers and caps.
func (s *Store) release(ctx context.Context, tx pgx.Tx, moved []commission.Snapshot) error {
	var rejected []string

	for i := range moved {
		if m := &moved[i]; m.Status == commission.Rejected && m.StandsAlone() {
			rejected = append(rejected, m.EventID)
		}
	}

	if len(rejected) == 0 {
		return nil
	}

	var revision int64
	if err := tx.QueryRow(ctx, selectRevision).Scan(&revision); err != nil {
		return err
	}

	rules, err := s.rulesAt(ctx, tx, revision)
	if err != nil {
		return err
	}

	rows, err := tx.Query(ctx, selectOriginals, rejected, []string{}, []string{})
	if err != nil {
		return err
	}

	var found originals
	if err := found.read(rows); err != nil {
		return err
	}

	// without the sales that took the order of one of them
	earned := slices.DeleteFunc(found.events, func(o decision.Original) bool {
		return !slices.Contains(rejected, o.Decision.Event.ID())
	})

	var batch pgx.Batch
	queueUsage(&batch, releaseUsage, decision.Released(earned, rules))

	return tx.SendBatch(ctx, &batch).Close()
}

// UpdateDue reads due commissions twice: first for the users to lock, then again under their locks.
func (r Commissions) UpdateDue(
	ctx context.Context,
	now time.Time,
	limit int,
	fn func(*commission.Commission) (effect.Effect, error),
) (int, error) {
	read := 0
	err := r.store.begin(ctx, "approve what is due", func(tx pgx.Tx) error {
		ids, users, err := due(ctx, tx, now, limit)
		if read = len(ids); err != nil || read == 0 {
			return err
		}

		locked, err := r.store.lock(ctx, tx, users...)
		if err != nil {
			return err
		}

		families, err := readFamilies(ctx, locked, ids)
		if err != nil {
			return err
		}

		var (
			moved  []commission.Snapshot
			caused effect.Effect
		)

		for i := range families {
			one, err := fn(&families[i])
			if err != nil {
				return err
			}

			moved = append(moved, families[i].Moved()...)
			caused.Add(one)
		}

		return r.store.save(ctx, locked, moved, caused, change.ByHoldPeriod(), now)
	})

	return read, err
}

// due returns the ids and users of commissions at the end of their hold period.
func due(
	ctx context.Context,
	tx pgx.Tx,
	now time.Time,
	limit int,
) (ids, users []string, err error) {
	rows, err := tx.Query(ctx, selectDue, now, limit)
	if err != nil {
		return nil, nil, err
	}

	return pairs(rows)
}

// pairs reads rows of two texts.
func pairs(rows pgx.Rows) (ids, users []string, err error) {
	var id, user string
	_, err = pgx.ForEachRow(rows, []any{&id, &user}, func() error {
		ids = append(ids, id)
		users = append(users, user)

		return nil
	})

	return ids, users, err
}
