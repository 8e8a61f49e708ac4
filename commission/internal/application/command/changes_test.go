package command_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
	"tributary/platform/money"
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func by(actor string) change.Request {
	return change.Request{Actor: actor, Reason: "checked", RequestID: "r", Now: noon()}
}

// ids returns a function that returns "1", "2" and so on.
func ids() func() string {
	n := 0

	return func() string {
		n++
		return fmt.Sprint(n)
	}
}

func goodwill(amount string) command.Adjustment {
	return command.Adjustment{UserID: "u", Amount: amount, Currency: "USD"}
}

func TestAnAdjustmentAboveTheLimitWaitsForASecondPerson(t *testing.T) {
	t.Parallel()

	store := commandtest.New()

	limit, err := money.ParseRate("10")
	if err != nil {
		t.Fatal(err)
	}

	adjust := command.NewAdjust(store.Commissions(), ids(), &limit)
	act := command.NewActOnCommission(store.Commissions())

	for amount, want := range map[string]commission.Status{
		"10.00":  commission.Approved,
		"-10.00": commission.Approved,
		"10.01":  commission.Pending,
		"-10.01": commission.Pending,
	} {
		made, err := adjust.Handle(t.Context(), by("maker"), goodwill(amount))
		if err != nil || made.Status != want {
			t.Errorf("%s: %+v, %v", amount, made, err)
		}

		if want != commission.Pending {
			continue
		}

		approve := command.Action{ID: made.ID, Action: commission.Approve}
		if _, err := act.Handle(t.Context(), by("maker"), approve); !errors.Is(err, change.ErrSecondPerson) {
			t.Errorf("%s by its maker: %v", amount, err)
		}

		after, err := act.Handle(t.Context(), by("second"), approve)
		if err != nil || after.Status != commission.Approved {
			t.Errorf("%s by another: %+v, %v", amount, after, err)
		}
	}

	if made, err := adjust.Handle(
		t.Context(),
		by(change.Anonymous),
		goodwill("10.01"),
	); err != nil || made.Status != commission.Approved {
		t.Errorf("without authentication: %+v, %v", made, err)
	}
}

func TestWhatIsNotAnAdjustment(t *testing.T) {
	t.Parallel()

	adjust := command.NewAdjust(commandtest.New().Commissions(), ids(), nil)

	for name, c := range map[string]struct {
		change func(*command.Adjustment, *change.Request)
		want   error
		field  error
	}{
		"own money":   {func(_ *command.Adjustment, r *change.Request) { r.Actor = "u" }, change.ErrOwnGain, nil},
		"zero":        {func(a *command.Adjustment, _ *change.Request) { a.Amount = "0.00" }, fault.ErrValidation, command.ErrZero},
		"no amount":   {func(a *command.Adjustment, _ *change.Request) { a.Amount = "ten" }, fault.ErrValidation, money.ErrAmountMalformed},
		"no currency": {func(a *command.Adjustment, _ *change.Request) { a.Currency = "usd" }, fault.ErrValidation, money.ErrCurrencyUnknown},
		"no user":     {func(a *command.Adjustment, _ *change.Request) { a.UserID = "" }, fault.ErrValidation, fault.ErrTooShort},
		"no reason":   {func(_ *command.Adjustment, r *change.Request) { r.Reason = " " }, fault.ErrValidation, fault.ErrInvalidValue},
	} {
		wanted, request := goodwill("5.00"), by("maker")
		c.change(&wanted, &request)

		_, err := adjust.Handle(t.Context(), request, wanted)

		f, _ := fault.As(err)
		if !errors.Is(err, c.want) ||
			c.field != nil && (len(f.Fields) != 1 || !errors.Is(f.Fields[0].Code, c.field)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnActionNeedsTheVersionAndAnotherPerson(t *testing.T) {
	t.Parallel()

	store := commandtest.New()
	store.Put(effect.Effect{}, commission.Snapshot{
		ID:      "c",
		UserID:  "u",
		EventID: "e",
		Kind:    commission.Earning,
		Status:  commission.Pending,
		Amount:  money.FromMinor(100, money.USD()),
		Version: 3,
	})

	act := command.NewActOnCommission(store.Commissions())
	hold := command.Action{ID: "c", Version: 3, Action: commission.Hold}
	stale := command.Action{ID: "c", Version: 2, Action: commission.Hold}
	release := command.Action{ID: "c", Action: commission.Release}

	silent := by("operator")
	silent.Reason = ""

	for name, c := range map[string]struct {
		request change.Request
		act     command.Action
		want    error
	}{
		"own money":   {by("u"), hold, change.ErrOwnGain},
		"stale":       {by("operator"), stale, change.ErrVersion},
		"no reason":   {silent, hold, fault.ErrValidation},
		"not allowed": {by("operator"), release, effect.ErrTransition},
		"unknown":     {by("operator"), command.Action{ID: "x", Action: commission.Hold}, commission.ErrNotFound},
	} {
		if _, err := act.Handle(t.Context(), c.request, c.act); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	after, err := act.Handle(t.Context(), by("operator"), hold)
	if err != nil || after.Status != commission.Held || after.Version != 4 {
		t.Errorf("%+v, %v", after, err)
	}

	if records := store.Records(); len(records) != 1 || records[0].Action != "hold" ||
		records[0].Actor != "operator" ||
		records[0].Before != `{"status":"pending","version":3,"amount_minor":100,"currency":"USD"}` ||
		records[0].After != `{"status":"held","version":4,"amount_minor":100,"currency":"USD"}` {
		t.Errorf("%+v", records)
	}
}

func TestAPayoutIsRequestedAndClosed(t *testing.T) {
	t.Parallel()

	store := commandtest.New()
	adjust := command.NewAdjust(store.Commissions(), ids(), nil)

	if _, err := adjust.Handle(t.Context(), by("operator"), goodwill("10.00")); err != nil {
		t.Fatal(err)
	}

	request := command.NewRequestPayout(store.Payouts(), payout.Minimum{}, noon)

	made, err := request.Handle(t.Context(), payout.Wanted{
		ID:     "p",
		UserID: "u",
		Amount: money.FromMinor(600, money.USD()),
		Method: "paypal",
	})
	if err != nil || made.Status != payout.Requested {
		t.Fatalf("%+v, %v", made, err)
	}

	closing := command.NewClosePayout(store.Payouts())
	paid := command.Closing{ID: "p", Version: 1, To: payout.Completed, ExternalReference: "4711"}
	stale, unknown := paid, paid
	stale.Version = 2
	unknown.ID = "x"

	for name, c := range map[string]struct {
		request change.Request
		closing command.Closing
		want    error
	}{
		"own money": {by("u"), paid, change.ErrOwnGain},
		"stale":     {by("operator"), stale, change.ErrVersion},
		"unknown":   {by("operator"), unknown, payout.ErrNotFound},
	} {
		if _, err := closing.Handle(t.Context(), c.request, c.closing); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	after, err := closing.Handle(t.Context(), by("operator"), paid)
	if err != nil || after.Status != payout.Completed || after.ExternalReference != "4711" {
		t.Errorf("%+v, %v", after, err)
	}

	paid.Version = 0
	if _, err := closing.Handle(t.Context(), by("operator"), paid); !errors.Is(err, effect.ErrTransition) {
		t.Errorf("again: %v", err)
	}
}
