package query

import (
	"context"
	"time"

	"tributary/commission/internal/application/change"
)

// AuditFilter narrows the audit. Empty fields match all. From is inclusive, To is exclusive.
type AuditFilter struct {
	Actor, Action, SubjectType, SubjectID string
	From, To                              time.Time
}

// AuditRow is a row of the audit with its number.
type AuditRow struct {
	ID string
	change.Record
}

// AuditReader reads the audit.
type AuditReader interface {
	// Audit returns at most limit rows, the newest first, that follow the one at the position
	// after, which is zero for the first ones.
	Audit(ctx context.Context, filter AuditFilter, limit int, after Position) ([]AuditRow, error)
}

// ListAudit lists what people have changed, for those who see the data of every user.
type ListAudit struct{ reader AuditReader }

// NewListAudit returns the query. It is safe for concurrent use.
func NewListAudit(reader AuditReader) *ListAudit { return &ListAudit{reader: reader} }

// Handle returns a page of the audit, as AuditReader.Audit does, and none to a caller who sees only
// its own data.
func (q *ListAudit) Handle(
	ctx context.Context,
	caller Caller,
	filter AuditFilter,
	limit int,
	after Position,
) ([]AuditRow, error) {
	if !caller.SeesAll() {
		return nil, nil
	}

	return q.reader.Audit(ctx, filter, limit, after)
}
