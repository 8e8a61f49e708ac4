package command

import (
	"context"
	"fmt"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
)

// Action is an operator's action on a commission.
type Action struct {
	ID      string
	Version int // from If-Match; 0 for any
	Action  commission.Action
}

// ActOnCommission approves, holds, releases and rejects commissions.
type ActOnCommission struct{ commissions Commissions }

// NewActOnCommission returns the handler. It is safe for concurrent use.
func NewActOnCommission(commissions Commissions) *ActOnCommission {
	return &ActOnCommission{commissions: commissions}
}

// Handle performs the action for the request's reason. Besides the errors of Commissions.Update it
// returns change.ErrVersion, change.ErrOwnGain, change.ErrSecondPerson, effect.ErrTransition, and
// fault.ErrValidation for a reason that is not one.
func (h *ActOnCommission) Handle(
	ctx context.Context,
	request change.Request,
	act Action,
) (commission.Snapshot, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return commission.Snapshot{}, err
	}

	var after commission.Snapshot
	err := h.commissions.Update(
		ctx,
		request,
		act.ID,
		func(c *commission.Commission) (change.Outcome, error) {
			record, caused, err := actOn(request, act, c)
			if err != nil {
				return change.Outcome{}, err
			}

			after = c.Snapshot()

			return request.Outcome(record, caused, after)
		},
	)

	return after, err
}

// actOn performs the action on the commission, and returns its record for the audit.
func actOn(
	request change.Request,
	act Action,
	c *commission.Commission,
) (change.Record, effect.Effect, error) {
	before := c.Snapshot()
	if err := checkActor(request, act, before); err != nil {
		return change.Record{}, effect.Effect{}, err
	}

	caused, err := c.Act(act.Action, request.Reason, request.Now)

	return change.Record{
		Action:      string(act.Action),
		SubjectType: "commission",
		SubjectID:   before.ID,
		Before:      AuditedCommission(before),
		After:       AuditedCommission(c.Snapshot()),
	}, caused, err
}

func checkActor(request change.Request, act Action, before commission.Snapshot) error {
	if err := request.CheckGain(before.UserID); err != nil {
		return err
	}

	if err := change.CheckVersion(act.Version, before.Version); err != nil {
		return err
	}

	if before.ByOperator() && act.Action == commission.Approve {
		return request.CheckSecond(before.MadeBy)
	}

	return nil
}

// AuditedCommission returns the members of a commission that an audit row contains: all that can
// change.
func AuditedCommission(s commission.Snapshot) string {
	return fmt.Sprintf(
		`{"status":%q,"version":%d,"amount_minor":%d,"currency":%q}`,
		s.Status,
		s.Version,
		s.Amount.Minor(),
		s.Amount.Currency(),
	)
}
