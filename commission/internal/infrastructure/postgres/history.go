package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
)

var _ query.ExplanationReader = (*Store)(nil)

const (
	auditColumns = `at, actor, action, subject_type, subject_id, reason, before, after, request_id`

	selectAudit   = `SELECT ` + auditColumns + ` FROM audit `
	selectHistory = selectAudit + `WHERE subject_type = $1 AND subject_id = $2 ORDER BY id`
)

func scanRecord(row pgx.CollectableRow) (change.Record, error) {
	var r change.Record
	err := row.Scan(recordTargets(&r)...)
	r.At = r.At.UTC()

	return r, err
}

// recordTargets returns where auditColumns go.
func recordTargets(r *change.Record) []any {
	return []any{
		&r.At,
		&r.Actor,
		&r.Action,
		&r.SubjectType,
		&r.SubjectID,
		&r.Reason,
		&r.Before,
		&r.After,
		&r.RequestID,
	}
}

func (s *Store) History(
	ctx context.Context,
	subjectType, subjectID string,
) ([]change.Record, error) {
	list, err := collect(ctx, s.pool, scanRecord, selectHistory, subjectType, subjectID)
	return list, mapped("read the audit", err)
}
