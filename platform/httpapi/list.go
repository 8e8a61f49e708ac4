package httpapi

import (
	"crypto/sha256"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/fault"
)

// Page is the answer of every list.
type Page[T any] struct {
	Data       []T    `json:"data" doc:"The rows, in the list's order."`
	HasMore    bool   `json:"has_more" doc:"Whether rows follow."`
	NextCursor string `json:"next_cursor,omitempty" doc:"Give it as cursor to go on; absent on the last page."`
}

// ListInput is embedded in the input of every list operation. A cursor is good for the list that
// made it: for the same route, the same filters and the same owner.
type ListInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Rows of a page."`
	Cursor string `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before, of the same list with the same filters."`

	cursors  *cursors
	question [sha256.Size]byte // what is asked: route, filters and owner
}

// Resolve is called by huma before the operation.
func (in *ListInput) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	in.cursors, _ = ctx.Context().Value(cursorsKey{}).(*cursors)
	in.question = questionOf(u.Path, u.Query())

	return nil
}

// questionOf returns the hash of the route and the filters. Where a page begins and how long it is
// are no part of the question.
func questionOf(path string, query url.Values) [sha256.Size]byte {
	filters := url.Values{}
	for name, values := range query {
		if name != "cursor" && name != "limit" && (len(values) != 1 || values[0] != "") {
			filters[name] = values
		}
	}

	return sha256.Sum256([]byte(path + "?" + filters.Encode()))
}

// After reads the cursor into position, which stays as it is without one. The owner is the user
// whose rows are listed, "" for all: a cursor of another owner's list is refused too. Any cursor
// that this list did not make is a fault with code cursor_invalid.
func (in *ListInput) After(owner string, position any) error {
	in.question = sha256.Sum256(append(in.question[:], owner...))
	if in.Cursor == "" {
		return nil
	}

	if err := in.cursors.open(in.Cursor, in.question, position); err != nil {
		return fault.Because(
			err,
			fault.Malformed,
			"cursor_invalid",
			"The cursor was not made by this list with these filters; start again without one.",
		)
	}

	return nil
}

// NewPage returns a page of at most Limit rows out of rows, of which the caller has read up to
// Limit+1. After has been called.
func NewPage[T, C any](in *ListInput, rows []T, cursor func(T) C) Page[T] {
	return PageOf(in, rows[:min(len(rows), in.Limit)], len(rows) > in.Limit, cursor)
}

// PageOf returns a page of the rows; more reports whether others follow. The cursor is that of the
// last row. After has been called.
func PageOf[T, C any](in *ListInput, rows []T, more bool, cursor func(T) C) Page[T] {
	p := Page[T]{Data: rows, HasMore: more}
	if more {
		p.NextCursor = in.cursors.seal(cursor(rows[len(rows)-1]), in.question)
	}

	return p
}
