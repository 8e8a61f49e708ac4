package batch_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

func noon() time.Time { return time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC) }

func wanted() batch.Wanted {
	return batch.Wanted{
		ID:       "b",
		Currency: money.USD(),
		Method:   "paypal",
		Cutoff:   noon(),
		Limit:    10,
		MadeBy:   "maker",
		FourEyes: true,
		Reason:   "November",
	}
}

func requested(id string) *payout.Payout {
	p := payout.Restore(payout.Snapshot{
		ID:        id,
		UserID:    "user-" + id,
		Amount:    money.FromMinor(100, money.USD()),
		Method:    "paypal",
		Status:    payout.Requested,
		CreatedAt: noon().Add(-time.Hour),
		Version:   1,
	})

	return &p
}

// made returns a draft of n payouts.
func made(t *testing.T, n int) (batch.Batch, []*payout.Payout) {
	t.Helper()

	payouts := make([]*payout.Payout, n)
	for i := range payouts {
		payouts[i] = requested(fmt.Sprint(i))
	}

	b, _, err := batch.New(wanted(), payouts, noon())
	if err != nil {
		t.Fatal(err)
	}

	return b, payouts
}

// in returns a batch of the status, with its payouts.
func in(t *testing.T, status batch.Status, n int) (batch.Batch, []*payout.Payout) {
	t.Helper()

	b, payouts := made(t, n)

	s := b.Snapshot()
	s.Status = status

	users := make([]string, len(payouts))
	for i, p := range payouts {
		users[i] = p.Snapshot().UserID
	}

	return batch.Restore(s, users), payouts
}

func TestABatchHasTheCountAndTheSumOfItsPayouts(t *testing.T) {
	t.Parallel()

	b, payouts := made(t, 3)

	s := b.Snapshot()
	if s.Count != 3 || s.Open != 3 || s.Total.String() != "3.00" || s.Status != batch.Draft ||
		s.Version != 1 || !b.Pays("user-1") || b.Pays("maker") {
		t.Errorf("%+v", s)
	}

	for _, p := range payouts {
		if p := p.Snapshot(); p.BatchID != "b" || p.Version != 2 {
			t.Errorf("%+v", p)
		}
	}
}

// A batch takes only what it asked for.
func TestWhatDoesNotBelongToABatch(t *testing.T) {
	t.Parallel()

	change := func(how func(*payout.Snapshot)) *payout.Payout {
		s := requested("x").Snapshot()
		how(&s)

		p := payout.Restore(s)

		return &p
	}

	eur, err := money.ParseCurrency("EUR")
	if err != nil {
		t.Fatal(err)
	}

	for name, p := range map[string]*payout.Payout{
		"another currency": change(func(s *payout.Snapshot) { s.Amount = money.FromMinor(1, eur) }),
		"another method":   change(func(s *payout.Snapshot) { s.Method = "sepa" }),
		"too late":         change(func(s *payout.Snapshot) { s.CreatedAt = noon().Add(1) }),
		"the maker's own":  change(func(s *payout.Snapshot) { s.UserID = "maker" }),
		"closed":           change(func(s *payout.Snapshot) { s.Status = payout.Completed }),
		"in another batch": change(func(s *payout.Snapshot) { s.BatchID = "a" }),
	} {
		if _, _, err := batch.New(wanted(), []*payout.Payout{p}, noon()); err == nil {
			t.Errorf("%s was taken", name)
		}
	}

	if _, _, err := batch.New(wanted(), nil, noon()); !errors.Is(err, batch.ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}

	few := wanted()
	few.Limit = 1

	if _, _, err := batch.New(few, []*payout.Payout{requested("a"), requested("b")}, noon()); err == nil {
		t.Error("more than the limit was taken")
	}
}

// Every move is tried from every status; only those of the table are allowed.
func TestTransitions(t *testing.T) {
	t.Parallel()

	for _, from := range batch.Statuses() {
		for to, move := range map[batch.Status]func(*batch.Batch) error{
			batch.Approved: func(b *batch.Batch) error {
				return b.Approve(batch.Approval{By: "second", Reason: "r"}, noon())
			},
			batch.Sent:      func(b *batch.Batch) error { return b.Send("finance", "r", noon()) },
			batch.Cancelled: func(b *batch.Batch) error { return b.Cancel(true, "r", noon()) },
		} {
			b, _ := in(t, from, 1)
			err := move(&b)

			s := b.Snapshot()
			if slices.Contains(batch.Transitions(), batch.Transition{From: from, To: to}) {
				if err != nil || s.Status != to || s.Version != 2 || s.Reason != "r" {
					t.Errorf("%s to %s: %+v, %v", from, to, s, err)
				}
			} else if !errors.Is(err, effect.ErrTransition) || s.Status != from || s.Version != 1 {
				t.Errorf("%s to %s: %+v, %v", from, to, s, err)
			}
		}
	}
}

