package batch

import (
	"fmt"

	"tributary/commission/internal/domain/payout"
)

// check returns an error if a payout is not one of those that are wanted.
func (w Wanted) check(payouts []*payout.Payout) error {
	if len(payouts) > min(w.Limit, MaxPayouts) {
		return fmt.Errorf("batch %s: %d payouts", w.ID, len(payouts))
	}

	for _, p := range payouts {
		s := p.Snapshot()
		if s.Amount.Currency() != w.Currency || s.Method != w.Method ||
			s.CreatedAt.After(w.Cutoff) || s.UserID == w.MadeBy {
			return fmt.Errorf("batch %s: payout %s does not belong to it", w.ID, s.ID)
		}
	}

	return nil
}
