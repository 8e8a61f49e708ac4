package command

import (
	"context"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/payout"
)

// OpenAccount reads the account of a payout for one who may see it.
type OpenAccount struct {
	journal  change.Journal
	accounts Accounts
}

// NewOpenAccount returns the handler. It is safe for concurrent use.
func NewOpenAccount(journal change.Journal, accounts Accounts) *OpenAccount {
	return &OpenAccount{journal: journal, accounts: accounts}
}

// Handle returns the account of a payout that the caller has read, or the zero Account if it
// cannot be opened. The audit notes the opening before it happens.
func (h *OpenAccount) Handle(
	ctx context.Context,
	request change.Request,
	p payout.Snapshot,
) (Account, error) {
	record := change.Record{
		Action:      "open_account",
		SubjectType: "payout",
		SubjectID:   p.ID,
	}

	if err := h.journal.Note(ctx, request, record, nil); err != nil {
		return Account{}, err
	}

	opened, err := h.accounts.Open(p)
	if err != nil {
		return Account{}, nil // documented: an account that cannot be opened is left out
	}

	return opened, nil
}
