package commission_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

func usd(minor int64) money.Amount { return money.FromMinor(minor, money.USD()) }

// stored returns a commission of 100 in the role.
func stored(role commission.Role, status commission.Status) commission.Snapshot {
	s := commission.Snapshot{
		ID:          "c",
		EventID:     "e",
		UserID:      "u",
		Kind:        commission.Adjustment,
		Status:      status,
		Base:        usd(1000),
		Amount:      usd(100),
		AvailableAt: noon(),
		OccurredAt:  noon(),
		CreatedAt:   noon(),
		Version:     3,
	}

	switch role {
	case commission.Earned:
		s.Kind = commission.Earning
	case commission.ByHand:
		s.EventID = ""
	case commission.Following:
		s.ReversesID = "root"
	case commission.Granted:
	}

	return s
}

// follower returns a clawback of the commission.
func follower(id string, minor int64, status commission.Status) commission.Snapshot {
	return commission.Snapshot{
		ID:         id,
		EventID:    "of-" + id,
		UserID:     "u",
		Kind:       commission.Clawback,
		Status:     status,
		Amount:     usd(minor),
		ReversesID: "c",
		Version:    1,
	}
}

func actions() map[commission.Action]commission.Status {
	return map[commission.Action]commission.Status{
		commission.Approve: commission.Approved,
		commission.Hold:    commission.Held,
		commission.Release: commission.Pending,
		commission.Reject:  commission.Rejected,
	}
}

// Every action on every status of every role is tried; only those of the table are allowed, and
// none on what follows another commission.
func TestActions(t *testing.T) {
	t.Parallel()

	for _, role := range commission.Roles() {
		for _, from := range commission.Statuses() {
			for action, to := range actions() {
				name := fmt.Sprintf("%s %s, %s", from, role, action)
				c := commission.Restore(stored(role, from))
				caused, err := c.Act(action, "checked", noon())

				want, listed := listed(role, from, to)
				if role == commission.Following || !listed {
					refused(t, name, c, err)
					continue
				}

				s := c.Snapshot()
				if err != nil || s.Status != to || s.Version != 4 || s.Reason != "checked" ||
					!slices.Equal(c.Moved(), []commission.Snapshot{s}) {
					t.Errorf("%s: %+v moved %+v, %v", name, s, c.Moved(), err)
				}

				said(t, name, caused, fact(want.Fact, s, from))
			}
		}
	}
}

func listed(role commission.Role, from, to commission.Status) (commission.Transition, bool) {
	all := commission.Transitions()
	i := slices.IndexFunc(all, func(x commission.Transition) bool {
		return x.From == from && x.To == to && slices.Contains(x.Roles, role)
	})

	if i < 0 {
		return commission.Transition{}, false
	}

	return all[i], true
}

func refused(t *testing.T, name string, c commission.Commission, err error) {
	t.Helper()

	if !errors.Is(err, effect.ErrTransition) || c.Snapshot().Version != 3 || len(c.Moved()) > 0 {
		t.Errorf("%s: %+v, %v", name, c, err)
	}
}

func fact(kind effect.Type, after commission.Snapshot, from commission.Status) effect.Fact {
	return effect.Fact{
		Type:            kind,
		SubjectID:       after.ID,
		UserID:          after.UserID,
		Status:          string(after.Status),
		Version:         after.Version,
		PreviousStatus:  string(from),
		PreviousVersion: after.Version - 1,
	}
}

func said(t *testing.T, name string, caused effect.Effect, want ...effect.Fact) {
	t.Helper()

	if !slices.Equal(caused.Facts, want) {
		t.Errorf("%s says %+v, want %+v", name, caused.Facts, want)
	}
}

// moves is what the transfers of the effect do, in their order.
func moves(caused effect.Effect) []string {
	var out []string
	for _, m := range caused.Transfers {
		out = append(out, fmt.Sprintf(
			"%s: %d %s to %s",
			m.CommissionID(),
			m.Amount().Minor(),
			m.From(),
			m.To(),
		))
	}

	return out
}

