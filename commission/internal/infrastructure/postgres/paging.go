package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// byTime is a list by a time and the id.
type byTime[T any] struct {
	sql   string // the SELECT without conditions
	id    string // with its table: a bare id would be the selected text, which no index has in order
	time  string // the column of the time
	order direction
	scan  pgx.RowToFunc[T]
}

// direction is the order of a list.
type direction struct{ sql, follows string }

func newestFirst() direction { return direction{sql: " DESC", follows: "<"} }
func oldestFirst() direction { return direction{follows: ">"} }

// position is where a page ends. The zero position is before the first row.
type position struct {
	at time.Time
	id string
}

// page reads at most limit rows that meet the conditions and follow the position.
func (l byTime[T]) page(
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
			"("+l.time+", "+l.id+") "+l.order.follows+
				" ("+c.arg(after.at)+", "+c.arg(after.id)+"::uuid)",
		)
	}

	order := l.time + l.order.sql + ", " + l.id + l.order.sql

	return list(ctx, from, c, l.scan, l.sql, order, limit)
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
