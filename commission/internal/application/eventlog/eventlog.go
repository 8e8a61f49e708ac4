// Package eventlog (application) is the log of changes: what happened to decisions, commissions,
// payouts and rules, in an order that every reader sees alike. The topic and the feed publish it.
package eventlog

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/domain/rule"
)

// Position is the place of an event in the log: the transaction that wrote it, and its number. The
// zero position is before the first event.
type Position struct {
	Tx  uint64
	Seq int64
}

// Compare orders positions as cmp.Compare does.
func Compare(a, b Position) int {
	return cmp.Or(cmp.Compare(a.Tx, b.Tx), cmp.Compare(a.Seq, b.Seq))
}

// Event is a change, with the thing as it was after the change.
type Event struct {
	Place    Position
	At       time.Time
	Type     effect.Type
	UserID   string // "" for an event of a rule
	Sequence int64  // of the user or rule: 1, 2, 3 and so on
	Cause    change.Cause

	// Which of them are set follows from the type.
	Decision   *query.Decided
	Commission *commission.Snapshot
	Payout     *payout.Snapshot
	Rule       *rule.Rule

	PreviousStatus  string // "" for a new thing
	PreviousVersion int    // 0 for a new thing
}

// Key returns the user, or the rule, whose events are in order.
func (e Event) Key() string {
	if e.UserID == "" && e.Rule != nil {
		return e.Rule.ID()
	}

	return e.UserID
}

// Position returns the place of the event in the log.
func (e Event) Position() Position { return e.Place }

// Size returns the memory that the event takes until it is published, about.
func (e Event) Size() int { return size }

// size is measured: a decision with its commission as JSON, and the values that it is made of.
const size = 4 << 10

// ID returns the id of the event, a UUIDv7. It consists of the time, to the microsecond, and the
// number in the log, so that every reader derives the same id.
func (e Event) ID() string {
	const microseconds = 1000

	micros := e.At.UnixMicro()

	var id [16]byte
	binary.BigEndian.PutUint64(
		id[:8],
		uint64(micros/microseconds)<<16|7<<12|uint64(micros%microseconds),
	)
	//nolint:gosec // a number from 1
	binary.BigEndian.PutUint64(id[8:], 1<<63|uint64(e.Place.Seq))

	return text(id)
}

// text returns the usual form of a UUID.
func text(id [16]byte) string {
	const digits = "0123456789abcdef"

	var out [36]byte

	n := 0
	for i, b := range id {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out[n] = '-'
			n++
		}

		out[n], out[n+1] = digits[b>>4], digits[b&15]
		n += 2
	}

	return string(out[:])
}

// Filter selects events.
type Filter struct {
	UserID string // only this user's; "" for all
	Types  []effect.Type
}

// Matches reports whether the filter selects events of the type.
func (f Filter) Matches(kind effect.Type) bool {
	return len(f.Types) == 0 || slices.Contains(f.Types, kind)
}
