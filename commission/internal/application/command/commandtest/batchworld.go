package commandtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
)

// asked creates the n-th payout, of 60 of the user's 100, at 60-n seconds after noon: its id says
// nothing about its age.
func (w World) asked(t *testing.T, n int, user, method string) {
	t.Helper()
	w.fund(t, 100+n, user, 100)

	at := noon().Add(time.Duration(60-n) * time.Second)
	wanted := payout.Wanted{
		ID:          id(n),
		UserID:      user,
		Amount:      usd(60),
		Method:      method,
		Details:     `{"email":"` + user + `@example.com"}`,
		RequestedAt: at,
	}

	if _, _, err := w.Payouts.Create(
		t.Context(),
		wanted,
		at,
		func(funds ledger.Funds) (payout.Payout, effect.Effect, error) {
			return payout.Request(wanted, funds, at)
		},
	); err != nil {
		t.Fatal(err)
	}
}

// made creates the n-th batch, of at most limit payouts of PayPal until 50 seconds after noon.
func (w World) made(ctx context.Context, request change.Request, n, limit int) error {
	wanted := batch.Wanted{
		ID:       id(n),
		Currency: usd(1).Currency(),
		Method:   "paypal",
		Cutoff:   noon().Add(50 * time.Second),
		Limit:    limit,
		MadeBy:   request.Actor,
		Reason:   request.Reason,
	}

	return w.Batches.Create(
		ctx,
		request,
		wanted,
		func(payouts []*payout.Payout) (batch.Batch, change.Outcome, error) {
			b, caused, err := batch.New(wanted, payouts, request.Now)
			if err != nil {
				return b, change.Outcome{}, err
			}

			outcome, err := outcomeOf(request, "make", "payout_batch", wanted.ID, caused)

			return b, outcome, err
		},
	)
}

// change changes the n-th batch.
func (w World) change(
	ctx context.Context,
	request change.Request,
	n int,
	action string,
	fn func(*batch.Batch) error,
) error {
	return w.Batches.Update(ctx, request, id(n), func(b *batch.Batch) (change.Outcome, error) {
		if err := fn(b); err != nil {
			return change.Outcome{}, err
		}

		return outcomeOf(request, action, "payout_batch", id(n), effect.Effect{})
	})
}

func (w World) approve(ctx context.Context, request change.Request, n int) error {
	return w.change(ctx, request, n, "approve", func(b *batch.Batch) error {
		return b.Approve(batch.Approval{By: request.Actor, Reason: request.Reason}, request.Now)
	})
}

// send approves and sends the n-th batch.
func (w World) send(t *testing.T, n int) {
	t.Helper()

	if err := w.approve(t.Context(), by("operator"), n); err != nil {
		t.Fatal(err)
	}

	if err := w.change(t.Context(), by("operator"), n, "send", func(b *batch.Batch) error {
		return b.Send("operator", "checked", noon())
	}); err != nil {
		t.Fatal(err)
	}
}

// settle closes the payouts of the n-th batch as the statuses say.
func (w World) settle(
	ctx context.Context,
	request change.Request,
	n int,
	to map[int]payout.Status,
) error {
	statuses := map[string]payout.Status{}
	for payoutNumber, status := range to {
		statuses[id(payoutNumber)] = status
	}

	return w.Batches.Settle(
		ctx,
		request,
		id(n),
		func(b *batch.Batch, payouts []*payout.Payout) (change.Outcome, error) {
			var caused effect.Effect

			for _, p := range payouts {
				closing := payout.Closing{To: statuses[p.Snapshot().ID], Reason: request.Reason}

				one, err := b.Close(p, closing, request.Now)
				if err != nil {
					return change.Outcome{}, err
				}

				caused.Add(one)
			}

			return outcomeOf(request, "settle", "payout_batch", id(n), caused)
		},
	)
}

// wantBatch checks the n-th batch: status, open and all payouts, total and version. It returns the
// batch.
func (w World) wantBatch(t *testing.T, n int, want string) (found batch.Snapshot) {
	t.Helper()

	err := w.Batches.Update(
		t.Context(),
		by("reader"),
		id(n),
		func(b *batch.Batch) (change.Outcome, error) {
			found = b.Snapshot()
			return change.Outcome{}, errStop
		},
	)

	got := fmt.Sprintf(
		"%s %d/%d %s v%d", found.Status, found.Open, found.Count, found.Total.Minor(), found.Version,
	)
	if !errors.Is(err, errStop) || got != want {
		t.Errorf("batch %d: %s, %v; want %s", n, got, err, want)
	}

	return found
}

// wantJoined checks which payouts are in the n-th batch; 0 means in none.
func (w World) wantJoined(t *testing.T, n int, payouts ...int) {
	t.Helper()

	want := id(n)
	if n == 0 {
		want = ""
	}

	for _, p := range payouts {
		if got := w.payout(t, id(p)).BatchID; got != want {
			t.Errorf("payout %d is in %q, want %q", p, got, want)
		}
	}
}
