package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/explain"
)

var _ explain.Store = (*Store)(nil)

const selectHistory = `
SELECT at, actor, action, subject_type, subject_id, reason, before, after, request_id FROM audit WHERE subject_type = $1 AND subject_id = $2 ORDER BY id`

// History implements explain.Store.
func (s *Store) History(ctx context.Context, subjectType, subjectID string) ([]change.Record, error) {
	rows, err := s.pool.Query(ctx, selectHistory, subjectType, subjectID)
	if err != nil {
		return nil, mapped("read the audit", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (change.Record, error) {
		var r change.Record
		err := row.Scan(&r.At, &r.Actor, &r.Action, &r.SubjectType, &r.SubjectID, &r.Reason, &r.Before, &r.After, &r.RequestID)
		r.At = r.At.UTC()
		return r, err
	})
	return list, mapped("read the audit", err)
}
