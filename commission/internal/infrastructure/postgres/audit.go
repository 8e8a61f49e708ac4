package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
)

var _ query.AuditReader = (*Store)(nil)

const selectNumberedAudit = `SELECT ` + auditColumns + `, id::text FROM audit`

// Audit implements query.AuditReader.
func (s *Store) Audit(
	ctx context.Context,
	filter query.AuditFilter,
	limit int,
	after query.Position,
) ([]query.AuditRow, error) {
	var c conditions
	c.equal("actor", filter.Actor)
	c.equal("action", filter.Action)
	c.equal("subject_type", filter.SubjectType)
	c.equal("subject_id", filter.SubjectID)
	c.between("at", filter.From, filter.To)

	list, err := byTime[query.AuditRow]{
		sql:   selectNumberedAudit,
		id:    "audit.id",
		ids:   numbers,
		time:  "at",
		order: newestFirst(),
		scan:  scanAuditRow,
	}.page(ctx, s.pool, c, limit, after)

	return list, mapped("list the audit", err)
}

func scanAuditRow(row pgx.CollectableRow) (query.AuditRow, error) {
	var r query.AuditRow
	err := row.Scan(append(recordTargets(&r.Record), &r.ID)...)
	r.At = r.At.UTC()

	return r, err
}
