package query

import (
	"context"

	"tributary/commission/internal/domain/payout"
)

// CoverageReader reads which payouts lack cover.
type CoverageReader interface {
	// Uncovered returns which of the payouts are requested and no longer covered: the clawbacks
	// since have taken more than what was left available. The newest of a user's payouts lose their
	// cover first.
	Uncovered(ctx context.Context, owner Owner, ids []string) (map[string]bool, error)
}

// GetCoverage reads whether payouts are covered.
type GetCoverage struct{ reader CoverageReader }

// NewGetCoverage returns the query. It is safe for concurrent use.
func NewGetCoverage(reader CoverageReader) *GetCoverage { return &GetCoverage{reader: reader} }

// Handle returns, for each of the requested payouts that the caller may see, whether it is covered.
// The others are absent.
func (q *GetCoverage) Handle(
	ctx context.Context,
	caller Caller,
	payouts ...payout.Snapshot,
) (map[string]bool, error) {
	covered := map[string]bool{}

	var ids []string
	for _, p := range payouts {
		if p.Status == payout.Requested {
			ids = append(ids, p.ID)
			covered[p.ID] = true
		}
	}

	if len(ids) == 0 {
		return covered, nil
	}

	uncovered, err := q.reader.Uncovered(ctx, caller.Owner(), ids)
	for id := range uncovered {
		covered[id] = false
	}

	return covered, err
}
