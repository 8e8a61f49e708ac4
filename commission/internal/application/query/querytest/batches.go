package querytest

import (
	"errors"
	"testing"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/batch"
	"tributary/platform/money"
)

func (w World) wantBatches(t *testing.T, what string, filter query.BatchFilter, want ...int) {
	t.Helper()
	wantPages(t, "batches "+what, func(limit int, after *batch.Snapshot) ([]batch.Snapshot, error) {
		var position query.Position
		if after != nil {
			position = query.Position{At: after.MadeAt, ID: after.ID}
		}

		return w.Batch.Batches(t.Context(), filter, limit, position)
	}, func(b batch.Snapshot) string { return b.ID }, ids(want)...)
}

func batches(t *testing.T, w World) {
	w.asked(t)

	for n, at := range []int{30, 32, 31, 31} {
		create := command.NewCreateBatch(w.Batches, func() string { return id(51 + n) }, false)
		if _, err := create.Handle(t.Context(), by("maker", minute(at)), batch.Wanted{
			Currency: money.USD(),
			Method:   "paypal",
			Cutoff:   minute(30),
			Limit:    1,
		}); err != nil {
			t.Fatal(err)
		}
	}

	if _, err := command.NewApproveBatch(w.Batches, false).Handle(
		t.Context(), by("second", minute(40)), command.BatchAction{ID: id(53)},
	); err != nil {
		t.Fatal(err)
	}

	w.wantBatches(t, "of all", query.BatchFilter{}, 52, 54, 53, 51)
	w.wantBatches(t, "that are approved", query.BatchFilter{Status: "approved"}, 53)
	w.wantBatches(
		t, "of a minute", query.BatchFilter{CreatedFrom: minute(31), CreatedTo: minute(32)}, 54, 53,
	)

	w.wantPayouts(t, "of a batch", everyone(), query.PayoutFilter{BatchID: id(51)}, 24)
	w.wantPayouts(t, "of u, of a batch", only("u"), query.PayoutFilter{BatchID: id(51)})

	found, err := w.Batch.Batch(t.Context(), id(53))
	if err != nil || found.Status != batch.Approved || found.Count != 1 || found.MadeBy != "maker" ||
		found.ApprovedBy != "second" {
		t.Errorf("%+v, %v", found, err)
	}

	for _, unknown := range []string{id(99), "x", ""} {
		if _, err := w.Batch.Batch(t.Context(), unknown); !errors.Is(err, batch.ErrNotFound) {
			t.Errorf("batch %q: %v", unknown, err)
		}
	}
}
