package postgres

import (
	"context"
	"strconv"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
)

// byTime is a list by a time and the id.
type byTime[T any] struct {
	sql   string // the SELECT without conditions
	id    string // with its table: a bare id would be the selected text, which no index has in order
	ids   idType
	time  string // the column of the time
	order direction
	scan  pgx.RowToFunc[T]
}

// direction is the order of a list.
type direction struct{ sql, follows string }

func newestFirst() direction { return direction{sql: " DESC", follows: "<"} }
func oldestFirst() direction { return direction{follows: ">"} }

// idType is the type of an id in the database.
type idType string

const (
	uuids   idType = "uuid"
	numbers idType = "bigint"
)

// has reports whether the text is an id of the type.
func (t idType) has(id string) bool {
	if t == uuids {
		_, err := uuid.Parse(id)
		return err == nil
	}

	_, err := strconv.ParseInt(id, 10, 64)

	return err == nil
}

// page reads at most limit rows that meet the conditions and follow the position.
func (l byTime[T]) page(
	ctx context.Context,
	from querier,
	c conditions,
	limit int,
	after query.Position,
) ([]T, error) {
	if after.ID != "" {
		if !l.ids.has(after.ID) {
			return nil, errCursor()
		}

		c.texts = append(
			c.texts,
			"("+l.time+", "+l.id+") "+l.order.follows+
				" ("+c.arg(after.At)+", "+c.arg(after.ID)+"::text::"+string(l.ids)+")",
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
