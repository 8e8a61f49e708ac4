package command_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// bulkWorld is a store with pending commissions of 1.00 of several users, and one in another
// currency.
type bulkWorld struct {
	store *commandtest.Store
	bulk  *command.ActInBulk
}

func newBulkWorld(commissions int) bulkWorld {
	store := commandtest.New()
	for i := range commissions {
		store.Put(effect.Effect{}, pending(i, money.USD()))
	}

	return bulkWorld{store: store, bulk: command.NewActInBulk(store.Commissions(), silent{})}
}

func pending(n int, currency money.Currency) commission.Snapshot {
	return commission.Snapshot{
		ID:      fmt.Sprintf("019ab2c3-4d5e-7f60-8a7b-%012d", n),
		UserID:  fmt.Sprintf("u%d", n%3),
		EventID: fmt.Sprint("e", n),
		Kind:    commission.Earning,
		Status:  commission.Pending,
		Amount:  money.FromMinor(100, currency),
		Version: 1,
	}
}

// silent is a journal without keys.
type silent struct{ change.Journal }

func (silent) Known(context.Context, change.Request) error { return nil }

func approveAll() command.Bulk {
	return command.Bulk{Action: commission.Approve, Caller: query.Everything()}
}

func (w bulkWorld) dryRun(t *testing.T, bulk command.Bulk) command.BulkResult {
	t.Helper()

	result, err := w.bulk.DryRun(t.Context(), by("operator"), bulk)
	if err != nil {
		t.Fatal(err)
	}

	return result
}

func TestABulkRunDoesWhatTheDryRunShowed(t *testing.T) {
	t.Parallel()

	w := newBulkWorld(6)

	euro, err := money.ParseCurrency("EUR")
	if err != nil {
		t.Fatal(err)
	}

	w.store.Put(effect.Effect{}, pending(6, euro))

	shown := w.dryRun(t, approveAll())
	if shown.Count != 7 || fmt.Sprint(shown.Totals) != "[1.00 6.00]" ||
		shown.Totals[0].Currency() != euro || len(w.store.Records()) != 0 {
		t.Errorf("shown: %+v", shown)
	}

	if again := w.dryRun(t, approveAll()); again.Token != shown.Token {
		t.Errorf("another token for the same: %s, %s", shown.Token, again.Token)
	}

	w.store.Put(effect.Effect{}, pending(7, euro)) // later: it is not in the run

	done, err := w.bulk.Handle(t.Context(), by("operator"), approveAll(), shown.Token)
	if err != nil || done.Count != 7 || fmt.Sprint(done.Totals) != "[1.00 6.00]" ||
		len(w.store.Records()) != 7 || w.store.Records()[0].Action != "approve" {
		t.Errorf("done: %+v, %v, %d records", done, err, len(w.store.Records()))
	}

	if left := w.dryRun(t, approveAll()); left.Count != 1 {
		t.Errorf("left: %+v", left)
	}

	if _, err := w.bulk.Handle(
		t.Context(),
		by("operator"),
		approveAll(),
		shown.Token,
	); !errors.Is(err, command.ErrSelectionChanged) {
		t.Errorf("again: %v", err)
	}
}