func moved(t *testing.T, name string, caused effect.Effect, want ...string) {
	t.Helper()

	if got := moves(caused); !slices.Equal(got, want) {
		t.Errorf("%s moves %q, want %q", name, got, want)
	}
}

func TestMoneyGoesWithTheStatusAndPendingFollowersWithIt(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		from   commission.Status
		action commission.Action
		fate   commission.Status // of the pending follower
		moves  []string
	}{
		"approve": {
			commission.Pending, commission.Approve, commission.Approved,
			[]string{"c: 100 pending to available", "p: 30 available to pending"},
		},
		"reject": {
			commission.Pending, commission.Reject, commission.Rejected,
			[]string{"c: 100 pending to programme", "p: 30 programme to pending"},
		},
		"reject a held one": {
			commission.Held, commission.Reject, commission.Rejected,
			[]string{"c: 100 pending to programme", "p: 30 programme to pending"},
		},
		"hold":    {commission.Pending, commission.Hold, commission.Pending, nil},
		"release": {commission.Held, commission.Release, commission.Pending, nil},
	} {
		original := commission.Restore(
			stored(commission.Earned, c.from),
			follower("p", -30, commission.Pending),
			follower("a", -5, commission.Approved),
		)

		caused, err := original.Act(c.action, "checked", noon())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}

		moved(t, name, caused, c.moves...)

		if c.fate == commission.Pending {
			if len(original.Moved()) != 1 || len(caused.Facts) != 1 {
				t.Errorf("%s: a follower moved: %+v, %+v", name, original.Moved(), caused.Facts)
			}

			continue
		}

		if got := original.Moved(); len(got) != 2 || got[0].ID != "c" || got[1].ID != "p" ||
			got[1].Status != c.fate || got[1].Version != 2 || got[1].Reason != "" {
			t.Errorf("%s: moved %+v", name, got)
		}

		if len(caused.Facts) != 2 || caused.Facts[0].SubjectID != "c" ||
			caused.Facts[1].SubjectID != "p" {
			t.Errorf("%s: says %+v", name, caused.Facts)
		}
	}
}

func TestTheClockApprovesWhatIsDueAndNothingElse(t *testing.T) {
	t.Parallel()

	for _, role := range commission.Roles() {
		for _, status := range commission.Statuses() {
			for _, late := range []time.Duration{-time.Microsecond, 0, time.Hour} {
				c := commission.Restore(stored(role, status))
				caused, matured, err := c.Mature(noon().Add(late))

				alone := role == commission.Earned || role == commission.Granted
				due := alone && status == commission.Pending && late >= 0

				if err != nil || matured != due || (c.Snapshot().Version == 4) != due ||
					(len(caused.Facts) == 1) != due {
					t.Errorf("%s %s, %v late: %v, %+v, %v", status, role, late, matured, caused, err)
				}

				if due {
					moved(t, "due", caused, "c: 100 pending to available")
				}
			}
		}
	}
}

func TestNetIsWhatFollowersLeave(t *testing.T) {
	t.Parallel()

	c := commission.Restore(
		stored(commission.Earned, commission.Approved),
		follower("a", -30, commission.Approved),
		follower("b", 10, commission.Approved),
	)
	if got := c.Net(); got != 80 {
		t.Errorf("net %d", got)
	}
}

// The account of every status is one to which the ledger knows a path.
func TestEveryTransitionHasAPathInTheLedger(t *testing.T) {
	t.Parallel()

	for _, x := range commission.Transitions() {
		path := ledger.Path{From: x.From.Account(), To: x.To.Account()}
		if x.To != commission.Reversed && path.From != path.To &&
			!slices.Contains(ledger.CommissionPaths(), path) {
			t.Errorf("%s to %s: no path from %s to %s", x.From, x.To, path.From, path.To)
		}
	}
}
