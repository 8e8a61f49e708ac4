package command

import (
	"context"
	"fmt"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
)

// Closing is the way in which a payout ends, as in payout.Closing.
type Closing struct {
	ID                string
	Version           int // from If-Match; 0 for any
	To                payout.Status
	ExternalReference string
	PaidAt            time.Time
	FailureCode       payout.FailureCode
}

// ClosePayout completes, fails or cancels payouts.
type ClosePayout struct{ payouts Payouts }

// NewClosePayout returns the handler. It is safe for concurrent use.
func NewClosePayout(payouts Payouts) *ClosePayout { return &ClosePayout{payouts: payouts} }

// Handle closes the payout for the request's reason, and its batch with its last one. It returns
// the faults of Payouts.Update and batch.Batch.Close, version_mismatch, own_gain_refused, and
// validation_failed for a reason that is not one.
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
		func(p *payout.Payout, b *batch.Batch) (change.Outcome, error) {
			before := p.Snapshot()
			if err := request.CheckGain(before.UserID); err != nil {
				return change.Outcome{}, err
			}

			if err := change.CheckVersion(closing.Version, before.Version); err != nil {
				return change.Outcome{}, err
			}

			caused, err := b.Close(p, closing.of(request.Reason), request.Now)
			if err != nil {
				return change.Outcome{}, err
			}

			after = p.Snapshot()

			return request.Outcome(closed(before, after), caused, after)
		},
	)

	return after, err
}

func (c Closing) of(reason string) payout.Closing {
	return payout.Closing{
		To:                c.To,
		Reason:            reason,
		ExternalReference: c.ExternalReference,
		PaidAt:            c.PaidAt,
		FailureCode:       c.FailureCode,
	}
}

// closed returns the audit's record of a payout that was closed.
func closed(before, after payout.Snapshot) change.Record {
	return change.Record{
		Action:      string(after.Status),
		SubjectType: "payout",
		SubjectID:   after.ID,
		Before:      auditedPayout(before),
		After:       auditedPayout(after),
	}
}

// auditedPayout returns the members of a payout that an audit row contains: all that can change,
// where it is set.
func auditedPayout(s payout.Snapshot) string {
	text := fmt.Sprintf(
		`{"status":%q,"version":%d,"amount_minor":%d,"currency":%q`,
		s.Status,
		s.Version,
		s.Amount.Minor(),
		s.Amount.Currency(),
	)

	for _, member := range []struct{ name, value string }{
		{"batch_id", s.BatchID},
		{"external_reference", s.ExternalReference},
		{"failure_code", string(s.FailureCode)},
	} {
		if member.value != "" {
			text += fmt.Sprintf(`,%q:%q`, member.name, member.value) // printable, so this is JSON
		}
	}

	if !s.PaidAt.IsZero() {
		text += `,"paid_at":"` + s.PaidAt.Format(time.RFC3339Nano) + `"`
	}

	return text + "}"
}
