// Package requestpayment (application) is the use case in which a user requests the payment of
// earned commission.
package requestpayment

import (
	"context"

	"tributary/bff/internal/application/submit"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/payment"
)

// Command is a request for a payment.
type Command struct {
	Caller         caller.Caller
	IdempotencyKey string // "" for no key
	Content        string // canonical text of the request; "" without a key
	Payment        payment.Input
}

// Publisher passes the command to the service that acts on it.
type Publisher interface {
	// PublishPayment returns nil only after the broker has stored the command. It returns the
	// faults submit.ErrBrokerUnavailable (not stored) and submit.ErrOutcomeUnknown (may be stored).
	// Publishing the same command again is harmless.
	PublishPayment(ctx context.Context, request payment.Request) error
}

// Handler publishes payment requests.
type Handler struct {
	stamper   *submit.Stamper
	publisher Publisher
}

func New(stamper *submit.Stamper, publisher Publisher) *Handler {
	return &Handler{stamper: stamper, publisher: publisher}
}

// Handle publishes the command and returns its receipt. It does not publish an invalid command, or
// one that Claim refuses. The consumer decides whether the balance is sufficient.
func (h *Handler) Handle(ctx context.Context, cmd Command) (submit.Receipt, error) {
	stamp, err := h.stamper.Stamp(
		command.PaymentRequest,
		cmd.Caller,
		cmd.IdempotencyKey,
		cmd.Content,
	)
	if err != nil {
		return submit.Receipt{}, err
	}

	request, err := payment.NewRequest(stamp, cmd.Payment)
	if err != nil {
		return submit.Receipt{}, err
	}

	if err := h.stamper.Claim(stamp); err != nil {
		return submit.Receipt{}, err
	}

	if err := h.publisher.PublishPayment(ctx, request); err != nil {
		return submit.Receipt{}, err
	}

	return submit.ReceiptOf(stamp), nil
}
