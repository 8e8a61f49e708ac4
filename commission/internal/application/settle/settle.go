// Package settle (application) changes the status of commissions, by an operator or by the clock,
// and adjusts balances outside of the rules.
package settle

import (
	"context"
	"log/slog"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/platform/fault"
	"tributary/platform/identifier"
	"tributary/platform/money"
)

// Store stores commissions.
type Store interface {
	// Act performs the action on a commission of the version (0 for any) with its clawbacks, the
	// ledger and the audit, in one transaction. Faults: commission_not_found, version_mismatch,
	// transition_refused, own_gain_refused, idempotency_key_reused; a *change.ReplayedError for a
	// repetition.
	Act(ctx context.Context, request change.Request, act Action) (commission.Commission, error)
	// Adjust stores an adjustment with its ledger transfer and audit, in one transaction. It
	// returns the faults of Act.
	Adjust(
		ctx context.Context,
		request change.Request,
		made commission.Commission,
	) (commission.Commission, error)
	// ApproveDue approves at most limit earnings that are pending and available at the time, and
	// returns their number.
	ApproveDue(ctx context.Context, now time.Time, limit int) (int, error)
}

// Action is an action on a commission.
type Action struct {
	ID      string
	Version int // from If-Match; 0 for any
	Action  commission.Action
}

// Handler changes commissions. It is safe for concurrent use.
type Handler struct {
	store Store
	newID func() string
	limit *money.Rate
}

// New returns a handler. An adjustment of more than limit, in major units of its currency, waits
// for the approval of a second person; nil is no limit.
func New(store Store, newID func() string, limit *money.Rate) *Handler {
	return &Handler{store: store, newID: newID, limit: limit}
}

// Act checks the reason and performs the action.
func (h *Handler) Act(
	ctx context.Context,
	request change.Request,
	act Action,
) (commission.Commission, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return commission.Commission{}, err
	}

	return h.store.Act(ctx, request, act)
}

// Adjustment is an increase or reduction of a balance by an operator.
type Adjustment struct {
	UserID     string
	CampaignID string
	Amount     string // exact decimal text of major units
	Currency   string
}

// Adjust checks everything and stores the adjustment. It is available at once, or pending until a
// second person approves it.
func (h *Handler) Adjust(
	ctx context.Context,
	request change.Request,
	a Adjustment,
) (commission.Commission, error) {
	var faults fault.Fields

	identifier.Check(&faults, "user_id", a.UserID)
	identifier.CheckOptional(&faults, "campaign_id", a.CampaignID)

	amount := readAmount(a, &faults)
	if f, ok := fault.As(commission.CheckReason(request.Reason)); ok {
		faults = append(faults, f.Fields...)
	}

	if err := faults.Err(); err != nil {
		return commission.Commission{}, err
	}

	if err := request.CheckGain(a.UserID); err != nil {
		return commission.Commission{}, err
	}

	status := commission.Approved
	if request.Actor != change.Anonymous && h.exceeds(amount) {
		status = commission.Pending
	}

	return h.store.Adjust(ctx, request, commission.Restore(commission.State{
		ID:          h.newID(),
		UserID:      a.UserID,
		CampaignID:  a.CampaignID,
		Kind:        commission.Adjustment,
		Status:      status,
		Base:        money.FromMinor(0, amount.Currency()),
		Amount:      amount,
		Reason:      request.Reason,
		AvailableAt: request.Now,
		OccurredAt:  request.Now,
		CreatedAt:   request.Now,
		Version:     1,
	}))
}

// exceeds reports whether the amount, given or taken, is above the limit.
func (h *Handler) exceeds(amount money.Amount) bool {
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

// Approver approves earnings at the end of their hold period.
type Approver struct {
	Store  Store
	Now    func() time.Time
	Logger *slog.Logger
}

// approveAtOnce is the number of commissions that one transaction approves.
const approveAtOnce = 500

// Approve approves all due commissions. What fails is left to the next call. Concurrent calls of
// several replicas wait for each other.
func (a *Approver) Approve(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := a.Store.ApproveDue(ctx, a.Now().UTC(), approveAtOnce)
		if err != nil {
			a.Logger.WarnContext(ctx, "cannot approve due commissions; will retry", "error", err)
			return
		}

		if n > 0 {
			a.Logger.InfoContext(ctx, "commissions approved", "count", n)
		}

		if n < approveAtOnce {
			return
		}
	}
}
