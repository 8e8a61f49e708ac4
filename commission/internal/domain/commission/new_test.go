package commission_test

import (
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

func happened(t *testing.T, id, user string, kind eventtype.Type) event.Event {
	t.Helper()

	e, err := event.New(event.Snapshot{
		ID:         id,
		UserID:     user,
		Type:       kind,
		CampaignID: "campaign-of-" + id,
		ProductID:  "product-of-" + id,
		OrderID:    "order",
		OriginalID: map[bool]string{true: "e"}[kind.Reverses()],
		Amount:     "10",
		OccurredAt: noon().Add(-time.Hour),
		ReceivedAt: noon(),
	})
	if err != nil {
		t.Fatal(err)
	}

	return e
}

// earns returns the decision that the event e of u earns the amount, held until the time.
func earns(t *testing.T, minor int64, until time.Time) decision.Decision {
	t.Helper()

	return decision.Decision{
		Event:       happened(t, "e", "u", eventtype.Purchase),
		Outcome:     decision.Commissioned,
		Rule:        rule.Ref{ID: "r", Version: 2},
		Currency:    money.USD(),
		Base:        usd(1000),
		Amount:      usd(minor),
		AvailableAt: until,
	}
}

// takesBack returns the decision that a refund of e takes the amount back.
func takesBack(t *testing.T, minor int64) decision.Decision {
	t.Helper()

	d := earns(t, -minor, noon())
	d.Event = happened(t, "refund", "u", eventtype.Refund)
	d.Base = usd(10 * minor)
	d.OriginalID = "e"

	return d
}

func origin(id string) commission.Origin {
	return commission.Origin{ID: id, Rate: "0.1", Now: noon()}
}

func TestAnEarningWaitsForItsHoldPeriod(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		until  time.Time
		status commission.Status
		moves  string
	}{
		{noon(), commission.Approved, "c: 100 programme to available"},
		{noon().Add(time.Microsecond), commission.Pending, "c: 100 programme to pending"},
	} {
		made, caused, err := commission.NewEarning(earns(t, 100, c.until), origin("c"))
		if err != nil {
			t.Fatal(err)
		}

		want := commission.Snapshot{
			ID:          "c",
			EventID:     "e",
			UserID:      "u",
			CampaignID:  "campaign-of-e",
			ProductID:   "product-of-e",
			OrderID:     "order",
			EventType:   eventtype.Purchase,
			Kind:        commission.Earning,
			Status:      c.status,
			Base:        usd(1000),
			Rate:        "0.1",
			Amount:      usd(100),
			Rule:        rule.Ref{ID: "r", Version: 2},
			AvailableAt: c.until,
			OccurredAt:  noon().Add(-time.Hour),
			CreatedAt:   noon(),
			UpdatedAt:   noon(),
			Version:     1,
		}
		if made.Snapshot() != want {
			t.Errorf("%+v, want %+v", made.Snapshot(), want)
		}

		moved(t, "earned", caused, c.moves)
		said(t, "earned", caused) // that comes with the decision
	}
}

