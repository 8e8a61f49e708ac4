// Package uploadevidence (application) is the use case of handing in evidence for a campaign.
package uploadevidence

import (
	"context"

	"tributary/bff/internal/application/submit"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
)

// Command is what the caller asks.
type Command struct {
	Caller         caller.Caller
	IdempotencyKey string // "" for none
	Evidence       evidence.Input
}

// Publisher hands the command to the service that will act on it.
type Publisher interface {
	// PublishUpload returns nil only after the broker has stored the command. Its faults are
	// broker_unavailable (not stored) and publish_outcome_unknown (perhaps stored); publishing the
	// same command again is harmless.
	PublishUpload(ctx context.Context, upload evidence.Upload) error
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
func (h *Handler) Handle(ctx context.Context, cmd Command) (submit.Receipt, error) {
	stamp, err := h.stamper.Stamp(command.EvidenceUpload, cmd.Caller, cmd.IdempotencyKey)
	if err != nil {
		return submit.Receipt{}, err
	}

	upload, err := evidence.NewUpload(stamp, cmd.Evidence)
	if err != nil {
		return submit.Receipt{}, err
	}

	if err := h.publisher.PublishUpload(ctx, upload); err != nil {
		return submit.Receipt{}, err
	}

	return submit.ReceiptOf(stamp), nil
}
