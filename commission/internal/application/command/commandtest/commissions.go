package commandtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
)

func (w World) act(
	ctx context.Context,
	request change.Request,
	id string,
	action commission.Action,
) error {
	return w.Commissions.Update(
		ctx,
		request,
		id,
		func(c *commission.Commission) (change.Outcome, error) {
			caused, err := c.Act(action, request.Reason, request.Now)
			if err != nil {
				return change.Outcome{}, err
			}

			return outcomeOf(request, string(action), "commission", id, caused)
		},
	)
}

// CommissionsSuite tests the contract of command.Commissions. open returns an empty world.
func CommissionsSuite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"an adjustment is stored":               adjustments,
		"a key adds a commission once":          adjustmentKeys,
		"a commission and its followers change": families,
		"an error stores nothing":               commissionErrors,
		"a key changes a commission once":       commissionKeys,
		"an unknown commission is not found":    unknownCommissions,
		"what is due is found":                  dueCommissions,
		"an error approves nothing":             dueErrors,
		"a change of a commission is audited":   commissionRecords,
		"a selection has what the action moves": selections,
		"a key changes a selection once":        selectedChanges,
		"an error changes no selection":         selectionErrors,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func adjustments(t *testing.T, w World) {
	if err := w.adjust(t.Context(), by("operator"), 1, "u", 70); err != nil {
		t.Fatal(err)
	}

	stored := w.commission(t, id(1))
	if s := stored.Snapshot(); s.UserID != "u" || s.Amount != usd(70) || !s.ByOperator() ||
		s.Status != commission.Approved || s.Reason != "goodwill" || s.MadeBy != "operator" ||
		!s.CreatedAt.Equal(noon()) || s.Version != 1 {
		t.Errorf("%+v", s)
	}

	w.wantFunds(t, "u", "70")
	w.checkRecord(t, "adjust", id(1))
}

func adjustmentKeys(t *testing.T, w World) {
	n := 0

	checkKeys(
		t,
		func(request change.Request) error {
			n++
			return w.adjust(t.Context(), request, n, "u", 70)
		},
		func() int {
			w.wantFunds(t, "u", "70")
			return 1
		},
	)
}

// The followers go where the commission goes, with their money.
func families(t *testing.T, w World) {
	earned := w.Earn(t, "u", "e1")
	if earned.Status != commission.Pending || earned.Amount != usd(1000) || earned.Version != 1 {
		t.Fatalf("the world is wrong: %+v", earned)
	}

	w.TakeBack(t, earned)
	w.wantFunds(t, "u", "0")

	version := earned.Version

	for _, step := range []struct {
		action commission.Action
		status commission.Status
		funds  string
	}{
		{commission.Hold, commission.Held, "0"},
		{commission.Release, commission.Pending, "0"},
		{commission.Approve, commission.Approved, "500"},
	} {
		if err := w.act(t.Context(), by("operator"), earned.ID, step.action); err != nil {
			t.Fatalf("%s: %v", step.action, err)
		}

		version++

		c := w.commission(t, earned.ID)
		if s := c.Snapshot(); s.Status != step.status || s.Version != version || s.Reason != "checked" ||
			c.Net() != 500 {
			t.Errorf("%s: %+v, net %d", step.action, s, c.Net())
		}

		w.wantFunds(t, "u", step.funds)
	}
}

func commissionErrors(t *testing.T, w World) {
	earned := w.Earn(t, "u", "e1")
	before := w.commission(t, earned.ID)

	err := w.Commissions.Update(
		t.Context(),
		keyed("operator", 1),
		earned.ID,
		func(c *commission.Commission) (change.Outcome, error) {
			if _, err := c.Act(commission.Approve, "checked", noon()); err != nil {
				t.Error(err)
			}

			return change.Outcome{}, errStop
		},
	)

	after := w.commission(t, earned.ID)
	if !errors.Is(err, errStop) || after.Snapshot() != before.Snapshot() {
		t.Errorf("%v, %+v", err, after.Snapshot())
	}

	w.wantFunds(t, "u", "0")

	// nor was the key used
	if err := w.act(
		t.Context(),
		keyed("operator", 2),
		earned.ID,
		commission.Approve,
	); err != nil {
		t.Error(err)
	}
}

func commissionKeys(t *testing.T, w World) {
	earned := w.Earn(t, "u", "e1")

	checkKeys(
		t,
		func(request change.Request) error {
			return w.act(t.Context(), request, earned.ID, commission.Hold)
		},
		func() int {
			c := w.commission(t, earned.ID)
			return c.Snapshot().Version - 1
		},
	)
}

func unknownCommissions(t *testing.T, w World) {
	for _, unknown := range []string{id(1), "x", ""} {
		err := w.Commissions.Update(
			t.Context(),
			by("operator"),
			unknown,
			func(*commission.Commission) (change.Outcome, error) {
				t.Errorf("%q is found", unknown)
				return change.Outcome{}, errStop
			},
		)
		if !errors.Is(err, commission.ErrNotFound) {
			t.Errorf("%q: %v", unknown, err)
		}
	}
}

func commissionRecords(t *testing.T, w World) {
	earned := w.Earn(t, "u", "e1")
	if err := w.act(t.Context(), by("operator"), earned.ID, commission.Reject); err != nil {
		t.Fatal(err)
	}

	w.checkRecord(t, "reject", earned.ID)
}

// due approves at most limit commissions that are due at the time.
func (w World) due(ctx context.Context, now time.Time, limit int) (int, error) {
	return w.Commissions.UpdateDue(
		ctx,
		now,
		limit,
		func(c *commission.Commission) (effect.Effect, error) {
			caused, _, err := c.Mature(now)
			return caused, err
		},
	)
}

func dueCommissions(t *testing.T, w World) {
	var earned [4]commission.Snapshot
	for i, event := range []string{"e1", "e2", "e3", "e4"} {
		earned[i] = w.Earn(t, "u", event)
	}

	w.TakeBack(t, earned[0])

	if err := w.act(t.Context(), by("operator"), earned[3].ID, commission.Hold); err != nil {
		t.Fatal(err)
	}

	end := earned[0].AvailableAt
	for _, step := range []struct {
		now   time.Time
		limit int
		found int
	}{
		{end.Add(-time.Microsecond), 10, 0},
		{end, 2, 2},
		{end, 10, 1}, // not the one that is held
		{end, 10, 0},
	} {
		if found, err := w.due(t.Context(), step.now, step.limit); err != nil || found != step.found {
			t.Errorf("%+v: found %d, %v", step, found, err)
		}
	}

	w.wantFunds(t, "u", "2500")

	for i, want := range []commission.Status{
		commission.Approved, commission.Approved, commission.Approved, commission.Held,
	} {
		c := w.commission(t, earned[i].ID)
		if s := c.Snapshot(); s.Status != want || s.Version != 2 {
			t.Errorf("commission %d: %+v", i, s)
		}
	}
}

func dueErrors(t *testing.T, w World) {
	earned := w.Earn(t, "u", "e1")

	_, err := w.Commissions.UpdateDue(
		t.Context(),
		earned.AvailableAt,
		10,
		func(c *commission.Commission) (effect.Effect, error) {
			if _, matured, err := c.Mature(earned.AvailableAt); !matured || err != nil {
				t.Errorf("%t, %v", matured, err)
			}

			return effect.Effect{}, errStop
		},
	)

	c := w.commission(t, earned.ID)
	if !errors.Is(err, errStop) || c.Snapshot().Status != commission.Pending {
		t.Errorf("%v, %+v", err, c.Snapshot())
	}

	w.wantFunds(t, "u", "0")
}
