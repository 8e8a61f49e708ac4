package httpapi

import (
	"encoding/base64"

	"github.com/go-json-experiment/json"

	"tributary/platform/fault"
)

// Page is the answer of every list.
type Page[T any] struct {
	Data       []T    `json:"data" doc:"The rows, in the list's order."`
	HasMore    bool   `json:"has_more" doc:"Whether rows follow."`
	NextCursor string `json:"next_cursor,omitempty" doc:"Give it as cursor to go on; absent on the last page."`
}

// ListInput is embedded in the input of every list operation.
type ListInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Rows of a page."`
	Cursor string `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before."`
}

// NewPage makes a page of at most limit rows out of rows, of which the caller has read up to
// limit+1.
func NewPage[T, C any](rows []T, limit int, cursor func(T) C) Page[T] {
	return PageOf(rows[:min(len(rows), limit)], len(rows) > limit, cursor)
}

// PageOf makes a page of the rows; more tells whether others follow. The cursor is that of the last
// row.
func PageOf[T, C any](rows []T, more bool, cursor func(T) C) Page[T] {
	p := Page[T]{Data: rows, HasMore: more}
	if more {
		p.NextCursor = EncodeCursor(cursor(rows[len(rows)-1]))
	}

	return p
}

// EncodeCursor makes an opaque token out of a position.
func EncodeCursor(position any) string {
	text, err := json.Marshal(position)
	if err != nil {
		// positions are plain structs; failing here is a programming error that a test of the list
		// meets
		return ""
	}

	return base64.RawURLEncoding.EncodeToString(text)
}

// DecodeCursor reads a token of EncodeCursor into position; an empty token leaves it as it is.
// Anything else is a fault with code cursor_invalid.
func DecodeCursor(token string, position any) error {
	if token == "" {
		return nil
	}

	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, position, json.RejectUnknownMembers(true))
	}

	if err != nil {
		return fault.Because(
			err,
			fault.Malformed,
			"cursor_invalid",
			"The cursor was not made by this list; start again without one.",
		)
	}

	return nil
}
