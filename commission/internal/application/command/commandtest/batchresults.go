package commandtest

import (
	"errors"
	"testing"

	"tributary/commission/internal/domain/payout"
)

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
