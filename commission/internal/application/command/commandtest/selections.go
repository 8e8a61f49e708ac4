package commandtest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
)

// selection returns the selection of an action on everything that the filter matches.
func selection(action commission.Action, filter query.CommissionFilter) command.Selection {
	owner, _ := query.Everything().OwnerOf(filter.UserID) // sees everything

	return command.Selection{
		Action: action,
		Filter: filter,
		Owner:  owner,
		Limit:  100,
	}
}

// actOnAll acts on the commissions of the selection.
func (w World) actOnAll(
	ctx context.Context,
	request change.Request,
	s command.Selection,
) error {
	return w.Commissions.UpdateSelected(
		ctx,
		request,
		s,
		func(selected []commission.Commission) (change.Outcome, error) {
			outcome, err := request.Outcome(change.Record{}, effect.Effect{}, "made")

			for i := range selected {
				caused, err := selected[i].Act(s.Action, request.Reason, request.Now)
				if err != nil {
					return change.Outcome{}, err
				}

				outcome.Effect.Add(caused)
				outcome.More = append(outcome.More, request.Completed(change.Record{
					Action:      string(s.Action),
					SubjectType: "commission",
					SubjectID:   selected[i].Snapshot().ID,
					Before:      "{}",
					After:       "{}",
				}))
			}

			return outcome, err
		},
	)
}

// wantSelected checks which commissions a selection has, in the order of id.
func (w World) wantSelected(t *testing.T, name string, s command.Selection, want ...string) {
	t.Helper()

	selected, err := w.Commissions.Selected(t.Context(), s)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}

	var ids []string
	for i := range selected {
		ids = append(ids, selected[i].Snapshot().ID)
	}

	if !slices.Equal(ids, want) {
		t.Errorf("%s: %q, want %q", name, ids, want)
	}
}

func selections(t *testing.T, w World) {
	var earned [4]string
	for i, event := range []string{"e1", "e2", "e3", "e4"} {
		c := w.Earn(t, "u", event)
		earned[i] = c.ID

		if i == 0 {
			w.TakeBack(t, c)
		}
	}

	other := w.Earn(t, "v", "e5").ID

	for i, action := range map[int]commission.Action{
		1: commission.Hold,
		2: commission.Approve,
		3: commission.Reject,
	} {
		if err := w.act(t.Context(), by("operator"), earned[i], action); err != nil {
			t.Fatal(err)
		}
	}

	none := query.CommissionFilter{}
	ofUser := query.CommissionFilter{UserID: "u"}
	clawbacks := query.CommissionFilter{Kind: "clawback"}
	later := query.CommissionFilter{OccurredFrom: noon().AddDate(1, 0, 0)}
	approved := query.CommissionFilter{Status: "approved"}
	held := query.CommissionFilter{Status: "held"}
	limited := selection(commission.Approve, none)
	limited.Limit = 1
	before := selection(commission.Approve, none)
	before.UpTo = earned[3]

	w.wantSelected(t, "approve", selection(commission.Approve, none), earned[0], other)
	w.wantSelected(t, "hold", selection(commission.Hold, none), earned[0], other)
	w.wantSelected(t, "release", selection(commission.Release, none), earned[1])
	w.wantSelected(t, "reject", selection(commission.Reject, none), earned[0], earned[1], other)
	w.wantSelected(t, "reject held", selection(commission.Reject, held), earned[1])
	w.wantSelected(t, "of a user", selection(commission.Approve, ofUser), earned[0])
	w.wantSelected(t, "clawbacks", selection(commission.Approve, clawbacks))
	w.wantSelected(t, "later", selection(commission.Approve, later))
	w.wantSelected(t, "not of the action", selection(commission.Approve, approved))
	w.wantSelected(t, "limited", limited, other)
	w.wantSelected(t, "up to", before, earned[0])

	selected, err := w.Commissions.Selected(t.Context(), selection(commission.Approve, ofUser))
	if err != nil || len(selected) != 1 || selected[0].Net() != 500 ||
		len(selected[0].Followers()) != 1 {
		t.Errorf("%v, %v", selected, err)
	}
}

func selectedChanges(t *testing.T, w World) {
	first, second := w.Earn(t, "u", "e1"), w.Earn(t, "v", "e2")
	w.TakeBack(t, first)

	everything := selection(commission.Approve, query.CommissionFilter{})
	made := func() int {
		w.wantFunds(t, "v", "1000")
		c := w.commission(t, first.ID)

		return c.Snapshot().Version - 1
	}

	checkKeys(t, func(request change.Request) error {
		return w.actOnAll(t.Context(), request, everything)
	}, made)

	w.wantFunds(t, "u", "500")

	for _, id := range []string{first.ID, second.ID} {
		w.checkRecord(t, "approve", id)
	}
}

func selectionErrors(t *testing.T, w World) {
	earned := w.Earn(t, "u", "e1")

	err := w.Commissions.UpdateSelected(
		t.Context(),
		by("operator"),
		selection(commission.Reject, query.CommissionFilter{}),
		func(selected []commission.Commission) (change.Outcome, error) {
			if _, err := selected[0].Act(commission.Reject, "checked", noon()); err != nil {
				t.Error(err)
			}

			return change.Outcome{}, errStop
		},
	)

	c := w.commission(t, earned.ID)
	if !errors.Is(err, errStop) || c.Snapshot() != earned {
		t.Errorf("%v, %+v", err, c.Snapshot())
	}
}
