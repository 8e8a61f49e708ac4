package command

import (
	"context"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
)

// Commissions is the repository of commissions. Each method is one transaction that holds the locks
// of the commissions' users, and runs fn again after a race. An error of fn stores nothing and is
// returned. Add, Update and UpdateSelected return fault.ErrKeyReused if the request's key was used
// for another request, and a *change.ReplayedError for a repetition.
type Commissions interface {
	// Add stores a new commission, with the outcome.
	Add(
		ctx context.Context,
		request change.Request,
		made commission.Snapshot,
		outcome change.Outcome,
	) error
	// Update stores the commission and its followers as fn changes them, with the outcome that fn
	// returns. It returns commission.ErrNotFound for an unknown id, and a repetition without
	// running fn.
	Update(
		ctx context.Context,
		request change.Request,
		id string,
		fn func(*commission.Commission) (change.Outcome, error),
	) error
	// UpdateDue stores at most limit commissions whose hold period is over at the time, as fn
	// changes them, with the effects that fn returns. It returns how many it found.
	UpdateDue(
		ctx context.Context,
		now time.Time,
		limit int,
		fn func(*commission.Commission) (effect.Effect, error),
	) (int, error)
	// Selected returns the commissions of the selection with their followers, in the order of id.
	Selected(ctx context.Context, selection Selection) ([]commission.Commission, error)
	// UpdateSelected stores the commissions of the selection and their followers as fn changes
	// them, with the outcome that fn returns. It returns a repetition without running fn.
	UpdateSelected(
		ctx context.Context,
		request change.Request,
		selection Selection,
		fn func([]commission.Commission) (change.Outcome, error),
	) error
}

// Selection describes the commissions to which an action in bulk applies: those of the filter in a
// status that allows it. Clawbacks and corrections go with the commission that they follow.
type Selection struct {
	Action commission.Action
	Filter query.CommissionFilter
	Owner  query.Owner
	UpTo   string // the newest id that belongs to it; "" for any
	Limit  int    // the largest number
}
