package command

import "tributary/commission/internal/domain/payout"

// Account is what a partner sent about the account to pay to. It is personal data: it is written
// to a payment file or to the answer of one who may read it, and nowhere else.
type Account struct {
	JSON  string            // the object that the partner sent, without white space
	Texts map[string]string // its members that are texts
}

// Accounts opens account details.
type Accounts interface {
	// Open returns the account of a payout. An error says why it cannot be opened, and nothing of
	// the details.
	Open(p payout.Snapshot) (Account, error)
}
