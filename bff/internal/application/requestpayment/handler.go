// Package requestpayment (application) is the use case of asking for a payment of earned
// commission.
package requestpayment

import (
	"context"

	"tributary/bff/internal/application/submit"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/payment"
)

// Command is what the caller asks.
type Command struct {
	Caller         caller.Caller
	IdempotencyKey string // "" for none
	Payment        payment.Input
}

// Publisher hands the command to the service that will act on it.
type Publisher interface {
	// PublishPayment returns nil only after the broker has stored the command. Its faults are
	// broker_unavailable (not stored) and publish_outcome_unknown (perhaps stored); publishing the
	// same command again is harmless.
	PublishPayment(ctx context.Context, request payment.Request) error
}

// Handler carries the use case out.
type Handler struct {
	stamper   *submit.Stamper
	publisher Publisher
}

// New makes the handler.
func New(stamper *submit.Stamper, publisher Publisher) *Handler {
	return &Handler{stamper: stamper, publisher: publisher}
}

// Handle publishes the command and returns its receipt. Nothing is published when it is faulty.
// Whether there is enough to pay is decided by the consumer.
func (h *Handler) Handle(ctx context.Context, cmd Command) (submit.Receipt, error) {
	stamp, err := h.stamper.Stamp(command.PaymentRequest, cmd.Caller, cmd.IdempotencyKey)
	if err != nil {
		return submit.Receipt{}, err
	}

	request, err := payment.NewRequest(stamp, cmd.Payment)
	if err != nil {
		return submit.Receipt{}, err
	}

	if err := h.publisher.PublishPayment(ctx, request); err != nil {
		return submit.Receipt{}, err
	}

	return submit.ReceiptOf(stamp), nil
}
