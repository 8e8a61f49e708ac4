package payout_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
	"tributary/platform/money"
)

func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

func usd(minor int64) money.Amount { return money.FromMinor(minor, money.USD()) }

func wanted(minor int64) payout.Wanted {
	return payout.Wanted{ID: "p", UserID: "u", Amount: usd(minor), Method: "paypal", Details: "{}"}
}

// funds are those of a user who has the minor units available, after debits of 10.
func funds(minor int64) ledger.Funds {
	interval := func(side ledger.Side, to int64) []ledger.Interval {
		return []ledger.Interval{{
			Side: side,
			From: money.TotalOf(0, money.USD()),
			To:   money.TotalOf(to, money.USD()),
		}}
	}

	return ledger.Funds{
		Credits: interval(ledger.Credit, minor+10),
		Debits:  interval(ledger.Debit, 10),
	}
}

func TestARequestIsCoveredOrRejected(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		minor, available int64
		refusal          string
		status           payout.Status
		reason           string
	}{
		"covered":            {100, 101, "", payout.Requested, ""},
		"covered to a cent":  {100, 100, "", payout.Requested, ""},
		"a cent short":       {101, 100, "", payout.Rejected, payout.ReasonBalance},
		"nothing available":  {1, 0, "", payout.Rejected, payout.ReasonBalance},
		"in debt":            {1, -5, "", payout.Rejected, payout.ReasonBalance},
		"refused, though ok": {1, 5, payout.ReasonUnverified, payout.Rejected, payout.ReasonUnverified},
	} {
		in := wanted(c.minor)
		in.Refusal = c.refusal

		p, out, err := payout.Request(in, funds(c.available), noon())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}

		s := p.Snapshot()
		if s.Status != c.status || s.Reason != c.reason || s.Version != 1 {
			t.Errorf("%s: %+v", name, s)
		}

		if closed := s.Status == payout.Rejected; closed != s.ClosedAt.Equal(noon()) ||
			closed == (len(out.Transfers) == 1) || closed == (len(out.Taken) == 2) {
			t.Errorf("%s: closed at %v with %+v", name, s.ClosedAt, out)
		}
	}
}

func TestAnAmountIsPositive(t *testing.T) {
	t.Parallel()

	for _, minor := range []int64{0, -1} {
		if _, _, err := payout.Request(wanted(minor), funds(100), noon()); !errors.Is(err, fault.ErrValidation) {
			t.Errorf("%d: %v", minor, err)
		}
	}
}

// Every pair of states is tried; only those of the table are allowed.
func TestTransitions(t *testing.T) {
	t.Parallel()

	for _, from := range payout.Statuses() {
		for _, to := range payout.Statuses() {
			p := payout.Restore(payout.Snapshot{
				ID:      "p",
				UserID:  "u",
				Amount:  usd(100),
				Status:  from,
				Version: 3,
			})
			out, err := p.Close(payout.Closing{To: to, Reason: "bank 4711"}, noon())

			i := slices.IndexFunc(payout.Transitions(), func(t payout.Transition) bool {
				return t.From == from && t.To == to
			})
			if i < 0 {
				if !errors.Is(err, effect.ErrTransition) || p.Snapshot().Status != from {
					t.Errorf("%s to %s: %v", from, to, err)
				}

				continue
			}

			want := payout.Transitions()[i]

			s := p.Snapshot()
			if err != nil || s.Status != to || s.Version != 4 || s.Reason != "bank 4711" ||
				!s.ClosedAt.Equal(noon()) {
				t.Errorf("%s to %s: %+v, %v", from, to, s, err)
			}

			if len(out.Transfers) != 1 || out.Transfers[0].From() != ledger.InPayout ||
				out.Transfers[0].To() != want.Account {
				t.Errorf("%s to %s moves %+v", from, to, out.Transfers)
			}

			fact := effect.Fact{
				Type:            want.Fact,
				SubjectID:       "p",
				UserID:          "u",
				Status:          string(to),
				Version:         4,
				PreviousStatus:  string(from),
				PreviousVersion: 3,
			}
			if !slices.Equal(out.Facts, []effect.Fact{fact}) {
				t.Errorf("%s to %s says %+v", from, to, out.Facts)
			}
		}
	}
}

func TestOnlyARequestedPayoutJoinsABatch(t *testing.T) {
	t.Parallel()

	for _, status := range payout.Statuses() {
		p := payout.Restore(payout.Snapshot{ID: "p", UserID: "u", Status: status, Version: 3})

		caused, err := p.Join("b", noon())
		if status != payout.Requested {
			if !errors.Is(err, effect.ErrTransition) || p.Snapshot().BatchID != "" || p.Snapshot().Version != 3 {
				t.Errorf("%s: %v, %+v", status, err, p.Snapshot())
			}

			continue
		}

		if err != nil || p.Snapshot().BatchID != "b" || p.Snapshot().Version != 4 ||
			len(caused.Facts) != 1 || caused.Facts[0].Type != effect.PayoutUpdated ||
			caused.Facts[0].PreviousVersion != 3 || len(caused.Transfers) > 0 {
			t.Errorf("%s: %v, %+v, %+v", status, err, p.Snapshot(), caused)
		}

		if _, err := p.Join("c", noon()); !errors.Is(err, payout.ErrInBatch) || p.Snapshot().BatchID != "b" {
			t.Errorf("a second batch: %v, %+v", err, p.Snapshot())
		}
	}
}

func TestAPayoutIsReleasedFromItsBatch(t *testing.T) {
	t.Parallel()

	p := payout.Restore(payout.Snapshot{ID: "p", Status: payout.Requested, BatchID: "b", Version: 3})

	caused := p.Release(noon())
	if s := p.Snapshot(); s.BatchID != "" || s.Version != 4 || s.Status != payout.Requested ||
		len(caused.Facts) != 1 || caused.Facts[0].Type != effect.PayoutUpdated {
		t.Errorf("released: %+v, %+v", s, caused)
	}

	p = payout.Restore(payout.Snapshot{ID: "p", BatchID: "b", Version: 3})
	if p.Leave(); p.Snapshot().BatchID != "" || p.Snapshot().Version != 3 {
		t.Errorf("left: %+v", p.Snapshot())
	}
}

// Hashes are compared only if both exist and were made with the same key.
func TestARequestConflictsWithAnotherOfTheSameKey(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		known, other string
		conflicts    bool
	}{
		"the same":              {"k:aa", "k:aa", false},
		"another":               {"k:aa", "k:bb", true},
		"another without a key": {"aa", "bb", true},
		"of another key":        {"k:aa", "l:bb", false},
		"a key and none":        {"aa", "k:bb", false},
		"unknown":               {"", "k:bb", false},
		"not sent":              {"k:aa", "", false},
	} {
		p := payout.Restore(payout.Snapshot{ID: "p", RequestHash: c.known, Version: 1})
		in := payout.Wanted{ID: "p", RequestHash: c.other, RequestedAt: noon()}

		caused, changed := p.NoteConflict(in, noon())
		if s := p.Snapshot(); changed != c.conflicts || s.ConflictedAt.Equal(noon()) != c.conflicts ||
			(s.Version == 2) != c.conflicts || (len(caused.Facts) == 1) != c.conflicts {
			t.Errorf("%s: %t, %+v", name, changed, s)
		}

		in.RequestedAt = noon().Add(time.Hour)
		if _, again := p.NoteConflict(in, noon()); again {
			t.Errorf("%s: noted twice", name)
		}
	}
}
