package querytest

import (
	"context"
	"slices"
	"time"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// Uncovered implements query.CoverageReader.
func (r Reader) Uncovered(
	_ context.Context,
	owner query.Owner,
	ids []string,
) (map[string]bool, error) {
	content := r.store.Content()
	uncovered := map[string]bool{}

	for _, b := range balances(content.Transfers, time.Time{}) {
		if !owner.Sees(b.UserID) || b.Available.Sign() >= 0 {
			continue
		}

		missing := money.TotalOf(0, b.Currency).Sub(b.Available)

		requested := slices.DeleteFunc(slices.Clone(content.Payouts), func(p payout.Snapshot) bool {
			return p.Status != payout.Requested || p.UserID != b.UserID ||
				p.Amount.Currency() != b.Currency
		})
		slices.SortFunc(requested, func(p, q payout.Snapshot) int {
			return newest(query.Position{At: p.CreatedAt, ID: p.ID}, query.Position{At: q.CreatedAt, ID: q.ID})
		})

		for _, p := range requested {
			if missing.Sign() > 0 && slices.Contains(ids, p.ID) {
				uncovered[p.ID] = true
			}

			missing = missing.Sub(p.Amount.Total())
		}
	}

	return uncovered, nil
}
