// Package acceptcampaign (application) is the use case of accepting a campaign's terms.
package acceptcampaign

import (
	"context"

	"tributary/bff/internal/application/submit"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/command"
)

// Command is what the caller asks.
type Command struct {
	Caller         caller.Caller
	IdempotencyKey string // "" for none
	CampaignID     string
	AcceptedTerms  bool
	Metadata       string // the text of a JSON object, or ""
}

// Publisher hands the command to the service that will act on it.
type Publisher interface {
	// PublishAcceptance returns nil only after the broker has stored the command. Its faults are
	// broker_unavailable (not stored) and publish_outcome_unknown (perhaps stored); publishing the
	// same command again is harmless.
	PublishAcceptance(ctx context.Context, acceptance campaign.Acceptance) error
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
	stamp, err := h.stamper.Stamp(command.CampaignAccept, cmd.Caller, cmd.IdempotencyKey)
	if err != nil {
		return submit.Receipt{}, err
	}

	acceptance, err := campaign.NewAcceptance(
		stamp,
		cmd.CampaignID,
		cmd.AcceptedTerms,
		cmd.Metadata,
	)
	if err != nil {
		return submit.Receipt{}, err
	}

	if err := h.publisher.PublishAcceptance(ctx, acceptance); err != nil {
		return submit.Receipt{}, err
	}

	return submit.ReceiptOf(stamp), nil
}