func TestASecondPersonApproves(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		batch, setting bool
		refused        bool
	}{
		{true, true, true},
		{true, false, true},
		{false, true, true},
		{false, false, false},
	} {
		in := wanted()
		in.FourEyes = c.batch

		b, _, err := batch.New(in, []*payout.Payout{requested("a")}, noon())
		if err != nil {
			t.Fatal(err)
		}

		own := batch.Approval{By: "maker", Reason: "r", FourEyes: c.setting}
		if err := b.Approve(own, noon()); errors.Is(err, effect.ErrSecondPerson) != c.refused {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// What can be closed one by one follows from the batch.
func TestClosingAPayoutOfABatch(t *testing.T) {
	t.Parallel()

	possible := map[batch.Status][]payout.Status{
		batch.Draft: {payout.Failed, payout.Cancelled},
		batch.Sent:  {payout.Completed, payout.Failed},
	}

	for _, status := range batch.Statuses() {
		for _, to := range []payout.Status{payout.Completed, payout.Failed, payout.Cancelled} {
			b, payouts := in(t, status, 2)

			caused, err := b.Close(payouts[0], payout.Closing{To: to, Reason: "r"}, noon())
			if !slices.Contains(possible[status], to) {
				if !errors.Is(err, payout.ErrInBatch) || payouts[0].Snapshot().Status != payout.Requested {
					t.Errorf("%s in a batch that is %s: %v", to, status, err)
				}

				continue
			}

			s, p := b.Snapshot(), payouts[0].Snapshot()

			count, batchID := 2, "b"
			if status == batch.Draft {
				count, batchID = 1, ""
			}

			if err != nil || s.Open != 1 || s.Count != count || s.Status != status || s.Version != 2 ||
				p.Status != to || p.BatchID != batchID || len(caused.Transfers) != 1 {
				t.Errorf("%s in a batch that is %s: %+v %+v %v", to, status, s, p, err)
			}
		}
	}
}

func TestTheLastResultSettlesTheBatch(t *testing.T) {
	t.Parallel()

	b, payouts := in(t, batch.Sent, 2)
	for i, to := range []payout.Status{payout.Completed, payout.Failed} {
		if _, err := b.Close(payouts[i], payout.Closing{To: to}, noon()); err != nil {
			t.Fatal(err)
		}
	}

	if s := b.Snapshot(); s.Status != batch.Settled || !s.ClosedAt.Equal(noon()) || s.Open != 0 ||
		s.Count != 2 {
		t.Errorf("%+v", s)
	}

	// what is closed stays closed
	if _, err := b.Close(payouts[0], payout.Closing{To: payout.Failed}, noon()); !errors.Is(err, effect.ErrTransition) {
		t.Errorf("again: %v", err)
	}
}

func TestADraftThatAllHaveLeftIsNotApproved(t *testing.T) {
	t.Parallel()

	b, payouts := in(t, batch.Draft, 1)
	if _, err := b.Close(payouts[0], payout.Closing{To: payout.Cancelled}, noon()); err != nil {
		t.Fatal(err)
	}

	if s := b.Snapshot(); s.Count != 0 || s.Total.Sign() != 0 {
		t.Errorf("%+v", s)
	}

	if err := b.Approve(batch.Approval{By: "second"}, noon()); !errors.Is(err, batch.ErrEmpty) {
		t.Errorf("approve: %v", err)
	}

	if err := b.Cancel(false, "r", noon()); err != nil {
		t.Errorf("cancel: %v", err)
	}
}

// What the bank may have is called back only by who knows that it has refused it.
func TestRecall(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		status  batch.Status
		filed   bool
		refused bool
	}{
		{batch.Draft, true, false},
		{batch.Approved, false, false},
		{batch.Approved, true, true},
		{batch.Sent, false, true},
		{batch.Sent, true, true},
	} {
		for _, recall := range []bool{true, false} {
			b, _ := in(t, c.status, 1)

			s := b.Snapshot()
			if c.filed {
				s.Files = []batch.File{{Format: "csv"}}
			}

			b = batch.Restore(s, nil)

			if err := b.Cancel(recall, "r", noon()); errors.Is(err, batch.ErrRecall) != (c.refused && !recall) {
				t.Errorf("%+v, recall %v: %v", c, recall, err)
			}
		}
	}

	b, payouts := in(t, batch.Sent, 2)
	if _, err := b.Close(payouts[0], payout.Closing{To: payout.Failed}, noon()); err != nil {
		t.Fatal(err)
	}

	if err := b.Cancel(true, "r", noon()); !errors.Is(err, batch.ErrPartlySettled) {
		t.Errorf("after a result: %v", err)
	}
}

// The zero Batch is that of a payout in none.
func TestAPayoutInNoBatch(t *testing.T) {
	t.Parallel()

	var none batch.Batch

	alone := requested("a")

	caused, err := none.Close(alone, payout.Closing{To: payout.Completed}, noon())
	if err != nil || alone.Snapshot().Status != payout.Completed ||
		caused.Facts[0].Type != effect.PayoutCompleted {
		t.Errorf("%+v, %v", alone.Snapshot(), err)
	}

	_, payouts := made(t, 1)
	if _, err := none.Close(payouts[0], payout.Closing{To: payout.Completed}, noon()); !errors.Is(err, payout.ErrInBatch) {
		t.Errorf("one of a batch: %v", err)
	}
}
