package commandtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
)

// BatchesSuite tests the contract of command.Batches. open returns an empty world.
func BatchesSuite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"a batch claims the oldest that are wanted": claims,
		"a payout is claimed once":                  claimedOnce,
		"an error creates no batch":                 createErrors,
		"a key creates a batch once":                createKeys,
		"a cancelled batch releases its payouts":    releases,
		"a payout of a draft leaves it":             leaves,
		"an error changes no batch":                 batchErrors,
		"a key changes a batch once":                batchKeys,
		"a file is added to the batch":              files,
		"results close the payouts with the batch":  results,
		"an error settles nothing":                  resultErrors,
		"an unknown batch is not found":             unknownBatches,
		"a change of a batch is in the audit":       batchRecords,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

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

func claims(t *testing.T, w World) {
	w.asked(t, 11, "maker", "paypal")
	w.asked(t, 13, "v", "paypal")
	w.asked(t, 12, "u", "paypal")
	w.asked(t, 14, "w", "bank_transfer")
	w.asked(t, 15, "x", "paypal")
	w.asked(t, 1, "y", "paypal") // after the cutoff

	if err := w.made(t.Context(), by("maker"), 201, 2); err != nil {
		t.Fatal(err)
	}

	if err := w.made(t.Context(), by("maker"), 202, 2); err != nil {
		t.Fatal(err)
	}

	first := w.wantBatch(t, 201, "draft 2/2 120 v1")
	if first.MadeBy != "maker" || !first.MadeAt.Equal(noon()) || first.Method != "paypal" ||
		first.Reason != "checked" || first.Limit != 2 {
		t.Errorf("%+v", first)
	}

	w.wantBatch(t, 202, "draft 1/1 60 v1")
	w.wantJoined(t, 201, 13, 15)
	w.wantJoined(t, 202, 12)
	w.wantJoined(t, 0, 1, 11, 14)

	if joined := w.payout(t, id(13)); joined.Version != 2 || !joined.UpdatedAt.Equal(noon()) {
		t.Errorf("%+v", joined)
	}

	if err := w.made(t.Context(), by("maker"), 203, 2); !errors.Is(err, batch.ErrEmpty) {
		t.Errorf("nothing is left: %v", err)
	}
}

func claimedOnce(t *testing.T, w World) {
	for n := range 6 {
		w.asked(t, 11+n, fmt.Sprint("u", n), "paypal")
	}

	var callers sync.WaitGroup

	for n := range 4 {
		callers.Go(func() {
			err := w.made(t.Context(), by("maker"), 201+n, 2)
			if err != nil && !errors.Is(err, batch.ErrEmpty) {
				t.Error(err)
			}
		})
	}

	callers.Wait()

	count := map[string]int{}
	for n := range 6 {
		count[w.payout(t, id(11+n)).BatchID]++
	}

	if count[""] > 0 || len(count) != 3 {
		t.Errorf("the payouts by batch: %v", count)
	}
}

func createErrors(t *testing.T, w World) {
	w.asked(t, 11, "u", "paypal")

	err := w.Batches.Create(
		t.Context(),
		keyed("maker", 1),
		batch.Wanted{
			ID:       id(201),
			Currency: usd(1).Currency(),
			Method:   "paypal",
			Cutoff:   noon().Add(50 * time.Second),
			Limit:    1,
			MadeBy:   "maker",
		},
		func(payouts []*payout.Payout) (batch.Batch, change.Outcome, error) {
			if len(payouts) != 1 {
				t.Errorf("%d payouts", len(payouts))
			}

			if _, err := payouts[0].Join(id(201), noon()); err != nil {
				t.Error(err)
			}

			return batch.Batch{}, change.Outcome{}, errStop
		},
	)
	if !errors.Is(err, errStop) {
		t.Errorf("the error of fn became %v", err)
	}

	w.wantJoined(t, 0, 11)

	// nor was the key used
	if err := w.made(t.Context(), keyed("maker", 2), 202, 1); err != nil {
		t.Error(err)
	}
}

