package command

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// maxBulk is the largest number of commissions that one request changes.
const maxBulk = 5000

var (
	ErrBulkTooLarge = fault.Define(
		fault.Invalid,
		"bulk_too_large",
		"The filter selects more than "+strconv.Itoa(maxBulk)+" commissions. Narrow it by user_id, "+
			"campaign_id or event_type, or to a shorter time by occurred_from and occurred_to, and "+
			"run each part.",
	)
	ErrSelectionChanged = fault.Define(
		fault.Conflict,
		"bulk_selection_changed",
		"The commissions differ from those of the dry run: the token was used, or some were changed "+
			"meanwhile. Nothing was changed. Start another dry run and decide again.",
	)
)

// Bulk is an operator's action on all commissions of a filter to which it applies.
type Bulk struct {
	Action commission.Action
	Filter query.CommissionFilter
	Caller query.Caller
}

// BulkResult is what an action in bulk changes.
type BulkResult struct {
	Count  int           // of commissions, without those that follow them
	Totals []money.Total // what is left of the commissions after their clawbacks, by currency
	Token  string        // stands for the selection of a dry run
}

// ActInBulk approves, holds, releases and rejects the commissions of a filter, all or none.
type ActInBulk struct {
	commissions Commissions
	journal     change.Journal
}

// NewActInBulk returns the handler. It is safe for concurrent use.
func NewActInBulk(commissions Commissions, journal change.Journal) *ActInBulk {
	return &ActInBulk{commissions: commissions, journal: journal}
}

// DryRun changes nothing. It returns what Handle would change, with the token for it, or the error
// of Handle.
func (h *ActInBulk) DryRun(
	ctx context.Context,
	request change.Request,
	bulk Bulk,
) (BulkResult, error) {
	selection, err := bulk.selection(request)
	if err != nil {
		return BulkResult{}, err
	}

	if err := h.journal.Known(ctx, request); err != nil {
		return BulkResult{}, err
	}

	selected, err := h.commissions.Selected(ctx, selection)
	if err != nil {
		return BulkResult{}, err
	}

	result := resultOf(selected)
	result.Token = tokenOf(selection, selected)

	if _, _, err := actOnAll(request, bulk.Action, selected); err != nil || request.Key == "" {
		return result, err
	}

	return result, h.journal.Note(ctx, request, change.Record{}, result)
}

// Handle performs the action on the commissions of the token, which DryRun has returned for the
// same action and filter. ErrSelectionChanged is returned unless they and their followers are as
// they were then; commissions that were created since do not belong to them. ErrBulkTooLarge is
// returned for too many, and otherwise the errors of ActOnCommission.Handle, if any of them has it.
func (h *ActInBulk) Handle(
	ctx context.Context,
	request change.Request,
	bulk Bulk,
	token string,
) (BulkResult, error) {
	selection, err := bulk.selection(request)
	if err != nil {
		return BulkResult{}, err
	}

	if selection.UpTo, err = newestOf(token); err != nil {
		return BulkResult{}, err
	}

	var result BulkResult
	err = h.commissions.UpdateSelected(
		ctx,
		request,
		selection,
		func(selected []commission.Commission) (change.Outcome, error) {
			if tokenOf(selection, selected) != token {
				return change.Outcome{}, ErrSelectionChanged
			}

			result = resultOf(selected)

			records, caused, err := actOnAll(request, bulk.Action, selected)
			if err != nil {
				return change.Outcome{}, err
			}

			outcome, err := request.Outcome(change.Record{}, caused, result)
			outcome.More = records

			return outcome, err
		},
	)

	return result, err
}

// selection returns what the action is about; one more than is allowed shows that it is too much.
func (b Bulk) selection(request change.Request) (Selection, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return Selection{}, err
	}

	owner, err := b.Caller.OwnerOf(b.Filter.UserID)

	return Selection{
		Action: b.Action,
		Filter: b.Filter,
		Owner:  owner,
		Limit:  maxBulk + 1,
	}, err
}

// actOnAll performs the action on each commission, with the checks and the record of a single one.
func actOnAll(
	request change.Request,
	action commission.Action,
	selected []commission.Commission,
) ([]change.Record, effect.Effect, error) {
	var caused effect.Effect

	if len(selected) > maxBulk {
		return nil, caused, ErrBulkTooLarge
	}

	records := make([]change.Record, len(selected))
	for i := range selected {
		record, one, err := actOn(request, Action{Action: action}, &selected[i])
		if err != nil {
			return nil, caused, err
		}

		records[i] = request.Completed(record)
		caused.Add(one)
	}

	return records, caused, nil
}

func resultOf(selected []commission.Commission) BulkResult {
	sums := map[money.Currency]money.Total{}
	for i := range selected {
		currency := selected[i].Snapshot().Amount.Currency()
		sums[currency] = money.TotalOf(selected[i].Net(), currency).Add(sums[currency])
	}

	return BulkResult{
		Count: len(selected),
		Totals: slices.SortedFunc(maps.Values(sums), func(a, b money.Total) int {
			return cmp.Compare(a.Currency().String(), b.Currency().String())
		}),
	}
}
