package querytest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

// Liabilities implements query.LiabilityReader.
func (r Reader) Liabilities(
	_ context.Context,
	currency string,
	asOf time.Time,
) ([]query.Liability, error) {
	sums := map[string]query.Liability{}

	for _, b := range balances(r.store.Content().Transfers, asOf) {
		code := b.Currency.String()
		if !equal(currency, code) {
			continue
		}

		sum := sums[code]
		sum.Currency = b.Currency
		sum.Users++
		sum.Pending = b.Pending.Add(sum.Pending)
		sum.Available = b.Available.Add(sum.Available)
		sum.InPayout = b.InPayout.Add(sum.InPayout)
		sum.Paid = b.Paid.Add(sum.Paid)

		if b.Available.Sign() < 0 {
			sum.Overdrawn = b.Available.Add(sum.Overdrawn)
		}

		sums[code] = sum
	}

	var list []query.Liability
	for _, sum := range sums {
		list = append(list, sum)
	}

	slices.SortFunc(list, func(a, b query.Liability) int {
		return cmp.Compare(a.Currency.String(), b.Currency.String())
	})

	return list, nil
}

// buckets are in the order of a list of ages.
func buckets() []query.Bucket {
	return []query.Bucket{
		query.Due,
		query.Within7,
		query.Within30,
		query.Within60,
		query.Within90,
		query.Later,
		query.Held,
		query.Approval,
	}
}

// Ageing implements query.LiabilityReader.
func (r Reader) Ageing(_ context.Context, currency string, now time.Time) ([]query.Ages, error) {
	rows := r.store.Content().Commissions
	statuses := map[string]commission.Status{}

	for _, c := range rows {
		statuses[c.ID] = c.Status
	}

	var list []query.Ages

	for _, c := range rows {
		if c.Status.Account() != ledger.Pending || !equal(currency, c.Amount.Currency().String()) {
			continue
		}

		bucket := bucketOf(c, statuses[cmp.Or(c.ReversesID, c.ID)], now)
		list = aged(list, bucket, c.Amount)
	}

	slices.SortFunc(list, func(a, b query.Ages) int {
		return cmp.Or(
			cmp.Compare(a.Currency.String(), b.Currency.String()),
			slices.Index(buckets(), a.Bucket)-slices.Index(buckets(), b.Bucket),
		)
	})

	return list, nil
}

// aged adds an amount to its currency and bucket.
func aged(list []query.Ages, bucket query.Bucket, amount money.Amount) []query.Ages {
	i := slices.IndexFunc(list, func(a query.Ages) bool {
		return a.Currency == amount.Currency() && a.Bucket == bucket
	})
	if i < 0 {
		return append(list, query.Ages{
			Currency: amount.Currency(),
			Bucket:   bucket,
			Count:    1,
			Amount:   amount.Total(),
		})
	}

	list[i].Count++
	list[i].Amount = list[i].Amount.Add(amount.Total())

	return list
}

// bucketOf returns the bucket of a commission whose earning, or which itself, has the status.
func bucketOf(c commission.Snapshot, status commission.Status, now time.Time) query.Bucket {
	switch {
	case status == commission.Held:
		return query.Held
	case c.ByOperator():
		return query.Approval
	}

	return bucketAfter(c.AvailableAt.Sub(now))
}

func bucketAfter(wait time.Duration) query.Bucket {
	const day = 24 * time.Hour

	switch {
	case wait <= 0:
		return query.Due
	case wait <= 7*day:
		return query.Within7
	case wait <= 30*day:
		return query.Within30
	case wait <= 60*day:
		return query.Within60
	case wait <= 90*day:
		return query.Within90
	}

	return query.Later
}
