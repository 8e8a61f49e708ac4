package commandtest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
)

func (w World) request(
	ctx context.Context,
	n int,
	user string,
	minor int64,
) (made payout.Snapshot, known bool, available string, err error) {
	wanted := payout.Wanted{
		ID:          id(n),
		UserID:      user,
		Amount:      usd(minor),
		Method:      "paypal",
		Details:     `{"email":"u@example.com"}`,
		RequestedAt: noon(),
	}
	made, known, err = w.Payouts.Create(
		ctx,
		wanted,
		noon(),
		func(funds ledger.Funds) (payout.Payout, effect.Effect, error) {
			available = funds.Available().Minor()
			return payout.Request(wanted, funds, noon())
		},
	)

	return made, known, available, err
}

func (w World) close(ctx context.Context, request change.Request, n int, to payout.Status) error {
	return w.Payouts.Update(
		ctx,
		request,
		id(n),
		func(p *payout.Payout, b *batch.Batch) (change.Outcome, error) {
			caused, err := b.Close(p, payout.Closing{To: to, Reason: request.Reason}, request.Now)
			if err != nil {
				return change.Outcome{}, err
			}

			return outcomeOf(request, string(to), "payout", id(n), caused)
		},
	)
}

// PayoutsSuite tests the contract of command.Payouts. open returns an empty world.
func PayoutsSuite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"a payout takes from the funds":          fundsAreTaken,
		"a payout that fails releases its funds": fundsAreReleased,
		"a known id creates nothing":             knownIDs,
		"an error stores nothing":                payoutErrors,
		"a key changes a payout once":            payoutKeys,
		"concurrent payouts never overdraw":      noOverdraft,
		"an unknown payout is not found":         unknownPayouts,
		"another request with the id is noted":   conflicts,
		"a change of a payout is in the audit":   payoutRecords,
		"the funds of a user are their own one":  ownFunds,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// wantFunds checks what the next payout of the user is passed, without creating one.
func (w World) wantFunds(t *testing.T, user, want string) {
	t.Helper()

	_, _, err := w.Payouts.Create(
		t.Context(),
		payout.Wanted{ID: id(999), UserID: user, Amount: usd(1)},
		noon(),
		func(funds ledger.Funds) (payout.Payout, effect.Effect, error) {
			if got := funds.Available().Minor(); got != want {
				t.Errorf("%s has %s, want %s", user, got, want)
			}

			return payout.Payout{}, effect.Effect{}, errStop
		},
	)
	if !errors.Is(err, errStop) {
		t.Errorf("the error of fn became %v", err)
	}
}

func fundsAreTaken(t *testing.T, w World) {
	w.wantFunds(t, "u", "0")
	w.fund(t, 1, "u", 100)
	w.fund(t, 2, "u", -20)

	made, known, available, err := w.request(t.Context(), 3, "u", 60)
	if err != nil || known || available != "80" || made.Status != payout.Requested ||
		w.payout(t, id(3)) != made {
		t.Errorf("%+v of %s, %t, %v", made, available, known, err)
	}

	w.wantFunds(t, "u", "20")

	made, _, _, err = w.request(t.Context(), 4, "u", 21)
	if err != nil || made.Status != payout.Rejected || w.payout(t, id(4)) != made {
		t.Errorf("more than there is: %+v, %v", made, err)
	}

	w.wantFunds(t, "u", "20")
}

func fundsAreReleased(t *testing.T, w World) {
	w.fund(t, 1, "u", 100)

	for n, to := range []payout.Status{payout.Failed, payout.Cancelled, payout.Completed} {
		if _, _, available, err := w.request(t.Context(), 2+n, "u", 60); err != nil || available != "100" {
			t.Fatalf("before it is %s: %s, %v", to, available, err)
		}

		w.wantFunds(t, "u", "40")

		if err := w.close(t.Context(), by("operator"), 2+n, to); err != nil ||
			w.payout(t, id(2+n)).Status != to || w.payout(t, id(2+n)).Version != 2 {
			t.Fatalf("%s: %v, %+v", to, err, w.payout(t, id(2+n)))
		}
	}

	w.wantFunds(t, "u", "40")
}

func ownFunds(t *testing.T, w World) {
	w.fund(t, 1, "u", 100)
	w.fund(t, 2, "v", 10)

	if _, _, _, err := w.request(t.Context(), 3, "v", 10); err != nil {
		t.Fatal(err)
	}

	w.wantFunds(t, "u", "100")
	w.wantFunds(t, "v", "0")
}

func knownIDs(t *testing.T, w World) {
	w.fund(t, 1, "u", 100)

	first, _, _, err := w.request(t.Context(), 2, "u", 60)
	if err != nil {
		t.Fatal(err)
	}

	again, known, available, err := w.request(t.Context(), 2, "u", 60)
	if err != nil || !known || available != "" || again != first {
		t.Errorf("again: %+v, %t, passed %q, %v", again, known, available, err)
	}

	w.wantFunds(t, "u", "40")
}

