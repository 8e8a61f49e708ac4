package command

import (
	"context"
	"fmt"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
)

// Closing is the way in which a payout ends.
type Closing struct {
	ID      string
	Version int // from If-Match; 0 for any
	To      payout.Status
}

// ClosePayout completes, fails or cancels payouts.
type ClosePayout struct{ payouts Payouts }

// NewClosePayout returns the handler. It is safe for concurrent use.
func NewClosePayout(payouts Payouts) *ClosePayout { return &ClosePayout{payouts: payouts} }

// Handle closes the payout for the request's reason. It returns the faults of Payouts.Update,
// version_mismatch, transition_refused, own_gain_refused, and validation_failed for a reason that
// is not one.
func (h *ClosePayout) Handle(
	ctx context.Context,
	request change.Request,
	closing Closing,
) (payout.Snapshot, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return payout.Snapshot{}, err
	}

	var after payout.Snapshot
	err := h.payouts.Update(
		ctx,
		request,
		closing.ID,
		func(p *payout.Payout) (change.Outcome, error) {
			before := p.Snapshot()
			if err := request.CheckGain(before.UserID); err != nil {
				return change.Outcome{}, err
			}

			if err := change.CheckVersion(closing.Version, before.Version); err != nil {
				return change.Outcome{}, err
			}

			caused, err := p.Close(closing.To, request.Reason, request.Now)
			if err != nil {
				return change.Outcome{}, err
			}

			after = p.Snapshot()

			return request.Outcome(change.Record{
				Action:      string(closing.To),
				SubjectType: "payout",
				SubjectID:   closing.ID,
				Before:      auditedPayout(before),
				After:       auditedPayout(after),
			}, caused, after)
		},
	)

	return after, err
}

// auditedPayout returns the members of a payout that an audit row contains: all that can change.
func auditedPayout(s payout.Snapshot) string {
	return fmt.Sprintf(
		`{"status":%q,"version":%d,"amount_minor":%d,"currency":%q}`,
		s.Status,
		s.Version,
		s.Amount.Minor(),
		s.Amount.Currency(),
	)
}
