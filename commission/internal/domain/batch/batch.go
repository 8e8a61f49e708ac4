// Package batch (domain) is a payment run: requested payouts of one currency and method that are
// approved, sent and settled together.
package batch

import (
	"time"

	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// MaxPayouts is the largest number of payouts of a batch: PayPal accepts no more in a file.
const MaxPayouts = 5000

// Snapshot is the content of a batch, without its payouts.
type Snapshot struct {
	ID       string
	Currency money.Currency
	Method   string
	Cutoff   time.Time // payouts that were created later are not in it
	Limit    int       // the largest number of payouts that was asked for
	Status   Status
	Count    int         // of payouts
	Total    money.Total // of their amounts
	Open     int         // payouts that are still requested
	FourEyes bool        // whether another person than its maker must approve it
	Files    []File      // that were made of it, the oldest first

	MadeBy     string
	MadeAt     time.Time
	ApprovedBy string // "" and the zero time until it is approved
	ApprovedAt time.Time
	SentBy     string // "" and the zero time until it is sent
	SentAt     time.Time
	ClosedAt   time.Time // when it was settled or cancelled
	Reason     string    // of the last change by a person
	Version    int
}

// Batch is an aggregate. Its payouts are fixed when it is approved: before, one that is cancelled
// or fails leaves it. Its status moves along Transitions.
type Batch struct {
	snapshot Snapshot
	payees   map[string]bool
}

// Wanted is a request for a batch.
type Wanted struct {
	ID       string
	Currency money.Currency
	Method   string
	Cutoff   time.Time
	Limit    int // 1 to MaxPayouts
	MadeBy   string
	FourEyes bool
	Reason   string
}

// New returns the batch of the payouts, which join it, at the time now, with what that causes.
// ErrEmpty is returned without payouts. An error that is no fault means that the caller has chosen
// payouts that do not belong to the batch.
func New(
	wanted Wanted,
	payouts []*payout.Payout,
	now time.Time,
) (Batch, effect.Effect, error) {
	var caused effect.Effect

	if len(payouts) == 0 {
		return Batch{}, caused, ErrEmpty.New(
			"No requested payout of this currency and method waits for a batch.",
		)
	}

	b := Batch{
		snapshot: Snapshot{
			ID:       wanted.ID,
			Currency: wanted.Currency,
			Method:   wanted.Method,
			Cutoff:   wanted.Cutoff,
			Limit:    wanted.Limit,
			Status:   Draft,
			Count:    len(payouts),
			Total:    money.TotalOf(0, wanted.Currency),
			Open:     len(payouts),
			FourEyes: wanted.FourEyes,
			MadeBy:   wanted.MadeBy,
			MadeAt:   now,
			Reason:   wanted.Reason,
			Version:  1,
		},
		payees: make(map[string]bool, len(payouts)),
	}

	if err := wanted.check(payouts); err != nil {
		return Batch{}, caused, err
	}

	for _, p := range payouts {
		joined, err := p.Join(wanted.ID, now)
		if err != nil {
			return Batch{}, caused, err
		}

		caused.Facts = append(caused.Facts, joined.Facts...)

		s := p.Snapshot()
		b.snapshot.Total = b.snapshot.Total.Add(money.TotalOf(s.Amount.Minor(), wanted.Currency))
		b.payees[s.UserID] = true
	}

	return b, caused, nil
}

// Restore returns the batch of a stored snapshot, which pays the users.
func Restore(snapshot Snapshot, payees []string) Batch {
	b := Batch{snapshot: snapshot, payees: make(map[string]bool, len(payees))}
	for _, user := range payees {
		b.payees[user] = true
	}

	return b
}

// Snapshot returns a copy of the content.
func (b *Batch) Snapshot() Snapshot { return b.snapshot }

// Pays reports whether a payout of the batch is the user's.
func (b *Batch) Pays(userID string) bool { return b.payees[userID] }

// Approval is who approves a batch, and why. FourEyes refuses its maker even if the batch does not.
type Approval struct {
	By, Reason string
	FourEyes   bool
}

// Approve fixes the payouts of a draft. effect.ErrTransition is returned for any other
// batch, ErrEmpty if all its payouts have left it, and effect.ErrSecondPerson for its maker if
// another person must approve it.
func (b *Batch) Approve(approval Approval, now time.Time) error {
	switch {
	case (b.snapshot.FourEyes || approval.FourEyes) && approval.By == b.snapshot.MadeBy:
		return effect.ErrSecondPerson.New(
			"You made the batch yourself: another person must approve it.",
		)
	case b.snapshot.Status == Draft && b.snapshot.Count == 0:
		return ErrEmpty.New(
			"All payouts of the batch have been closed. Cancel it.",
		)
	}

	if err := b.move(Approved, approval.Reason); err != nil {
		return err
	}

	b.snapshot.ApprovedBy = approval.By
	b.snapshot.ApprovedAt = now

	return nil
}

// Send notes that the bank or provider has an approved batch. effect.ErrTransition is
// returned for any other.
func (b *Batch) Send(by, reason string, now time.Time) error {
	if err := b.move(Sent, reason); err != nil {
		return err
	}

	b.snapshot.SentBy = by
	b.snapshot.SentAt = now

	return nil
}

// Cancel calls the batch off; its payouts are free for another batch. Without recall
// ErrRecall is returned for a batch whose file was made or sent: the bank may pay it.
// effect.ErrTransition is returned for a closed batch, and ErrPartlySettled for one of
// which a payout was paid or failed: the others can only follow one by one.
func (b *Batch) Cancel(recall bool, reason string, now time.Time) error {
	switch {
	case !recall && (b.snapshot.Status == Sent || b.snapshot.Status == Approved && len(b.snapshot.Files) > 0):
		return ErrRecall.New(
			"The bank may have the file of the batch. Only finance can cancel it, when the bank has " +
				"refused the file as a whole.",
		)
	case b.snapshot.Status == Sent && b.snapshot.Open < b.snapshot.Count:
		return ErrPartlySettled.New(
			"Results of the batch are known, so it was not refused as a whole. Settle its other " +
				"payouts as completed or failed.",
		)
	}

	if err := b.move(Cancelled, reason); err != nil {
		return err
	}

	b.snapshot.ClosedAt = now

	return nil
}

// Close closes a payout of the batch, and the batch with its last one. The zero Batch closes a
// payout that is in none. What is possible depends on the batch: a payout of a draft can fail or be
// cancelled and leaves it; that of a sent batch can be completed or fail; of an approved batch,
// whose file may be on its way to the bank, none can be closed. The faults are payout.ErrInBatch
// and those of payout.Payout.Close.
func (b *Batch) Close(
	p *payout.Payout,
	closing payout.Closing,
	now time.Time,
) (effect.Effect, error) {
	if b.snapshot.ID != p.Snapshot().BatchID {
		return effect.Effect{}, payout.ErrInBatch
	}

	if b.snapshot.ID == "" || p.Snapshot().Status != payout.Requested {
		return p.Close(closing, now)
	}

	if !b.snapshot.Status.closes(closing.To) {
		return effect.Effect{}, payout.ErrInBatch
	}

	caused, err := p.Close(closing, now)
	if err != nil {
		return caused, err
	}

	b.snapshot.Open--
	b.snapshot.Version++

	if b.snapshot.Status == Draft {
		b.leave(p)
	} else if b.snapshot.Open == 0 {
		b.snapshot.Status = Settled
		b.snapshot.ClosedAt = now
	}

	return caused, nil
}

// closes reports whether a payout of a batch of the status can become closed.
func (s Status) closes(to payout.Status) bool {
	switch s {
	case Draft:
		return to == payout.Failed || to == payout.Cancelled
	case Sent:
		return to == payout.Completed || to == payout.Failed
	case Approved, Settled, Cancelled:
	}

	return false
}

// leave takes a payout out of the draft.
func (b *Batch) leave(p *payout.Payout) {
	p.Leave()

	b.snapshot.Count--
	b.snapshot.Total = b.snapshot.Total.Sub(
		money.TotalOf(p.Snapshot().Amount.Minor(), b.snapshot.Currency),
	)
}

func (b *Batch) move(to Status, reason string) error {
	if !allowed(b.snapshot.Status, to) {
		return effect.ErrTransition.New(
			"The batch is " + string(b.snapshot.Status) + " and cannot become " + string(to) + ".",
		)
	}

	b.snapshot.Status = to
	b.snapshot.Reason = reason
	b.snapshot.Version++

	return nil
}
