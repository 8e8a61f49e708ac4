// Package payout (domain) is a user's request for a payment from the available balance.
package payout

import (
	"strings"
	"time"

	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// ReasonBalance is the reason of a payout that is rejected because the balance does not cover it.
const ReasonBalance = "insufficient_balance"

// ReasonUnverified is the reason of a payout that is rejected because the token of its command was
// not verified, if verification is required.
const ReasonUnverified = "unverified_identity"

// ReasonMinimum is the reason of a payout that is rejected because it is below the Minimum.
const ReasonMinimum = "below_minimum"

// Snapshot is the content of a payout. Details name the account to pay to, as in the command: they
// are personal data, never shown or logged.
type Snapshot struct {
	ID          string // the id of the command
	UserID      string
	Amount      money.Amount
	Method      string
	Details     string
	RequestHash string // that of Wanted
	Status      Status
	Reason      string
	RequestedAt time.Time
	CreatedAt   time.Time
	UpdatedAt   time.Time // when it was changed last, or created
	ClosedAt    time.Time // zero while it is requested
	// BatchID is the batch that pays it; "" for none.
	BatchID string
	// ExternalReference, PaidAt and FailureCode are those of its Closing.
	ExternalReference string
	PaidAt            time.Time   // zero unless it is completed
	FailureCode       FailureCode // "" unless it failed
	// when another request was made with the same id, zero for never
	ConflictedAt time.Time
	Version      int
}

// Payout is an aggregate: a request with its outcome. Its amount never changes; its status moves
// along Transitions.
type Payout struct{ snapshot Snapshot }

// Wanted is a request for a payout.
type Wanted struct {
	ID          string // the id of the command
	UserID      string
	Amount      money.Amount // positive
	Method      string
	Details     string
	RequestHash string // hash of the request; "" if the caller sent no key
	RequestedAt time.Time
	Refusal     string // the reason to reject it whatever is available, or ""
}

// Request returns the payout of a request at the time now. It is requested if the user's funds
// cover it, and takes what it pays from them; it is rejected otherwise. fault.ErrValidation is
// returned for an amount that is not positive.
func Request(wanted Wanted, funds ledger.Funds, now time.Time) (Payout, effect.Effect, error) {
	if wanted.Amount.Sign() <= 0 {
		var faults fault.Fields
		faults.Add("amount", fault.ErrNotPositive, "must be greater than 0")

		return Payout{}, effect.Effect{}, faults.Err()
	}

	p := Payout{snapshot: Snapshot{
		ID:          wanted.ID,
		UserID:      wanted.UserID,
		Amount:      wanted.Amount,
		Method:      wanted.Method,
		Details:     wanted.Details,
		RequestHash: wanted.RequestHash,
		Status:      Requested,
		Reason:      wanted.Refusal,
		RequestedAt: wanted.RequestedAt,
		CreatedAt:   now,
		UpdatedAt:   now,
		Version:     1,
	}}

	if p.snapshot.Reason == "" && funds.Available().Cmp(wanted.Amount.Total()) < 0 {
		p.snapshot.Reason = ReasonBalance
	}

	if p.snapshot.Reason != "" {
		p.snapshot.Status = Rejected
		p.snapshot.ClosedAt = now

		return p, p.effect(effect.PayoutRejected, Snapshot{}), nil
	}

	taken, err := funds.Take(wanted.Amount)
	if err != nil {
		return Payout{}, effect.Effect{}, err
	}

	out, err := p.move(p.effect(effect.PayoutRequested, Snapshot{}), ledger.Available, ledger.InPayout)
	out.Taken = taken

	return p, out, err
}

// Restore returns the payout of a stored snapshot.
func Restore(snapshot Snapshot) Payout { return Payout{snapshot: snapshot} }

// Snapshot returns a copy of the content.
func (p *Payout) Snapshot() Snapshot { return p.snapshot }

// Close moves the payout to a terminal status. effect.ErrTransition is returned where
// Transitions does not list the move, and fault.ErrValidation with every fault of the closing. The
// batch of the payout, if there is one, must allow it: see batch.Batch.Close.
func (p *Payout) Close(closing Closing, now time.Time) (effect.Effect, error) {
	before := p.snapshot

	t, ok := transition(before.Status, closing.To)
	if !ok {
		return effect.Effect{}, effect.ErrTransition.New(
			"The payout is " + string(before.Status) + "; only a requested one can be closed.",
		)
	}

	if err := p.close(closing, now); err != nil {
		return effect.Effect{}, err
	}

	return p.move(p.effect(t.Fact, before), ledger.InPayout, t.Account)
}

// Join puts a requested payout into a batch at the time now. ErrInBatch is returned if it is in one
// already, and effect.ErrTransition if it is not requested.
func (p *Payout) Join(batchID string, now time.Time) (effect.Effect, error) {
	before := p.snapshot

	switch {
	case before.BatchID != "":
		return effect.Effect{}, ErrInBatch
	case before.Status != Requested:
		return effect.Effect{}, effect.ErrTransition.New(
			"The payout is " + string(p.snapshot.Status) + "; only a requested one can be paid.",
		)
	}

	p.snapshot.BatchID = batchID
	p.changed(now)

	return p.effect(effect.PayoutUpdated, before), nil
}

// Release takes the payout out of its batch, which is cancelled at the time now.
func (p *Payout) Release(now time.Time) effect.Effect {
	before := p.snapshot
	p.snapshot.BatchID = ""
	p.changed(now)

	return p.effect(effect.PayoutUpdated, before)
}

// Leave takes the payout out of its batch, as a part of the caller's change: the
// version stays.
func (p *Payout) Leave() { p.snapshot.BatchID = "" }

// Conflicts reports whether wanted, which has the id of the payout, is a different request. It
// returns false if either has no hash, or if their hashes were computed with different keys.
func (s Snapshot) Conflicts(wanted Wanted) bool {
	knownKey, known := cutHash(s.RequestHash)
	key, hash := cutHash(wanted.RequestHash)

	return known != "" && hash != "" && key == knownKey && hash != known
}

// cutHash splits the id of a key from the hash; it is "" for a hash without a key.
func cutHash(text string) (key, hash string) {
	if key, hash, found := strings.Cut(text, ":"); found {
		return key, hash
	}

	return "", text
}

// NoteConflict notes at the time now that the request, which Conflicts, was not acted on. Only the
// first is noted: the bool reports whether the payout has changed.
func (p *Payout) NoteConflict(wanted Wanted, now time.Time) (effect.Effect, bool) {
	before := p.snapshot
	if !before.ConflictedAt.IsZero() || !before.Conflicts(wanted) {
		return effect.Effect{}, false
	}

	p.snapshot.ConflictedAt = wanted.RequestedAt
	p.changed(now)

	return p.effect(effect.PayoutUpdated, before), true
}

// changed notes that the payout has changed.
func (p *Payout) changed(now time.Time) {
	p.snapshot.UpdatedAt = now
	p.snapshot.Version++
}

// effect returns the fact that the payout moved from the given state to its present one.
func (p *Payout) effect(kind effect.Type, before Snapshot) effect.Effect {
	return effect.Effect{Facts: []effect.Fact{{
		Type:            kind,
		SubjectID:       p.snapshot.ID,
		UserID:          p.snapshot.UserID,
		Status:          string(p.snapshot.Status),
		Version:         p.snapshot.Version,
		PreviousStatus:  string(before.Status),
		PreviousVersion: before.Version,
	}}}
}

// move adds the transfer of the amount to the effect.
func (p *Payout) move(e effect.Effect, from, to ledger.Account) (effect.Effect, error) {
	s := p.snapshot
	t, err := ledger.ForPayout(s.ID, s.UserID, s.Amount, ledger.Path{From: from, To: to})
	e.Transfers = append(e.Transfers, t)

	return e, err
}
