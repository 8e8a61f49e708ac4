package command

import (
	"context"
	"fmt"
	"slices"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
)

// Result is what the bank or provider says of a payout, on a line of a result file.
type Result struct {
	Line     int
	PayoutID string
	Closing  payout.Closing // without a reason: the request's
}

// LineFault is a fault of a result file.
type LineFault struct {
	Line   int
	Column string // "" for the line as a whole
	Code   *fault.FieldCode
	// Message says what is expected, without the value.
	Message string
}

// Settlement is a result file: what could be read of it, and what could not.
type Settlement struct {
	ID      string // of the batch
	Version int    // from If-Match; 0 for any
	SHA256  string // of the file, for the audit
	Results []Result
	Faults  []LineFault
}

// Settled is the outcome of a result file.
type Settled struct {
	Batch                        batch.Snapshot
	Completed, Failed, Unchanged int
}

// SettleBatch enters the results of batches.
type SettleBatch struct{ batches Batches }

// NewSettleBatch returns the handler. It is safe for concurrent use.
func NewSettleBatch(batches Batches) *SettleBatch { return &SettleBatch{batches: batches} }

// Handle closes the payouts of a sent batch as the file says, and the batch with its last one: all
// of them or, if the file has any fault, none. A result that is known already changes nothing, so
// the same file can be entered again. It returns batch.ErrResults with every fault of the file,
// effect.ErrTransition for a batch that was not sent, the faults of Batches.Settle,
// change.ErrVersion, change.ErrOwnGain if a payout of the batch is the actor's, and
// fault.ErrValidation for a reason that is not one.
func (h *SettleBatch) Handle(
	ctx context.Context,
	request change.Request,
	file Settlement,
) (Settled, error) {
	if err := commission.CheckReason(request.Reason); err != nil {
		return Settled{}, err
	}

	var settled Settled
	err := h.batches.Settle(
		ctx,
		request,
		file.ID,
		func(b *batch.Batch, payouts []*payout.Payout) (change.Outcome, error) {
			if b.Pays(request.Actor) {
				return change.Outcome{}, request.CheckGain(request.Actor)
			}

			if err := change.CheckVersion(file.Version, b.Snapshot().Version); err != nil {
				return change.Outcome{}, err
			}

			s := newResultEntry(request, b, payouts, file.Faults)

			entered, err := s.enter(file.Results)
			if err != nil {
				return change.Outcome{}, err
			}

			settled = entered

			return s.outcome(file, settled)
		},
	)

	return settled, err
}

// resultEntry is the state of entering one file.
type resultEntry struct {
	request change.Request
	batch   *batch.Batch
	before  batch.Snapshot
	payouts map[string]*payout.Payout
	lines   map[string]int // the line of each payout
	faults  []LineFault
	caused  effect.Effect
	records []change.Record
}

func newResultEntry(
	request change.Request,
	b *batch.Batch,
	payouts []*payout.Payout,
	faults []LineFault,
) *resultEntry {
	s := &resultEntry{
		request: request,
		batch:   b,
		before:  b.Snapshot(),
		payouts: make(map[string]*payout.Payout, len(payouts)),
		lines:   make(map[string]int, len(payouts)),
		faults:  slices.Clone(faults),
	}
	for _, p := range payouts {
		s.payouts[p.Snapshot().ID] = p
	}

	return s
}

// enter closes the payouts, or returns all faults.
func (s *resultEntry) enter(results []Result) (Settled, error) {
	if status := s.before.Status; status != batch.Sent && status != batch.Settled {
		return Settled{}, effect.ErrTransition.New(
			"The batch is " + string(status) + "; only a sent one has results.",
		)
	}

	var settled Settled
	for _, r := range results {
		changed, err := s.one(r)

		switch {
		case err != nil:
			return Settled{}, err
		case !changed:
			settled.Unchanged++
		case r.Closing.To == payout.Completed:
			settled.Completed++
		default:
			settled.Failed++
		}
	}

	settled.Batch = s.batch.Snapshot()

	return settled, s.refusal()
}

// one closes a payout; the bool reports whether that was new. Faults of the line are collected.
func (s *resultEntry) one(r Result) (bool, error) {
	p := s.payouts[r.PayoutID]

	switch first := s.lines[r.PayoutID]; {
	case p == nil:
		s.add(r, "reference", batch.ErrReferenceUnknown, "must name a payout of the batch")
		return false, nil
	case first != 0:
		s.add(r, "reference", fault.ErrRepeated, fmt.Sprintf("is also on line %d", first))
		return false, nil
	}

	s.lines[r.PayoutID] = r.Line
	before := p.Snapshot()

	closing := r.Closing
	if closing.Reason == "" {
		closing.Reason = s.request.Reason
	}

	if before.Status != payout.Requested {
		if !before.Matches(closing) {
			s.add(r, "outcome", payout.ErrAlreadyClosed, "the payout is "+string(before.Status)+
				" already, and the line says something else")
		}

		return false, nil
	}

	caused, err := s.batch.Close(p, closing, s.request.Now)
	if f, known := fault.As(err); known && len(f.Fields) > 0 {
		for _, field := range f.Fields {
			s.add(r, field.Field, field.Code, field.Message)
		}

		return false, nil
	}

	if err != nil {
		return false, err
	}

	s.caused.Transfers = append(s.caused.Transfers, caused.Transfers...)
	s.caused.Facts = append(s.caused.Facts, caused.Facts...)

	record := closed(before, p.Snapshot())
	record = s.request.Completed(record)
	record.Reason = closing.Reason
	s.records = append(s.records, record)

	return true, nil
}

func (s *resultEntry) add(r Result, column string, code *fault.FieldCode, message string) {
	s.faults = append(s.faults, LineFault{
		Line:    r.Line,
		Column:  column,
		Code:    code,
		Message: message,
	})
}

// refusal returns batch.ErrResults with the faults by line, or nil.
func (s *resultEntry) refusal() error {
	if len(s.faults) == 0 {
		return nil
	}

	slices.SortStableFunc(s.faults, func(a, b LineFault) int { return a.Line - b.Line })

	var fields fault.Fields

	for _, f := range s.faults {
		name := fmt.Sprintf("lines[%d]", f.Line)
		if f.Column != "" {
			name += "." + f.Column
		}

		fields.Add(name, f.Code, f.Message)
	}

	return batch.ErrResults.New(
		"The result file has faults; errors names each by its line. Nothing was changed.",
		fields...,
	)
}

// outcome returns what is written: nothing but the answer if all results were known.
func (s *resultEntry) outcome(file Settlement, settled Settled) (change.Outcome, error) {
	record := batchRecord("settle", s.before, settled.Batch)
	record.After = fmt.Sprintf(
		`%s,"completed":%d,"failed":%d,"sha256":%q}`,
		record.After[:len(record.After)-1],
		settled.Completed,
		settled.Failed,
		file.SHA256,
	)

	outcome, err := s.request.Outcome(record, s.caused, settled)
	outcome.More = s.records

	if len(s.records) == 0 {
		outcome.Record = change.Record{}
	}

	return outcome, err
}
