// Package uploadevidence (application) is the use case in which a user uploads evidence for a
// campaign.
package uploadevidence

import (
	"context"

	"tributary/bff/internal/application/submit"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
)

// Command is a request to upload evidence.
type Command struct {
	Caller         caller.Caller
	IdempotencyKey string // "" for no key
	Content        string // canonical text of the request; "" without a key
	Evidence       evidence.Input
}

// Publisher passes the command to the service that acts on it.
type Publisher interface {
	// PublishUpload returns nil only after the broker has stored the command. It returns the faults
	// submit.ErrBrokerUnavailable (not stored) and submit.ErrOutcomeUnknown (may be stored).
	// Publishing the same command again is harmless.
	PublishUpload(ctx context.Context, upload evidence.Upload) error
}

// Handler publishes uploads of evidence.
type Handler struct {
	stamper   *submit.Stamper
	publisher Publisher
}

func New(stamper *submit.Stamper, publisher Publisher) *Handler {
	return &Handler{stamper: stamper, publisher: publisher}
}

// Handle publishes the command and returns its receipt. It does not publish an invalid command, or
// one that Claim refuses.
func (h *Handler) Handle(ctx context.Context, cmd Command) (submit.Receipt, error) {
	stamp, err := h.stamper.Stamp(
		command.EvidenceUpload,
		cmd.Caller,
		cmd.IdempotencyKey,
		cmd.Content,
	)
	if err != nil {
		return submit.Receipt{}, err
	}

	upload, err := evidence.NewUpload(stamp, cmd.Evidence)
	if err != nil {
		return submit.Receipt{}, err
	}

	if err := h.stamper.Claim(stamp); err != nil {
		return submit.Receipt{}, err
	}

	if err := h.publisher.PublishUpload(ctx, upload); err != nil {
		return submit.Receipt{}, err
	}

	return submit.ReceiptOf(stamp), nil
}
