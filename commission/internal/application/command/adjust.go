package command

import (
	"context"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/platform/fault"
	"tributary/platform/identifier"
	"tributary/platform/money"
)

// Adjustment is an increase or reduction of a balance by an operator.
type Adjustment struct {
	UserID     string
	CampaignID string
	Amount     string // exact decimal text of major units
	Currency   string
}

// Adjust adjusts balances outside of the rules.
type Adjust struct {
	commissions Commissions
	newID       func() string
	limit       *money.Rate
}

// NewAdjust returns the handler. An adjustment of more than limit, in major units of its currency,
// waits for the approval of a second person; nil is no limit. It is safe for concurrent use.
func NewAdjust(commissions Commissions, newID func() string, limit *money.Rate) *Adjust {
	return &Adjust{commissions: commissions, newID: newID, limit: limit}
}

// Handle checks everything and stores the adjustment. It is available at once, or pending until a
// second person approves it. Besides the errors of Commissions.Add it returns change.ErrOwnGain,
// and fault.ErrValidation with all that is wrong.
func (h *Adjust) Handle(
	ctx context.Context,
	request change.Request,
	a Adjustment,
) (commission.Snapshot, error) {
	amount, err := checkAdjustment(a, request.Reason)
	if err != nil {
		return commission.Snapshot{}, err
	}

	if err := request.CheckGain(a.UserID); err != nil {
		return commission.Snapshot{}, err
	}

	made, caused, err := commission.NewAdjustment(
		commission.Wanted{
			UserID:     a.UserID,
			CampaignID: a.CampaignID,
			Amount:     amount,
			Reason:     request.Reason,
			Waits:      request.Actor != change.Anonymous && h.exceeds(amount),
		},
		commission.Origin{ID: h.newID(), Now: request.Now},
	)
	if err != nil {
		return commission.Snapshot{}, err
	}

	stored := made.Snapshot()

	outcome, err := request.Outcome(change.Record{
		Action:      "adjust",
		SubjectType: "commission",
		SubjectID:   stored.ID,
		After:       AuditedCommission(stored),
	}, caused, stored)
	if err != nil {
		return commission.Snapshot{}, err
	}

	return stored, h.commissions.Add(ctx, request, stored, outcome)
}

func checkAdjustment(a Adjustment, reason string) (money.Amount, error) {
	var faults fault.Fields

	identifier.Check(&faults, "user_id", a.UserID)
	identifier.CheckOptional(&faults, "campaign_id", a.CampaignID)

	amount := readAmount(a, &faults)
	if f, ok := fault.As(commission.CheckReason(reason)); ok {
		faults = append(faults, f.Fields...)
	}

	return amount, faults.Err()
}

// exceeds reports whether the amount, given or taken, is above the limit.
func (h *Adjust) exceeds(amount money.Amount) bool {
	if h.limit == nil {
		return false
	}

	size := amount.Decimal()
	if size.Sign() < 0 {
		size = money.Decimal{}.Sub(size)
	}

	return size.Cmp(h.limit.Decimal()) > 0
}

func readAmount(a Adjustment, faults *fault.Fields) money.Amount {
	currency, err := money.ParseCurrency(a.Currency)
	if err != nil {
		faults.AddError("currency", err)
		return money.Amount{}
	}

	amount, err := money.ParseMajor(a.Amount, currency)
	faults.AddError("amount", err)

	if err == nil && amount.IsZero() {
		faults.Add("amount", ErrZero, "must not be 0")
	}

	return amount
}

// ErrZero is the code of an amount of zero.
var ErrZero = fault.DefineField("zero", "must not be 0")