func conflicts(t *testing.T, w World) {
	wanted := payout.Wanted{
		ID:          id(1),
		UserID:      "u",
		Amount:      usd(5),
		Method:      "paypal",
		Details:     "{}",
		RequestedAt: noon(),
	}
	create := func(hash string, at time.Time) payout.Snapshot {
		wanted.RequestHash = hash
		wanted.RequestedAt = at

		made, _, err := w.Payouts.Create(
			t.Context(),
			wanted,
			at,
			func(funds ledger.Funds) (payout.Payout, effect.Effect, error) {
				return payout.Request(wanted, funds, at)
			},
		)
		if err != nil {
			t.Fatal(err)
		}

		return made
	}

	const first, other = "aa", "bb"

	create(first, noon())

	if same := create(first, noon()); same.Version != 1 || !same.ConflictedAt.IsZero() {
		t.Errorf("the same request: %+v", same)
	}

	later := noon().Add(time.Minute)
	for range 2 { // only the first is noted
		if noted := create(other, later); noted.Version != 2 ||
			!noted.ConflictedAt.Equal(noon().Add(time.Minute)) ||
			!noted.UpdatedAt.Equal(noted.ConflictedAt) || !noted.CreatedAt.Equal(noon()) ||
			w.payout(t, id(1)) != noted {
			t.Errorf("another request: %+v", noted)
		}

		later = later.Add(time.Minute)
	}
}

func payoutErrors(t *testing.T, w World) {
	w.fund(t, 1, "u", 100)
	w.wantFunds(t, "u", "100") // its function fails

	if _, known, _, err := w.request(t.Context(), 999, "u", 60); known || err != nil {
		t.Errorf("after a failed creation: %t, %v", known, err)
	}

	before := w.payout(t, id(999))

	err := w.Payouts.Update(
		t.Context(),
		keyed("operator", 1),
		id(999),
		func(p *payout.Payout, b *batch.Batch) (change.Outcome, error) {
			closing := payout.Closing{To: payout.Failed, Reason: "broken"}
			if _, err := b.Close(p, closing, noon()); err != nil {
				t.Error(err)
			}

			return change.Outcome{}, errStop
		},
	)
	if !errors.Is(err, errStop) || w.payout(t, id(999)) != before {
		t.Errorf("%v, %+v", err, w.payout(t, id(999)))
	}

	w.wantFundsAfter(t)

	// nor was the key used
	if err := w.close(t.Context(), keyed("operator", 2), 999, payout.Completed); err != nil {
		t.Error(err)
	}
}

// wantFundsAfter checks that the payout of 60 of 100 still holds its money.
func (w World) wantFundsAfter(t *testing.T) {
	t.Helper()

	made, _, available, err := w.request(t.Context(), 998, "u", 41)
	if err != nil || available != "40" || made.Status != payout.Rejected {
		t.Errorf("%+v of %s, %v", made, available, err)
	}
}

func payoutKeys(t *testing.T, w World) {
	w.fund(t, 1, "u", 100)

	if _, _, _, err := w.request(t.Context(), 2, "u", 60); err != nil {
		t.Fatal(err)
	}

	checkKeys(
		t,
		func(request change.Request) error {
			return w.close(t.Context(), request, 2, payout.Failed)
		},
		func() int { return w.payout(t, id(2)).Version - 1 },
	)
}

func payoutRecords(t *testing.T, w World) {
	w.fund(t, 1, "u", 100)

	if _, _, _, err := w.request(t.Context(), 2, "u", 60); err != nil {
		t.Fatal(err)
	}

	if err := w.close(t.Context(), by("operator"), 2, payout.Completed); err != nil {
		t.Fatal(err)
	}

	w.checkRecord(t, "completed", id(2))
}

func unknownPayouts(t *testing.T, w World) {
	for _, unknown := range []string{id(1), "x", ""} {
		err := w.Payouts.Update(
			t.Context(),
			by("operator"),
			unknown,
			func(*payout.Payout, *batch.Batch) (change.Outcome, error) {
				t.Errorf("%q is found", unknown)
				return change.Outcome{}, errStop
			},
		)
		if !errors.Is(err, payout.ErrNotFound) {
			t.Errorf("%q: %v", unknown, err)
		}
	}
}

func noOverdraft(t *testing.T, w World) {
	w.fund(t, 1, "u", 100)

	var (
		callers sync.WaitGroup
		mu      sync.Mutex
		paid    int
	)

	for n := range 8 {
		callers.Go(func() {
			made, _, _, err := w.request(t.Context(), 2+n, "u", 30)

			mu.Lock()
			defer mu.Unlock()

			if err != nil {
				t.Error(err)
			}

			if made.Status == payout.Requested {
				paid++
			}
		})
	}

	callers.Wait()

	if paid != 3 {
		t.Errorf("%d payouts of 30 are requested of 100", paid)
	}

	w.wantFunds(t, "u", "10")
}
