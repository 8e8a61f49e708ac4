// Package acceptcampaign (application) is the use case in which a user accepts a campaign's terms.
package acceptcampaign

import (
	"context"

	"tributary/bff/internal/application/submit"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/command"
)

// Command is a request to accept the terms.
type Command struct {
	Caller         caller.Caller
	IdempotencyKey string // "" for no key
	Content        string // canonical text of the request; "" without a key
	CampaignID     string
	AcceptedTerms  bool
	Metadata       string // the text of a JSON object, or ""
}

// Publisher passes the command to the service that acts on it.
type Publisher interface {
	// PublishAcceptance returns nil only after the broker has stored the command. It returns the
	// faults submit.ErrBrokerUnavailable (not stored) and submit.ErrOutcomeUnknown (may be stored).
	// Publishing the same command again is harmless.
	PublishAcceptance(ctx context.Context, acceptance campaign.Acceptance) error
}

// Handler publishes acceptances.
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
		command.CampaignAccept,
		cmd.Caller,
		cmd.IdempotencyKey,
		cmd.Content,
	)
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

	if err := h.stamper.Claim(stamp); err != nil {
		return submit.Receipt{}, err
	}

	if err := h.publisher.PublishAcceptance(ctx, acceptance); err != nil {
		return submit.Receipt{}, err
	}

	return submit.ReceiptOf(stamp), nil
}
