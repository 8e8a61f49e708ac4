package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
)

// selectMakers returns who made adjustments: the audit has it.
const selectMakers = `SELECT subject_id, actor FROM audit WHERE subject_type = 'commission'
    AND action = 'adjust' AND subject_id = ANY($1)`

func (r Commissions) Selected(
	ctx context.Context,
	selection command.Selection,
) ([]commission.Commission, error) {
	var found []commission.Commission

	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, r.store.pool, snapshot, func(tx pgx.Tx) error {
		rows, err := selectRoots(ctx, tx, selection)
		if err != nil {
			return err
		}

		found, err = readSelected(ctx, tx, rows)

		return err
	})

	return found, mapped("select commissions", err)
}

// UpdateSelected selects twice: first for the users to lock, then again under their locks.
func (r Commissions) UpdateSelected(
	ctx context.Context,
	request change.Request,
	selection command.Selection,
	fn func([]commission.Commission) (change.Outcome, error),
) error {
	return r.store.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		locked, selected, err := r.lockSelected(ctx, tx, selection)
		if err != nil {
			return change.Outcome{}, err
		}

		outcome, err := fn(selected)
		if err != nil {
			return change.Outcome{}, err
		}

		var moved []commission.Snapshot
		for i := range selected {
			moved = append(moved, selected[i].Moved()...)
		}

		return outcome, r.store.save(
			ctx,
			locked,
			moved,
			outcome.Effect,
			request.Cause(),
			request.Now,
		)
	})
}

// lockSelected returns the commissions of the selection as they are under the locks of their users.
// It returns errRace if another user's has joined them meanwhile.
func (r Commissions) lockSelected(
	ctx context.Context,
	tx pgx.Tx,
	selection command.Selection,
) (moneyTx, []commission.Commission, error) {
	before, err := selectRoots(ctx, tx, selection)
	if err != nil {
		return moneyTx{}, nil, err
	}

	users := map[string]struct{}{}
	for i := range before {
		users[before[i].UserID] = struct{}{}
	}

	locked, err := r.store.lock(ctx, tx, slices.Collect(maps.Keys(users))...)
	if err != nil {
		return locked, nil, err
	}

	rows, err := selectRoots(ctx, locked, selection)
	if err != nil {
		return locked, nil, err
	}

	for i := range rows {
		if _, held := users[rows[i].UserID]; !held {
			return locked, nil, errRace
		}
	}

	selected, err := readSelected(ctx, locked, rows)

	return locked, selected, err
}

// selectRoots returns the commissions of the selection without followers, the newest of each status
// first: each status is read by an index, and no further than to the limit.
func selectRoots(
	ctx context.Context,
	tx pgx.Tx,
	selection command.Selection,
) ([]commission.Snapshot, error) {
	var found []commission.Snapshot

	byHand := selection.Action.From(commission.ByHand)
	_, ofOne := selection.Owner.UserID()

	for _, status := range selection.Action.From(commission.Earned) {
		filter := selection.Filter
		if filter.Status != "" && filter.Status != string(status) {
			continue
		}

		filter.Status = string(status)

		c := commissionConditions(selection.Owner, filter)
		c.texts = append(c.texts, "reverses_id IS NULL")

		if !slices.Contains(byHand, status) {
			c.texts = append(c.texts, "event_id IS NOT NULL")
		}

		if selection.UpTo != "" {
			c.add("id <= $?", selection.UpTo)
		}

		rows, err := listing{
			conditions: c,
			ofOne:      ofOne,
			to:         filter.OccurredTo,
			limit:      selection.Limit - len(found),
		}.read(ctx, tx)
		if err != nil {
			return nil, err
		}

		found = append(found, rows...)
	}

	return found, nil
}

// readSelected returns the commissions of the rows with their followers, and who made them.
func readSelected(
	ctx context.Context,
	tx pgx.Tx,
	rows []commission.Snapshot,
) ([]commission.Commission, error) {
	ids := make([]string, len(rows))

	var byHand []string

	for i := range rows {
		ids[i] = rows[i].ID
		if rows[i].ByOperator() {
			byHand = append(byHand, rows[i].ID)
		}
	}

	selected, err := readFamilies(ctx, tx, ids)
	if err != nil || len(byHand) == 0 {
		return selected, err
	}

	found, err := tx.Query(ctx, selectMakers, byHand)
	if err != nil {
		return nil, err
	}

	adjustments, actors, err := pairs(found)
	if err != nil {
		return nil, err
	}

	makers := map[string]string{}
	for i, id := range adjustments {
		makers[id] = actors[i]
	}

	for i := range selected {
		s := selected[i].Snapshot()
		if maker, ok := makers[s.ID]; ok {
			s.MadeBy = maker
			selected[i] = commission.Restore(s, selected[i].Followers()...)
		}
	}

	return selected, nil
}
