package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// newestFirst is a list by a time and the id, the newest first.
type newestFirst[T any] struct {
	sql  string // the SELECT without conditions
	id   string // with its table: a bare id would be the selected text, which no index has in order
	time string // the column of the time
	scan pgx.RowToFunc[T]
}

// position is where a page ends. The zero position is before the first row.
type position struct {
	at time.Time
	id string
}

// page reads at most limit rows that meet the conditions and follow the position.
func (l newestFirst[T]) page(
	ctx context.Context,
	from querier,
	c conditions,
	limit int,
	after position,
) ([]T, error) {
	if after.id != "" {
		if _, err := uuid.Parse(after.id); err != nil {
			return nil, errCursor()
		}

		c.texts = append(
			c.texts,
			"("+l.time+", "+l.id+") < ("+c.arg(after.at)+", "+c.arg(after.id)+"::uuid)",
		)
	}

	return list(ctx, from, c, l.scan, l.sql, l.time+" DESC, "+l.id+" DESC", limit)
}

// list reads the first rows of a SELECT that meet the conditions.
func list[T any](
	ctx context.Context,
	from querier,
	c conditions,
	scan pgx.RowToFunc[T],
	sql, order string,
	limit int,
) ([]T, error) {
	sql += c.where() + " ORDER BY " + order + " LIMIT " + c.arg(limit)
	rows, err := collect(ctx, from, scan, sql, c.planned()...)

	return rows, tooWide(err)
}