func TestOnlyADecisionThatEarnsIsAnEarning(t *testing.T) {
	t.Parallel()

	for name, spoil := range map[string]func(*decision.Decision){
		"not commissioned": func(d *decision.Decision) { d.Outcome = decision.NotCommissioned },
		"nothing":          func(d *decision.Decision) { d.Amount = usd(0) },
		"takes back":       func(d *decision.Decision) { d.Amount = usd(-1) },
		"no rule":          func(d *decision.Decision) { d.Rule = rule.Ref{} },
	} {
		d := earns(t, 100, noon())
		spoil(&d)

		if _, _, err := commission.NewEarning(d, origin("c")); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAClawbackFollowsItsEarning(t *testing.T) {
	t.Parallel()

	for status, want := range map[commission.Status]struct {
		status commission.Status
		moves  string
	}{
		commission.Pending:  {commission.Pending, "k: 30 pending to programme"},
		commission.Held:     {commission.Pending, "k: 30 pending to programme"},
		commission.Approved: {commission.Approved, "k: 30 available to programme"},
	} {
		original := stored(commission.Earned, status)
		original.CampaignID = "campaign"
		original.ProductID = "product"
		c := commission.Restore(original)

		made, caused, err := c.ClawBack(takesBack(t, 30), origin("k"))
		if err != nil {
			t.Fatal(err)
		}

		if made.Kind != commission.Clawback || made.ReversesID != "c" || made.Amount != usd(-30) ||
			made.Base != usd(-300) || made.Status != want.status || made.Version != 1 ||
			made.CampaignID != "campaign" || made.ProductID != "product" ||
			!made.AvailableAt.Equal(original.AvailableAt) {
			t.Errorf("%s: %+v", status, made)
		}

		moved(t, string(status), caused, want.moves)
		said(t, string(status), caused)

		if c.Net() != 70 || len(c.Moved()) > 0 {
			t.Errorf("%s: net %d, moved %+v", status, c.Net(), c.Moved())
		}
	}
}

// Of what is reversed nothing is left, wherever it was: followers that waited are approved, and no
// money moves but that of the clawback itself.
func TestAnEarningOfWhichNothingIsLeftIsReversed(t *testing.T) {
	t.Parallel()

	for status, pending := range map[commission.Status]bool{
		commission.Pending:  true,
		commission.Held:     true,
		commission.Approved: false,
	} {
		waits := commission.Approved
		if pending {
			waits = commission.Pending
		}

		c := commission.Restore(
			stored(commission.Earned, status),
			follower("before", -30, waits),
		)

		made, caused, err := c.ClawBack(takesBack(t, 70), origin("k"))
		if err != nil {
			t.Fatal(err)
		}

		if c.Snapshot().Status != commission.Reversed || c.Snapshot().Version != 4 || c.Net() != 0 {
			t.Errorf("%s: %+v", status, c.Snapshot())
		}

		if made.Status != waits || made.Version != 1 || len(caused.Transfers) != 1 {
			t.Errorf("%s: the clawback is %+v and moves %q", status, made, moves(caused))
		}

		want := []string{"c"}
		if pending {
			want = []string{"c", "before", "k"}
		}

		var ids, said []string
		for _, s := range c.Moved() {
			ids = append(ids, s.ID)

			if s.ID != "c" && s.Status != commission.Approved {
				t.Errorf("%s: %s is %s", status, s.ID, s.Status)
			}
		}

		for _, f := range caused.Facts {
			said = append(said, f.SubjectID)
		}

		if !slices.Equal(ids, want) || !slices.Equal(said, want) ||
			caused.Facts[0].Type != effect.CommissionReversed {
			t.Errorf("%s: moved %q, says %+v", status, ids, caused.Facts)
		}
	}
}

func TestWhatStandsInForAnEarningIsNeverReversed(t *testing.T) {
	t.Parallel()

	c := commission.Restore(stored(commission.Granted, commission.Pending))

	_, caused, err := c.ClawBack(takesBack(t, 100), origin("k"))
	if err != nil || c.Snapshot().Status != commission.Pending || len(caused.Facts) > 0 {
		t.Errorf("%+v, %+v, %v", c.Snapshot(), caused.Facts, err)
	}
}

func TestAClawbackFitsItsEarning(t *testing.T) {
	t.Parallel()

	for name, spoil := range map[string]func(*decision.Decision, *commission.Snapshot){
		"an earning": func(d *decision.Decision, _ *commission.Snapshot) { d.Amount = usd(1) },
		"nothing":    func(d *decision.Decision, _ *commission.Snapshot) { d.Amount = usd(0) },
		"another event's": func(d *decision.Decision, _ *commission.Snapshot) {
			d.OriginalID = "other"
		},
		"another user's": func(_ *decision.Decision, s *commission.Snapshot) { s.UserID = "other" },
		"of another currency": func(_ *decision.Decision, s *commission.Snapshot) {
			s.Amount = money.Amount{}
		},
		"of a follower": func(_ *decision.Decision, s *commission.Snapshot) { s.ReversesID = "root" },
	} {
		d := takesBack(t, 30)
		original := stored(commission.Earned, commission.Approved)
		original.Kind = commission.Adjustment
		spoil(&d, &original)
		c := commission.Restore(original)

		if _, _, err := c.ClawBack(d, origin("k")); err == nil || len(c.Moved()) > 0 {
			t.Errorf("%s: %v, moved %+v", name, err, c.Moved())
		}
	}
}

func TestAnAdjustmentWaitsForASecondPersonOrNot(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		minor  int64
		waits  bool
		status commission.Status
		moves  string
	}{
		{100, false, commission.Approved, "c: 100 programme to available"},
		{100, true, commission.Pending, "c: 100 programme to pending"},
		{-100, false, commission.Approved, "c: 100 available to programme"},
	} {
		made, caused, err := commission.NewAdjustment(commission.Wanted{
			UserID:     "u",
			CampaignID: "campaign",
			Amount:     usd(c.minor),
			Reason:     "goodwill",
			Waits:      c.waits,
		}, commission.Origin{ID: "c", Now: noon()})
		if err != nil {
			t.Fatal(err)
		}

		s := made.Snapshot()
		if s.Kind != commission.Adjustment || !s.ByOperator() || s.Status != c.status ||
			s.Reason != "goodwill" || s.Version != 1 || !s.AvailableAt.Equal(noon()) {
			t.Errorf("%+v", s)
		}

		moved(t, "adjusted", caused, c.moves)
		said(t, "adjusted", caused, fact(effect.CommissionAdjusted, s, ""))
	}
}

func TestAnAdjustmentHasAnAmountAndAReason(t *testing.T) {
	t.Parallel()

	for _, w := range []commission.Wanted{
		{UserID: "u", Amount: usd(0), Reason: "goodwill"},
		{UserID: "u", Amount: usd(1)},
		{Amount: usd(1), Reason: "goodwill"},
	} {
		if _, _, err := commission.NewAdjustment(w, origin("c")); err == nil {
			t.Errorf("%+v is taken", w)
		}
	}
}

func correction(t *testing.T, minor int64, until time.Time) commission.Correction {
	t.Helper()

	return commission.Correction{
		ReplayID:    "replay",
		Event:       happened(t, "e", "u", eventtype.Purchase),
		Amount:      usd(minor),
		AvailableAt: until,
		Reason:      "new rule",
	}
}

func TestACorrectionFollowsTheCommission(t *testing.T) {
	t.Parallel()

	for status, want := range map[commission.Status]commission.Status{
		commission.Pending:  commission.Pending,
		commission.Held:     commission.Pending,
		commission.Approved: commission.Approved,
		commission.Rejected: commission.Approved,
		commission.Reversed: commission.Approved,
	} {
		original := stored(commission.Earned, status)
		original.AvailableAt = noon().AddDate(0, 0, 30)
		c := commission.Restore(original)

		made, caused, err := c.Correct(correction(t, 20, time.Time{}), origin("k"))
		if err != nil || made.Status != want || made.ReversesID != "c" || c.Net() != 120 ||
			made.Role() != commission.Following || len(caused.Transfers) != 1 {
			t.Errorf("%s: %+v, %+v, %v", status, made, caused, err)
		}

		until := noon()
		if want == commission.Pending {
			until = original.AvailableAt
		}

		if !made.AvailableAt.Equal(until) {
			t.Errorf("%s: available at %v", status, made.AvailableAt)
		}

		said(t, string(status), caused, fact(effect.CommissionAdjusted, made, ""))
	}
}

func TestACorrectionFitsTheCommission(t *testing.T) {
	t.Parallel()

	for name, spoil := range map[string]func(*commission.Correction, *commission.Snapshot){
		"nothing":   func(x *commission.Correction, _ *commission.Snapshot) { x.Amount = usd(0) },
		"no reason": func(x *commission.Correction, _ *commission.Snapshot) { x.Reason = "" },
		"of another event": func(_ *commission.Correction, s *commission.Snapshot) {
			s.EventID = "other"
		},
		"of another user": func(_ *commission.Correction, s *commission.Snapshot) {
			s.UserID = "other"
		},
		"of another currency": func(_ *commission.Correction, s *commission.Snapshot) {
			s.Amount = money.Amount{}
		},
		"of a follower": func(_ *commission.Correction, s *commission.Snapshot) {
			s.ReversesID = "root"
		},
	} {
		x := correction(t, 20, time.Time{})
		original := stored(commission.Granted, commission.Approved)
		spoil(&x, &original)
		c := commission.Restore(original)

		if _, _, err := c.Correct(x, origin("k")); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestACorrectionStandsInForAnEarning(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		until, available time.Time
		status           commission.Status
	}{
		{noon(), noon(), commission.Approved},
		{noon().Add(time.Hour), noon().Add(time.Hour), commission.Pending},
	} {
		made, caused, err := commission.NewCorrection(correction(t, 20, c.until), origin("c"))

		s := made.Snapshot()
		if err != nil || s.Role() != commission.Granted || s.Status != c.status ||
			!s.AvailableAt.Equal(c.available) {
			t.Errorf("%+v, %v", s, err)
		}

		said(t, "corrected", caused, fact(effect.CommissionAdjusted, s, ""))
	}
}
