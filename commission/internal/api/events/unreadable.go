package events

import (
	"context"
	"log/slog"

	"tributary/platform/broker"
)

// Unreadable returns a function that keeps, as dead letters, messages whose content cannot be read
// from the broker at all.
func Unreadable(
	dead DeadLetters,
	logger *slog.Logger,
) func(ctx context.Context, m broker.Received) error {
	return func(ctx context.Context, m broker.Received) error {
		logger.WarnContext(
			ctx,
			"message is empty or damaged: kept as a dead letter",
			"topic",
			m.Topic,
			"message_id",
			m.ID(),
		)

		return dead.Put(ctx, m, reasonOf(errUnreadable.New(
			"The message is empty or damaged. Its content is unknown; the message id names it in the topic.",
		)))
	}
}
