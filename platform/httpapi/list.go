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
	HasMore    bool   `json:"has_more" doc:"Whether more rows follow."`
	NextCursor string `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last page."`
}

// ListInput is embedded in the input of every list operation. A cursor is valid only for the list
// that returned it: the same route, filters and owner.
type ListInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The largest number of rows of a page."`
	Cursor string `query:"cursor" maxLength:"2048" doc:"next_cursor of the previous page, of the same list with the same filters."`

	cursors  *cursors
	question [sha256.Size]byte // route, filters and owner of the request
}

// Resolve is called by huma before the operation.
func (in *ListInput) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	in.cursors = exchangeOf(ctx.Context()).cursors
	in.question = questionOf(u.Path, u.Query())

	return nil
}

// questionOf returns the hash of the route and the filters. The start and the size of the page are
// not part of the question, nor is how long to wait for it.
func questionOf(path string, query url.Values) [sha256.Size]byte {
	filters := url.Values{}
	for name, values := range query {
		if name != "cursor" && name != "limit" && name != "wait" && (len(values) != 1 || values[0] != "") {
			filters[name] = values
		}
	}

	return sha256.Sum256([]byte(path + "?" + filters.Encode()))
}

// After reads the cursor into position, which stays unchanged without a cursor. The owner is the
// user whose rows are listed, or "" for all: a cursor of another owner's list is refused too.
// fault.ErrCursor is returned for a cursor that this list did not create.
func (in *ListInput) After(owner string, position any) error {
	in.question = sha256.Sum256(append(in.question[:], owner...))
	if in.Cursor == "" {
		return nil
	}

	if err := in.cursors.open(in.Cursor, in.question, position); err != nil {
		return fault.ErrCursor.Because(
			err,
			"The cursor does not belong to this list with these filters. Start again without a cursor.",
		)
	}

	return nil
}

// NewPage returns a page of at most Limit of the rows, of which the caller has read up to Limit+1.
// After must have been called.
func NewPage[T, C any](in *ListInput, rows []T, cursor func(T) C) Page[T] {
	return PageOf(in, rows[:min(len(rows), in.Limit)], len(rows) > in.Limit, cursor)
}

// PageOf returns a page of the rows; more reports whether others follow. The cursor is that of the
// last row. After must have been called.
func PageOf[T, C any](in *ListInput, rows []T, more bool, cursor func(T) C) Page[T] {
	p := Page[T]{Data: rows, HasMore: more}
	if more {
		p.NextCursor = in.cursors.seal(cursor(rows[len(rows)-1]), in.question)
	}

	return p
}

// FeedOf returns a page of a list that goes on: the cursor is always there, whether other rows
// follow now or later. After must have been called.
func FeedOf[T, C any](in *ListInput, rows []T, more bool, cursor C) Page[T] {
	return Page[T]{Data: rows, HasMore: more, NextCursor: in.cursors.seal(cursor, in.question)}
}
