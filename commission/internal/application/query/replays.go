package query

import (
	"context"

	application "tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/replay"
)

// ReplayReader reads replays.
type ReplayReader interface {
	// Replay returns one replay, or replay.ErrNotFound.
	Replay(ctx context.Context, id string) (replay.Snapshot, error)
	// Replays returns at most limit replays, newest first, that follow the one at the position
	// after, which is zero for the first ones.
	Replays(ctx context.Context, limit int, after Position) ([]replay.Snapshot, error)
	// Differences returns at most limit differences, from the one with the number on; the first has
	// number 1.
	Differences(
		ctx context.Context,
		id string,
		number int64,
		limit int,
	) ([]application.Difference, error)
}

// Replays reads replays for those who see the data of every user.
type Replays struct{ reader ReplayReader }

// NewReplays returns the query. It is safe for concurrent use.
func NewReplays(reader ReplayReader) *Replays { return &Replays{reader: reader} }

// Get returns the replay. replay.ErrNotFound is returned for an unknown one, and to a caller who
// sees only its own data.
func (q *Replays) Get(ctx context.Context, caller Caller, id string) (replay.Snapshot, error) {
	if !caller.SeesAll() {
		return replay.Snapshot{}, replay.ErrNotFound
	}

	return q.reader.Replay(ctx, id)
}

// List returns a page of the replays, as ReplayReader.Replays does, and none to a caller who sees
// only its own data.
func (q *Replays) List(
	ctx context.Context,
	caller Caller,
	limit int,
	after Position,
) ([]replay.Snapshot, error) {
	if !caller.SeesAll() {
		return nil, nil
	}

	return q.reader.Replays(ctx, limit, after)
}

// Differences returns a page of what the replay found, as ReplayReader.Differences does. It returns
// the errors of Get.
func (q *Replays) Differences(
	ctx context.Context,
	caller Caller,
	id string,
	number int64,
	limit int,
) ([]application.Difference, error) {
	if _, err := q.Get(ctx, caller, id); err != nil {
		return nil, err
	}

	return q.reader.Differences(ctx, id, number, limit)
}
