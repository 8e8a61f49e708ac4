package postgres

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
)

// payoutState is what can change of a payout beside status and version, as the log has it. The
// reason is kept only if it is a code of ours: an operator's is internal.
type payoutState struct {
	Reason       string             `json:"reason,omitempty"`
	ClosedAt     time.Time          `json:"closed_at,omitzero"`
	ConflictedAt time.Time          `json:"conflicted_at,omitzero"`
	BatchID      string             `json:"batch_id,omitempty"`
	Reference    string             `json:"external_reference,omitempty"`
	PaidAt       time.Time          `json:"paid_at,omitzero"`
	FailureCode  payout.FailureCode `json:"failure_code,omitempty"`
}

func payoutStateOf(p payout.Snapshot) payoutState {
	state := payoutState{
		ClosedAt:     p.ClosedAt,
		ConflictedAt: p.ConflictedAt,
		BatchID:      p.BatchID,
		Reference:    p.ExternalReference,
		PaidAt:       p.PaidAt,
		FailureCode:  p.FailureCode,
	}
	if p.Status == payout.Rejected {
		state.Reason = p.Reason
	}

	return state
}

// onto returns the payout as it was in the state.
func (s payoutState) onto(p payout.Snapshot) payout.Snapshot {
	p.Reason = s.Reason
	p.ClosedAt = s.ClosedAt.UTC()
	p.ConflictedAt = s.ConflictedAt.UTC()
	p.BatchID = s.BatchID
	p.ExternalReference = s.Reference
	p.PaidAt = s.PaidAt.UTC()
	p.FailureCode = s.FailureCode

	return p
}

// logPayout writes the facts about the payout, which is as it is after the change.
func logPayout(
	ctx context.Context,
	tx moneyTx,
	caused effect.Effect,
	after payout.Snapshot,
	cause change.Cause,
	now time.Time,
) error {
	state, err := json.Marshal(payoutStateOf(after))
	if err != nil {
		return err
	}

	events := make([]logged, len(caused.Facts))
	for i, fact := range caused.Facts {
		events[i] = logged{
			Fact:    fact,
			cause:   cause,
			status:  string(after.Status),
			version: after.Version,
			state:   string(state),
		}
		if after.Version > 1 {
			events[i].changedAt = now
		}
	}

	return appendEvents(ctx, tx, events, now)
}
