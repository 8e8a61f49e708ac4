package commandtest

import (
	"context"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/event"
)

// Interrupted is decisions of which something happens to each: before it is made, or between it and
// its writing. After may change it, or give it up with an error. Both are optional.
type Interrupted struct {
	command.Decisions

	Before func()
	After  func(*command.DecisionChanges) error
}

// Decide implements command.Decisions.
func (i Interrupted) Decide(
	ctx context.Context,
	events []event.Event,
	decide func(command.DecisionState) (command.DecisionChanges, error),
) error {
	return i.Decisions.Decide(
		ctx,
		events,
		func(state command.DecisionState) (command.DecisionChanges, error) {
			if i.Before != nil {
				i.Before()
			}

			changes, err := decide(state)
			if err == nil && i.After != nil {
				err = i.After(&changes)
			}

			return changes, err
		},
	)
}
