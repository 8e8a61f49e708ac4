package command

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/payout"
)

// OpenAccount reads the account of a payout for one who may see it.
type OpenAccount struct {
	frames change.Frames
	unseal Unseal
}

// NewOpenAccount returns the handler. It is safe for concurrent use.
func NewOpenAccount(frames change.Frames, unseal Unseal) *OpenAccount {
	return &OpenAccount{frames: frames, unseal: unseal}
}

// Handle returns the account details of a payout that the caller has read, or nothing if they
// cannot be opened. The audit notes the opening before it happens.
func (h *OpenAccount) Handle(
	ctx context.Context,
	request change.Request,
	p payout.Snapshot,
) (jsontext.Value, error) {
	record := change.Record{
		Action:      "open_account",
		SubjectType: "payout",
		SubjectID:   p.ID,
	}

	if err := h.frames.Note(ctx, request, record, nil); err != nil {
		return nil, err
	}

	account, err := openAccount(p, h.unseal)
	if err != nil {
		return nil, nil // documented: an account that cannot be opened is left out
	}

	return account.JSON(), nil
}
