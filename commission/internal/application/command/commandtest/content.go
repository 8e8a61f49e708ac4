package commandtest

import (
	"maps"
	"slices"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
)

// Content is copies of what a store has. Records and transfers are in their order.
type Content struct {
	Payouts     []payout.Snapshot
	Batches     []batch.Snapshot
	Commissions []commission.Snapshot
	Decisions   []query.Decided
	Records     []change.Record
	Transfers   []query.Transfer
	// Taken is what payouts hold, have paid, or held until they failed or were cancelled, by the id
	// of the payout.
	Taken map[string][]ledger.Interval
}

// Content returns what the store has.
func (s *Store) Content() Content {
	s.mu.Lock()
	defer s.mu.Unlock()

	var decisions []query.Decided

	for eventID, d := range s.decisions {
		decisions = append(decisions, query.Decided{
			Decision:     d.Decision,
			CommissionID: d.CommissionID,
			DecidedAt:    s.decidedAt[eventID],
		})
	}

	return Content{
		Payouts:     slices.Collect(maps.Values(s.payouts)),
		Batches:     slices.Collect(maps.Values(s.batches)),
		Commissions: slices.Collect(maps.Values(s.commissions)),
		Decisions:   decisions,
		Records:     slices.Clone(s.records),
		Transfers:   slices.Clone(s.transfers),
		Taken:       s.funds.intervals(),
	}
}
