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

// logPayouts writes the facts about payouts, which are as they are after the change.
func logPayouts(
	ctx context.Context,
	tx moneyTx,
	facts []effect.Fact,
	after map[string]payout.Snapshot,
	cause change.Cause,
	now time.Time,
) error {
	events := make([]logged, len(facts))
	for i, fact := range facts {
		p := after[fact.SubjectID]

		state, err := json.Marshal(payoutStateOf(p))
		if err != nil {
			return err
		}

		events[i] = logged{
			Fact:    fact,
			cause:   cause,
			status:  string(p.Status),
			version: p.Version,
			state:   string(state),
		}
		if p.Version > 1 {
			events[i].changedAt = now
		}
	}

	return appendEvents(ctx, tx, events)
}

// logPayout is logPayouts for a single one.
func logPayout(
	ctx context.Context,
	tx moneyTx,
	caused effect.Effect,
	after payout.Snapshot,
	cause change.Cause,
	now time.Time,
) error {
	return logPayouts(ctx, tx, caused.Facts, byID(after), cause, now)
}

func byID(payouts ...payout.Snapshot) map[string]payout.Snapshot {
	out := make(map[string]payout.Snapshot, len(payouts))
	for _, p := range payouts {
		out[p.ID] = p
	}

	return out
}