func createKeys(t *testing.T, w World) {
	w.asked(t, 11, "u", "paypal")
	w.asked(t, 12, "v", "paypal")

	n := 200

	checkKeys(
		t,
		func(request change.Request) error {
			n++
			return w.made(t.Context(), request, n, 1)
		},
		func() int {
			w.wantJoined(t, 0, 11)
			return w.payout(t, id(12)).Version - 1
		},
	)
}

func releases(t *testing.T, w World) {
	w.asked(t, 11, "u", "paypal")
	w.asked(t, 12, "v", "paypal")

	if err := w.made(t.Context(), by("maker"), 201, 10); err != nil {
		t.Fatal(err)
	}

	if err := w.change(t.Context(), by("operator"), 201, "cancel", func(b *batch.Batch) error {
		if !b.Pays("u") || b.Pays("operator") {
			t.Error("the batch does not know whom it pays")
		}

		return b.Cancel(false, "checked", noon())
	}); err != nil {
		t.Fatal(err)
	}

	w.wantBatch(t, 201, "cancelled 2/2 120 v2")
	w.wantJoined(t, 0, 11, 12)

	if p := w.payout(t, id(11)); p.Version != 3 || p.Status != payout.Requested {
		t.Errorf("%+v", p)
	}

	if err := w.made(t.Context(), by("maker"), 202, 10); err != nil {
		t.Error(err)
	}

	w.wantJoined(t, 202, 11, 12)
}

func leaves(t *testing.T, w World) {
	w.asked(t, 11, "u", "paypal")
	w.asked(t, 12, "v", "paypal")

	if err := w.made(t.Context(), by("maker"), 201, 10); err != nil {
		t.Fatal(err)
	}

	if err := w.close(t.Context(), by("operator"), 11, payout.Failed); err != nil {
		t.Fatal(err)
	}

	w.wantBatch(t, 201, "draft 1/1 60 v2")
	w.wantJoined(t, 0, 11)
	w.wantFunds(t, "u", "100")
}

func batchErrors(t *testing.T, w World) {
	w.asked(t, 11, "u", "paypal")

	if err := w.made(t.Context(), by("maker"), 201, 10); err != nil {
		t.Fatal(err)
	}

	err := w.Batches.Update(
		t.Context(),
		keyed("operator", 1),
		id(201),
		func(b *batch.Batch) (change.Outcome, error) {
			if err := b.Cancel(false, "checked", noon()); err != nil {
				t.Error(err)
			}

			return change.Outcome{}, errStop
		},
	)
	if !errors.Is(err, errStop) {
		t.Errorf("the error of fn became %v", err)
	}

	w.wantBatch(t, 201, "draft 1/1 60 v1")
	w.wantJoined(t, 201, 11)

	// nor was the key used
	if err := w.approve(t.Context(), keyed("operator", 2), 201); err != nil {
		t.Error(err)
	}
}

func batchKeys(t *testing.T, w World) {
	w.asked(t, 11, "u", "paypal")

	if err := w.made(t.Context(), by("maker"), 201, 10); err != nil {
		t.Fatal(err)
	}

	checkKeys(
		t,
		func(request change.Request) error { return w.approve(t.Context(), request, 201) },
		func() int {
			w.wantBatch(t, 201, "approved 1/1 60 v2")
			return 1
		},
	)
}

func files(t *testing.T, w World) {
	w.asked(t, 12, "v", "paypal")
	w.asked(t, 11, "u", "paypal")

	if err := w.made(t.Context(), by("maker"), 201, 10); err != nil {
		t.Fatal(err)
	}

	if err := w.approve(t.Context(), by("operator"), 201); err != nil {
		t.Fatal(err)
	}

	file := batch.File{
		Format: "paypal",
		Digest: [32]byte{1},
		Bytes:  7,
		MadeBy: "operator",
		MadeAt: noon(),
	}
	open := func(failure error) error {
		return w.Batches.Open(
			t.Context(),
			by("operator"),
			id(201),
			func(b *batch.Batch, payouts []payout.Snapshot) (change.Outcome, error) {
				if len(payouts) != 2 || payouts[0].ID != id(12) || payouts[1].ID != id(11) ||
					payouts[0].Details != `{"email":"v@example.com"}` {
					t.Errorf("%+v", payouts)
				}

				if err := b.AddFile(file); err != nil {
					t.Error(err)
				}

				return change.Outcome{}, failure
			},
		)
	}

	if err := open(errStop); !errors.Is(err, errStop) {
		t.Errorf("the error of fn became %v", err)
	}

	if found := w.wantBatch(t, 201, "approved 2/2 120 v2"); len(found.Files) > 0 {
		t.Errorf("after an error: %+v", found.Files)
	}

	for range 2 { // the second time it is there
		if err := open(nil); err != nil {
			t.Error(err)
		}
	}

	found := w.wantBatch(t, 201, "approved 2/2 120 v3")
	if !slices.Equal(found.Files, []batch.File{file}) {
		t.Errorf("%+v", found.Files)
	}
}

