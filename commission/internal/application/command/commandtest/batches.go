package commandtest

import (
	"errors"
	"slices"
	"testing"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
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