func TestATokenStandsForOneSelection(t *testing.T) {
	t.Parallel()

	later := query.CommissionFilter{OccurredTo: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}

	for name, c := range map[string]struct {
		change func(w bulkWorld, bulk *command.Bulk)
		want   error
	}{
		"nothing": {func(bulkWorld, *command.Bulk) {}, nil},
		"another action": {
			func(_ bulkWorld, b *command.Bulk) { b.Action = commission.Reject },
			command.ErrSelectionChanged,
		},
		"another filter with the same commissions": {
			func(_ bulkWorld, b *command.Bulk) { b.Filter = later },
			command.ErrSelectionChanged,
		},
		"another version": {
			func(w bulkWorld, _ *command.Bulk) {
				c := pending(1, money.USD())
				c.Version = 3
				w.store.Put(effect.Effect{}, c)
			},
			command.ErrSelectionChanged,
		},
		"another status": {
			func(w bulkWorld, _ *command.Bulk) {
				c := pending(1, money.USD())
				c.Status = commission.Held
				w.store.Put(effect.Effect{}, c)
			},
			command.ErrSelectionChanged,
		},
		"a clawback": {
			func(w bulkWorld, _ *command.Bulk) {
				c := pending(9, money.USD())
				c.Kind = commission.Clawback
				c.ReversesID = pending(1, money.USD()).ID
				w.store.Put(effect.Effect{}, c)
			},
			command.ErrSelectionChanged,
		},
	} {
		w, bulk := newBulkWorld(3), approveAll()
		token := w.dryRun(t, bulk).Token
		c.change(w, &bulk)

		if _, err := w.bulk.Handle(t.Context(), by("operator"), bulk, token); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every filter is in the token: one that is added must be too.
func TestATokenDependsOnEveryFilter(t *testing.T) {
	t.Parallel()

	w, tokens := newBulkWorld(0), map[string]string{}
	if plain := w.dryRun(t, approveAll()); plain.Count == 0 {
		tokens[plain.Token] = "no filter"
	}

	var try func(of reflect.Value, bulk *command.Bulk, name string)

	try = func(of reflect.Value, bulk *command.Bulk, name string) {
		for i := range of.NumField() {
			field, name := of.Field(i), name+"."+of.Type().Field(i).Name

			switch field.Interface().(type) {
			case string:
				field.SetString("x")
			case time.Time:
				field.Set(reflect.ValueOf(noon()))
			default:
				try(field, bulk, name)
				continue
			}

			token := w.dryRun(t, *bulk).Token
			if other, known := tokens[token]; known {
				t.Errorf("%s has the token of %s", name, other)
			}

			tokens[token] = name

			field.SetZero()
		}
	}

	bulk := approveAll()
	try(reflect.ValueOf(&bulk.Filter).Elem(), &bulk, "filter")
}

func TestWhatCannotBeDoneInBulk(t *testing.T) {
	t.Parallel()

	silent := by("operator")
	silent.Reason = ""

	ofAnother := approveAll()
	ofAnother.Caller = query.OneUser("u0")
	ofAnother.Filter.UserID = "u1"

	byHand := pending(1, money.USD())
	byHand.EventID = ""
	byHand.Kind = commission.Adjustment
	byHand.MadeBy = "operator"

	for name, c := range map[string]struct {
		request     change.Request
		bulk        command.Bulk
		commissions int
		more        []commission.Snapshot
		want        error
	}{
		"own money":    {request: by("u1"), bulk: approveAll(), commissions: 3, want: change.ErrOwnGain},
		"no reason":    {request: silent, bulk: approveAll(), want: fault.ErrValidation},
		"another's":    {request: by("u0"), bulk: ofAnother, want: fault.ErrForeignUser},
		"too many":     {request: by("operator"), bulk: approveAll(), commissions: 5001, want: command.ErrBulkTooLarge},
		"as many":      {request: by("operator"), bulk: approveAll(), commissions: 5000},
		"none":         {request: by("operator"), bulk: approveAll()},
		"own addition": {request: by("operator"), bulk: approveAll(), more: []commission.Snapshot{byHand}, want: change.ErrSecondPerson},
	} {
		w := newBulkWorld(c.commissions)
		w.store.Put(effect.Effect{}, c.more...)

		shown, err := w.bulk.DryRun(t.Context(), c.request, c.bulk)
		if !errors.Is(err, c.want) {
			t.Errorf("%s, dry run: %v", name, err)
		}

		if c.want != nil {
			if shown.Token == "" {
				continue
			}
		}

		if _, err := w.bulk.Handle(t.Context(), c.request, c.bulk, shown.Token); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}

		if c.want != nil && len(w.store.Records()) != 0 {
			t.Errorf("%s: %d records", name, len(w.store.Records()))
		}
	}

	for _, token := range []string{"", "x", "../../x", newBulkWorld(1).dryRun(t, approveAll()).Token + "x"} {
		if _, err := newBulkWorld(1).bulk.Handle(
			t.Context(),
			by("operator"),
			approveAll(),
			token,
		); !errors.Is(err, fault.ErrValidation) {
			t.Errorf("token %q: %v", token, err)
		}
	}
}
