package event_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/contracts/eventtype"
	"tributary/platform/fault"
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// purchase returns the content of a valid event.
func purchase() event.Snapshot {
	return event.Snapshot{
		ID:         "e1",
		UserID:     "u1",
		Type:       eventtype.Purchase,
		OccurredAt: noon(),
		ReceivedAt: noon().Add(time.Second),
		CampaignID: "camp",
		ProductID:  "prod",
		OrderID:    "order",
		Amount:     "10.00",
		Currency:   "USD",
	}
}

func TestAnEventIsWhatItWasMadeOf(t *testing.T) {
	t.Parallel()

	want := purchase()

	e, err := event.New(want)
	if err != nil || e.Snapshot() != want || event.Restore(want) != e {
		t.Fatalf("New = %+v, %v", e, err)
	}

	if e.ID() != "e1" || e.UserID() != "u1" || e.Type() != eventtype.Purchase ||
		!e.OccurredAt().Equal(noon()) {
		t.Errorf("%s %s %s %s", e.ID(), e.UserID(), e.Type(), e.OccurredAt())
	}
}

// Times are kept as the database keeps them, so that a decision does not depend on where the event
// comes from.
func TestTimesAreMicrosecondsOfUTC(t *testing.T) {
	t.Parallel()

	snapshot := purchase()
	snapshot.OccurredAt = noon().Add(1999).In(time.FixedZone("", 3600))
	snapshot.ReceivedAt = snapshot.OccurredAt

	e, err := event.New(snapshot)
	if want := noon().Add(time.Microsecond); err != nil || e.Snapshot().OccurredAt != want ||
		e.Snapshot().ReceivedAt != want {
		t.Errorf("%v: %+v, want %v", err, e.Snapshot(), want)
	}
}

func TestWhatTrackingNeverPublishesIsRefused(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		change func(*event.Snapshot)
		field  string
		code   error
	}{
		"no id":            {func(f *event.Snapshot) { f.ID = "" }, "event_id", fault.ErrInvalidValue},
		"a long id":        {func(f *event.Snapshot) { f.ID = strings.Repeat("x", 129) }, "event_id", fault.ErrInvalidValue},
		"no user":          {func(f *event.Snapshot) { f.UserID = "" }, "user_id", fault.ErrInvalidValue},
		"a control in id":  {func(f *event.Snapshot) { f.UserID = "u\x00" }, "user_id", fault.ErrInvalidValue},
		"a broken text":    {func(f *event.Snapshot) { f.CampaignID = "\xff" }, "campaign_id", fault.ErrInvalidValue},
		"a broken product": {func(f *event.Snapshot) { f.ProductID = "\n" }, "product_id", fault.ErrInvalidValue},
		"a broken order":   {func(f *event.Snapshot) { f.OrderID = "\n" }, "order_id", fault.ErrInvalidValue},
		"a broken origin":  {func(f *event.Snapshot) { f.OriginalID = "\n" }, "original_event_id", fault.ErrInvalidValue},
		"no type":          {func(f *event.Snapshot) { f.Type = "" }, "event_type", fault.ErrEventType},
		"an unknown type":  {func(f *event.Snapshot) { f.Type = "install" }, "event_type", fault.ErrEventType},
		"no time":          {func(f *event.Snapshot) { f.OccurredAt = time.Time{} }, "occurred_at", fault.ErrRequired},
		"a long amount":    {func(f *event.Snapshot) { f.Amount = strings.Repeat("1", 65) }, "amount", fault.ErrTooLong},
		"a long currency":  {func(f *event.Snapshot) { f.Currency = "USDOLLARS" }, "amount", fault.ErrTooLong},
	} {
		snapshot := purchase()
		c.change(&snapshot)

		e, err := event.New(snapshot)

		f, _ := fault.As(err)
		if !errors.Is(err, fault.ErrValidation) || len(f.Fields) != 1 || f.Fields[0].Field != c.field ||
			!errors.Is(f.Fields[0].Code, c.code) || e != (event.Event{}) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

func TestEveryFaultIsNamed(t *testing.T) {
	t.Parallel()

	_, err := event.New(event.Snapshot{})

	f, _ := fault.As(err)
	if f == nil || len(f.Fields) != 4 {
		t.Errorf("%v, want the faults of event_id, user_id, event_type and occurred_at", err)
	}
}

// What the later, stricter rule for identifiers refuses was published before, and keeps its
// decision.
func TestOldIdentifiersAreAccepted(t *testing.T) {
	t.Parallel()

	snapshot := purchase()
	snapshot.UserID = " u\u200b"

	if _, err := event.New(snapshot); err != nil {
		t.Error(err)
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()

	for _, of := range eventtype.All() {
		if got, ok := eventtype.Parse(string(of)); !ok || got != of {
			t.Errorf("ParseType(%q) = %q, %t", of, got, ok)
		}

		sells := of == eventtype.Sale || of == eventtype.Purchase
		reverses := of == eventtype.Refund || of == eventtype.Void || of == eventtype.Chargeback

		if of.Sells() != sells || of.Reverses() != reverses {
			t.Errorf("%s sells %t, reverses %t", of, of.Sells(), of.Reverses())
		}
	}

	for _, text := range []string{"", "Purchase", "purchase ", "install"} {
		if got, ok := eventtype.Parse(text); ok || got != "" {
			t.Errorf("ParseType(%q) = %q, %t", text, got, ok)
		}
	}
}

// Only sales and their reversals have an order; leads and clicks may carry a number that means
// nothing.
func TestOrdersBelongToSalesAndReversals(t *testing.T) {
	t.Parallel()

	for _, of := range eventtype.All() {
		snapshot := purchase()
		snapshot.Type = of

		want := event.Order{}
		if of.Sells() || of.Reverses() {
			want = event.Order{UserID: "u1", CampaignID: "camp", Number: "order"}
		}

		if got := snapshot.Order(); got != want {
			t.Errorf("%s: %+v, want %+v", of, got, want)
		}

		snapshot.OrderID = ""
		if got := snapshot.Order(); got != (event.Order{}) {
			t.Errorf("%s without a number: %+v", of, got)
		}
	}
}
