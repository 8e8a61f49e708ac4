package query

import "time"

// Position is a position in a list that is ordered by a time, and then by id. The zero Position is
// before the first row.
type Position struct {
	At time.Time
	ID string
}
