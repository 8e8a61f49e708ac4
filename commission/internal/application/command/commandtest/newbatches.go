package commandtest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
)

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
