package querytest

import (
	"cmp"
	"context"
	"slices"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// part is what an interval of a payout has of a commission.
type part struct {
	payout     payout.Snapshot
	commission commission.Snapshot
	interval   ledger.Interval
	place      ledger.Interval // of the commission on its sum
	amount     money.Amount    // with the sign of the commission's
}

// parts returns the parts of all payouts in the order of items.
func (r Reader) parts() []part {
	content := r.store.Content()
	sums := map[string]money.Total{} // by user, currency and side

	var found []part

	for _, t := range content.Transfers {
		side, ok := sideOf(t)
		if !ok {
			continue
		}

		of := t.UserID + " " + t.Amount.Currency().String() + " " + string(side)
		place := ledger.Interval{Side: side, From: money.TotalOf(0, t.Amount.Currency()).Add(sums[of])}
		place.To = place.From.Add(t.Amount.Total())
		sums[of] = place.To

		c, _ := first(content.Commissions, nil, func(c commission.Snapshot) bool {
			return c.ID == t.CommissionID
		})

		for _, p := range content.Payouts {
			if p.UserID == c.UserID && p.Amount.Currency() == c.Amount.Currency() {
				found = append(found, partsOf(p, content.Taken[p.ID], c, place)...)
			}
		}
	}

	slices.SortFunc(found, func(a, b part) int {
		return cmp.Or(
			cmp.Compare(a.interval.Side, b.interval.Side),
			a.interval.From.Cmp(b.interval.From),
			a.place.From.Cmp(b.place.From),
		)
	})

	return found
}

// sideOf returns the sum that a transfer adds to, as ledger.Transfer.Side does.
func sideOf(t query.Transfer) (ledger.Side, bool) {
	switch {
	case t.CommissionID == "":
		return "", false
	case t.To == ledger.Available:
		return ledger.Credit, true
	case t.From == ledger.Available:
		return ledger.Debit, true
	}

	return "", false
}

// partsOf returns the parts of the commission at the place that the payout's intervals have.
func partsOf(
	p payout.Snapshot,
	taken []ledger.Interval,
	c commission.Snapshot,
	place ledger.Interval,
) (found []part) {
	for _, i := range taken {
		both := ledger.Interval{From: i.From, To: i.To}
		if place.From.Cmp(both.From) > 0 {
			both.From = place.From
		}

		if place.To.Cmp(both.To) < 0 {
			both.To = place.To
		}

		if i.Side != place.Side || both.Size().Sign() <= 0 {
			continue
		}

		size, _ := money.ParseMajor(both.Size().String(), c.Amount.Currency())
		if c.Amount.Sign() < 0 {
			size, _ = size.Neg()
		}

		found = append(found, part{
			payout:     p,
			commission: c,
			interval:   i,
			place:      place,
			amount:     size,
		})
	}

	return found
}

// Payments implements query.PaymentReader.
func (r Reader) Payments(
	_ context.Context,
	owner query.Owner,
	ids []string,
) (map[string]query.Payment, error) {
	payments := map[string]query.Payment{}

	for _, p := range r.parts() {
		c := p.commission
		if !owner.Sees(c.UserID) || !slices.Contains(ids, c.ID) {
			continue
		}

		sum, known := payments[c.ID]
		if !known {
			zero := money.FromMinor(0, c.Amount.Currency())
			sum = query.Payment{Paid: zero, Held: zero}
		}

		var err error

		switch p.payout.Status {
		case payout.Completed:
			sum.Paid, err = sum.Paid.Add(p.amount)
		case payout.Requested:
			sum.Held, err = sum.Held.Add(p.amount)
		case payout.Rejected, payout.Failed, payout.Cancelled:
		}

		if err != nil {
			return nil, err
		}

		payments[c.ID] = sum
	}

	return payments, nil
}

// Shares implements query.PaymentReader.
func (r Reader) Shares(
	_ context.Context,
	owner query.Owner,
	commissionID string,
	limit int,
	after query.Position,
) ([]query.Share, error) {
	var shares []query.Share

	for _, p := range r.parts() {
		if p.commission.ID != commissionID {
			continue
		}

		i := slices.IndexFunc(shares, func(s query.Share) bool { return s.Payout.ID == p.payout.ID })
		if i < 0 {
			p.payout.Details = ""
			shares = append(shares, query.Share{Payout: p.payout, Amount: p.amount})

			continue
		}

		sum, err := shares[i].Amount.Add(p.amount)
		if err != nil {
			return nil, err
		}

		shares[i].Amount = sum
	}

	return list[query.Share]{
		rows: shares,
		position: func(s query.Share) query.Position {
			return query.Position{At: s.Payout.CreatedAt, ID: s.Payout.ID}
		},
		compare: newest,
		selects: func(s query.Share) bool { return owner.Sees(s.Payout.UserID) },
	}.page(limit, after), nil
}

// Items implements query.PaymentReader.
func (r Reader) Items(
	_ context.Context,
	owner query.Owner,
	payoutID string,
	limit int,
	after query.ItemPosition,
) ([]query.Item, error) {
	var items []query.Item

	for _, p := range r.parts() {
		if p.payout.ID != payoutID || !owner.Sees(p.payout.UserID) {
			continue
		}

		c := p.commission
		items = append(items, query.Item{
			Position: query.ItemPosition{
				Side:     p.interval.Side,
				Interval: p.interval.From.Minor(),
				Position: p.place.From.Minor(),
			},
			CommissionID: c.ID,
			EventID:      c.EventID,
			OrderID:      c.OrderID,
			CampaignID:   c.CampaignID,
			Kind:         c.Kind,
			OccurredAt:   c.OccurredAt,
			Amount:       p.amount,
			Whole:        c.Amount,
		})
	}

	last := slices.IndexFunc(items, func(i query.Item) bool { return i.Position == after })
	items = items[last+1:]

	return items[:min(limit, len(items))], nil
}
