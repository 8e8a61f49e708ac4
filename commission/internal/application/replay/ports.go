package replay

import (
	"context"
	"errors"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// Posting is what a step of a replay writes.
type Posting struct {
	Now         time.Time // of the transaction: a month that ended before it does not change
	Differences []Difference
	Adjustments []commission.Snapshot
	Effect      effect.Effect // of the adjustments
	// the new effective decisions that differ from the old ones
	Effective []EffectiveDecision
	Usage     map[decision.UsageKey]decision.Usage // differences
}

// Difference is the difference between what an event should have earned and what it has.
type Difference struct {
	Event    event.Event
	Currency money.Currency
	Expected int64
	Posted   int64
}

// Selection is the users with events in the period to which a rule of the scope could apply. The
// zero Scope is that of all events.
type Selection struct {
	Period replay.Period
	Scope  rule.Scope
}

// User is a selected user with the number of the events.
type User struct {
	ID     string
	Events int64
}

// ErrManyEvents is returned by Store.Histories for more decisions than were asked for.
var ErrManyEvents = errors.New("the users have more events than are read at once")

// Reader reads histories.
type Reader interface {
	// Histories returns the histories of the users, in their order, as they are at one time.
	// ErrManyEvents is returned if they have more than limit decisions.
	Histories(ctx context.Context, users []string, limit int) ([]History, error)
	// Read calls fn with the history of the user in parts, as it is at one time. It has any number
	// of decisions, and ends with fn.
	Read(ctx context.Context, user string, fn func(History) error) error
}

// Store reads histories and posts what replays find.
type Store interface {
	// Rules returns all published versions.
	Rules(ctx context.Context) (*rule.Set, error)
	// Count returns the extent of the period.
	Count(ctx context.Context, period replay.Period) (replay.Size, error)
	// Users returns the users with events in the period that follow the user after, in the order of
	// the bytes of their ids, limit at most.
	Users(ctx context.Context, period replay.Period, after string, limit int) ([]User, error)
	// Selected calls fn with the selected users, in pages of at most limit, and with a reader of
	// their histories: all as they are at one time.
	Selected(
		ctx context.Context,
		who Selection,
		limit int,
		fn func(users []User, reader Reader) error,
	) error
	Reader
	// Post calls fn with the replay and the histories of the users, and stores the replay as fn
	// changes it and what fn returns, with an audit row for each adjustment, in one transaction
	// that excludes other writers of these users and of the replay. Post returns the adjustments.
	// ErrLost is returned, without calling fn, if another process works on the replay, or if it is
	// not running. After an error nothing is stored.
	Post(
		ctx context.Context,
		claim Claim,
		users []string,
		fn func(*replay.Replay, []History) (Posting, error),
	) ([]commission.Snapshot, error)
	// PostInParts is Post for one user, whose history comes in parts and who is posted for in
	// parts: fn calls the Writer with each. A dry run excludes no other writer of the user.
	PostInParts(
		ctx context.Context,
		claim Claim,
		user string,
		dryRun bool,
		fn func(*replay.Replay, History, Writer) error,
	) error
}

// Writer writes a part of a step.
type Writer func(Posting) error

// Claim is the right of one process to work on a replay. It ends some seconds after it was taken or
// kept.
type Claim struct{ ID, Holder string }

// ErrLost is returned to a process whose claim has ended, or whose replay has.
var ErrLost = errors.New("another process works on the replay, or it has ended")

// Repository keeps replays.
type Repository interface {
	// Create stores the replay that fn returns for the revision of the rules and for whether the
	// period has at most small events, claimed by the holder. It returns the fault
	// idempotency_key_reused, and a *change.ReplayedError for a repetition.
	Create(
		ctx context.Context,
		request change.Request,
		wanted Creation,
		fn func(revision int64, small bool) (replay.Replay, change.Outcome, error),
	) error
	// Replay returns one replay, or replay.ErrNotFound.
	Replay(ctx context.Context, id string) (replay.Snapshot, error)
	// Update stores the claimed replay as fn changes it. It returns ErrLost as Store.Post does.
	Update(ctx context.Context, claim Claim, fn func(*replay.Replay) error) error
	Claims
	// Differences returns at most limit differences, from the one with the number on; the first has
	// number 1.
	Differences(ctx context.Context, id string, number int64, limit int) ([]Difference, error)
}

// Creation is what Repository.Create needs to know.
type Creation struct {
	Period replay.Period
	Small  int // events
	Holder string
}

// Claims says who works on a replay.
type Claims interface {
	// Take claims the running replay that has waited longest. The bool reports whether there is one
	// that no process works on.
	Take(ctx context.Context, holder string) (Claim, bool, error)
	// Keep extends a claim, or returns ErrLost.
	Keep(ctx context.Context, claim Claim) error
	// Leave ends a claim, if it has not ended; another process can take the replay at once. The
	// request is no longer answered with the result.
	Leave(ctx context.Context, claim Claim) error
}
