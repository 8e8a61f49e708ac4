package payout_test

import (
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
	"tributary/platform/money"
)

func open() payout.Payout {
	return payout.Restore(payout.Snapshot{
		ID:        "p",
		UserID:    "u",
		Amount:    usd(100),
		Status:    payout.Requested,
		CreatedAt: noon(),
		Version:   1,
	})
}

func TestAClosingIsKept(t *testing.T) {
	t.Parallel()

	later := noon().Add(time.Hour)

	for name, c := range map[string]struct {
		closing payout.Closing
		paidAt  time.Time
		failure payout.FailureCode
	}{
		"paid now":     {payout.Closing{To: payout.Completed}, later, ""},
		"paid before":  {payout.Closing{To: payout.Completed, PaidAt: noon()}, noon(), ""},
		"with a name":  {payout.Closing{To: payout.Completed, ExternalReference: "ü 1"}, later, ""},
		"failed":       {payout.Closing{To: payout.Failed}, time.Time{}, payout.FailureOther},
		"failed since": {payout.Closing{To: payout.Failed, FailureCode: payout.Returned}, time.Time{}, payout.Returned},
		"cancelled":    {payout.Closing{To: payout.Cancelled}, time.Time{}, ""},
	} {
		p := open()

		_, err := p.Close(c.closing, later)

		s := p.Snapshot()
		if err != nil || !s.PaidAt.Equal(c.paidAt) || s.FailureCode != c.failure ||
			s.ExternalReference != c.closing.ExternalReference || !s.Matches(c.closing) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// One fault each; all of a closing come together.
func TestFaultsOfAClosing(t *testing.T) {
	t.Parallel()

	for field, closings := range map[string][]payout.Closing{
		"external_reference": {
			{To: payout.Completed, ExternalReference: strings.Repeat("x", 129)},
			{To: payout.Failed, ExternalReference: "a\x00"},
			{To: payout.Cancelled, ExternalReference: "4711"},
		},
		"paid_at": {
			{To: payout.Completed, PaidAt: noon().Add(24*time.Hour + 1)},
			{To: payout.Completed, PaidAt: noon().Add(-24*time.Hour - 1)},
			{To: payout.Failed, PaidAt: noon()},
			{To: payout.Cancelled, PaidAt: noon()},
		},
		"failure_code": {
			{To: payout.Failed, FailureCode: "bad luck"},
			{To: payout.Completed, FailureCode: payout.Returned},
			{To: payout.Cancelled, FailureCode: payout.Returned},
		},
	} {
		for _, closing := range closings {
			p := open()

			_, err := p.Close(closing, noon())
			if f, _ := fault.As(err); f == nil || len(f.Fields) != 1 || f.Fields[0].Field != field ||
				p.Snapshot().Status != payout.Requested {
				t.Errorf("%s, %+v: %v", field, closing, err)
			}
		}
	}

	p := open()

	_, err := p.Close(payout.Closing{
		To:                payout.Cancelled,
		ExternalReference: "4711",
		PaidAt:            noon(),
		FailureCode:       payout.Returned,
	}, noon())
	if f, _ := fault.As(err); f == nil || len(f.Fields) != 3 {
		t.Errorf("three: %v", err)
	}
}

func TestMinimum(t *testing.T) {
	t.Parallel()

	minimum, err := payout.ParseMinimum("USD:20.00, JPY:500")
	if err != nil {
		t.Fatal(err)
	}

	jpy, err := money.ParseCurrency("JPY")
	if err != nil {
		t.Fatal(err)
	}

	eur, err := money.ParseCurrency("EUR")
	if err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		amount  money.Amount
		refused bool
	}{
		{usd(1999), true},
		{usd(2000), false},
		{money.FromMinor(499, jpy), true},
		{money.FromMinor(500, jpy), false},
		{money.FromMinor(1, eur), false},
	} {
		if minimum.Refuses(c.amount) != c.refused {
			t.Errorf("%s %s", c.amount, c.amount.Currency())
		}
	}

	for _, text := range []string{
		"USD", "USD:", "USD:x", "USD:0", "USD:-1", "USD:1.001", "XXX:1", "usd:1", "USD:1,USD:2", "USD:1,", ",",
	} {
		if _, err := payout.ParseMinimum(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