func results(t *testing.T, w World) {
	w.asked(t, 11, "u", "paypal")
	w.asked(t, 12, "v", "paypal")

	if err := w.made(t.Context(), by("maker"), 201, 10); err != nil {
		t.Fatal(err)
	}

	w.send(t, 201)

	closed := map[int]payout.Status{11: payout.Completed, 12: payout.Failed}
	if err := w.settle(t.Context(), by("operator"), 201, closed); err != nil {
		t.Fatal(err)
	}

	if found := w.wantBatch(t, 201, "settled 0/2 120 v5"); !found.ClosedAt.Equal(noon()) ||
		found.SentBy != "operator" || found.ApprovedBy != "operator" {
		t.Errorf("%+v", found)
	}

	for n, want := range closed {
		if p := w.payout(t, id(n)); p.Status != want || p.Version != 3 || p.BatchID != id(201) {
			t.Errorf("%+v", p)
		}
	}

	w.wantFunds(t, "u", "40")
	w.wantFunds(t, "v", "100")
}

func resultErrors(t *testing.T, w World) {
	w.asked(t, 11, "u", "paypal")
	w.asked(t, 12, "v", "paypal")

	if err := w.made(t.Context(), by("maker"), 201, 10); err != nil {
		t.Fatal(err)
	}

	w.send(t, 201)

	// one of them could be closed
	closed := map[int]payout.Status{11: payout.Failed, 12: payout.Cancelled}
	if err := w.settle(
		t.Context(), by("operator"), 201, closed,
	); !errors.Is(err, payout.ErrInBatch) {
		t.Errorf("the error of fn became %v", err)
	}

	w.wantBatch(t, 201, "sent 2/2 120 v3")
	w.wantFunds(t, "u", "40")

	if p := w.payout(t, id(11)); p.Status != payout.Requested || p.Version != 2 {
		t.Errorf("%+v", p)
	}
}

func unknownBatches(t *testing.T, w World) {
	for _, unknown := range []string{id(1), "x", ""} {
		for name, err := range map[string]error{
			"Update": w.Batches.Update(
				t.Context(),
				by("operator"),
				unknown,
				func(*batch.Batch) (change.Outcome, error) { return change.Outcome{}, errStop },
			),
			"Open": w.Batches.Open(
				t.Context(),
				by("operator"),
				unknown,
				func(*batch.Batch, []payout.Snapshot) (change.Outcome, error) {
					return change.Outcome{}, errStop
				},
			),
			"Settle": w.Batches.Settle(
				t.Context(),
				by("operator"),
				unknown,
				func(*batch.Batch, []*payout.Payout) (change.Outcome, error) {
					return change.Outcome{}, errStop
				},
			),
		} {
			if !errors.Is(err, batch.ErrNotFound) {
				t.Errorf("%s of %q: %v", name, unknown, err)
			}
		}
	}
}

func batchRecords(t *testing.T, w World) {
	w.asked(t, 11, "u", "paypal")

	if err := w.made(t.Context(), by("operator"), 201, 10); err != nil {
		t.Fatal(err)
	}

	w.send(t, 201)

	closed := map[int]payout.Status{11: payout.Completed}
	if err := w.settle(t.Context(), by("operator"), 201, closed); err != nil {
		t.Fatal(err)
	}

	for _, action := range []string{"make", "approve", "send", "settle"} {
		w.checkRecord(t, action, id(201))
	}
}
