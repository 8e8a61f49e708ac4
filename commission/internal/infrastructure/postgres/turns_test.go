package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/ledger"
	"tributary/commission/internal/domain/payout"
	domain "tributary/commission/internal/domain/replay"
	"tributary/platform/money"
)

// payoutOf returns a request of the user for an amount of USD.
func payoutOf(user string, minor int64) payout.Wanted {
	return payout.Wanted{
		ID:          uuid.NewString(),
		UserID:      user,
		Amount:      money.FromMinor(minor, money.USD()),
		Method:      "paypal",
		RequestedAt: start(),
	}
}

// adjust adds an amount of USD as an operator.
func (f fixture) adjust(ctx context.Context, user, amount string) error {
	handler := command.NewAdjust(f.store.Commissions(), uuid.NewString, nil)
	_, err := handler.Handle(ctx, byHand(), command.Adjustment{
		UserID:   user,
		Amount:   amount,
		Currency: "USD",
	})

	return err
}

// While one writer has read a user's balance, no other changes it.
func TestWritersOfAUsersMoneyTakeTurns(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.1", "hold_days", "30")
	f.decide(
		t,
		purchase("e1", "u", "100"),
		purchase("e2", "u", "50"),
		purchase("e3", "u", "70"),
	)

	if err := f.adjust(t.Context(), "u", "100"); err != nil {
		t.Fatal(err)
	}

	open, err := f.request(t.Context(), payoutOf("u", 100))
	if err != nil {
		t.Fatal(err)
	}

	rejected := f.one(t, `SELECT id FROM commissions WHERE event_id = 'e2'`)
	refunded := func(ctx context.Context) error {
		_, err := f.handler.Handle(ctx, []event.Event{event.Restore(refund("r1", "u", "e1", ""))})
		return err
	}

	claimed := f.claim(t)

	for _, writer := range []struct {
		name  string
		write func(context.Context) error
	}{
		{"consumption", refunded},
		{"rejection", func(ctx context.Context) error {
			_, err := command.NewActOnCommission(f.store.Commissions()).Handle(ctx, byHand(), command.Action{ID: rejected, Action: commission.Reject})
			return err
		}},
		{"approval by the clock", func(ctx context.Context) error {
			n, err := f.approveDue(ctx, start().AddDate(0, 0, 30), 10)
			if err == nil && n != 1 {
				err = fmt.Errorf("%d approved, want 1", n)
			}

			return err
		}},
		{"adjustment", func(ctx context.Context) error { return f.adjust(ctx, "u", "-1") }},
		{"payout request", func(ctx context.Context) error {
			_, err := f.request(ctx, payoutOf("u", 100))
			return err
		}},
		{"payout closed", func(ctx context.Context) error {
			_, err := command.NewClosePayout(f.store.Payouts()).Handle(
				ctx,
				byHand(),
				command.Closing{ID: open.ID, To: payout.Completed},
			)

			return err
		}},
		{"replay", func(ctx context.Context) error {
			_, err := f.store.Post(
				ctx,
				claimed,
				[]string{"u"},
				func(*domain.Replay, []replay.History) (replay.Posting, error) { return replay.Posting{}, nil },
			)

			return err
		}},
	} {
		if err := f.whileLocked(t, "u", writer.write); err != nil {
			t.Errorf("%s: %v", writer.name, err)
		}
	}
}

// whileLocked starts write while a replay holds the user's lock, waits until write waits, and
// returns its result after the replay.
func (f fixture) whileLocked(
	t *testing.T,
	user string,
	write func(context.Context) error,
) error {
	t.Helper()

	done := make(chan error, 1)

	_, err := f.store.Post(
		t.Context(),
		f.claim(t),
		[]string{user},
		func(*domain.Replay, []replay.History) (replay.Posting, error) {
			go func() { done <- write(t.Context()) }()

			for f.one(t, `SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database
    WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted`) == "0" {
				select {
				case err := <-done:
					return replay.Posting{}, errors.Join(errors.New("did not wait"), err)
				default:
				}
			}

			return replay.Posting{}, nil
		},
	)
	if err != nil {
		return err
	}

	return <-done
}

// A payment request and an adjustment that reduces the balance run concurrently: either may be
// first, and both succeed.
func TestPaymentRequestsAndAdjustmentsAtTheSameTime(t *testing.T) {
	t.Parallel()
	f := setup(t)

	var wg sync.WaitGroup
	for i := range 150 {
		user := fmt.Sprintf("u%03d", i)
		if err := f.adjust(t.Context(), user, "100.00"); err != nil {
			t.Fatal(err)
		}

		wg.Go(func() {
			if _, err := f.request(t.Context(), payoutOf(user, 10000)); err != nil {
				t.Errorf("request of %s: %v", user, err)
			}
		})
		wg.Go(func() {
			if err := f.adjust(t.Context(), user, "-1.00"); err != nil {
				t.Errorf("adjustment of %s: %v", user, err)
			}
		})
	}

	wg.Wait()

	if got := f.one(t, `SELECT count(*) FROM balances AS b JOIN payouts AS p USING (user_id)
    WHERE CASE p.status WHEN 'requested' THEN (available_minor, in_payout_minor) = (-100, 10000)
        WHEN 'rejected' THEN (available_minor, in_payout_minor) = (9900, 0) END`); got != "150" {
		t.Errorf("%s of 150 users have their payout and the balance that goes with it", got)
	}

	f.checkFold(t)
}

// A transaction that violates a constraint is read and written again, since another writer may be
// the cause. It is refused as content if it violates the constraint each time.
func TestABrokenConstraintIsTriedAgain(t *testing.T) {
	t.Parallel()
	f := setup(t)

	events := []event.Event{event.Restore(purchase("e", "u", "1"))}

	transfer, err := ledger.ForPayout(
		uuid.NewString(),
		"u",
		money.FromMinor(1, money.USD()),
		ledger.Path{From: ledger.Available, To: ledger.InPayout},
	)
	if err != nil {
		t.Fatal(err)
	}

	overdraft := command.DecisionChanges{
		Now:       start(),
		Transfers: []ledger.Transfer{transfer},
	}

	for _, c := range []struct {
		broken   int // the number of first attempts
		attempts int
		refused  bool
	}{
		{broken: 0, attempts: 1},
		{broken: 3, attempts: 4},
		{broken: 99, attempts: 10, refused: true},
	} {
		attempts := 0

		err := f.store.Decide(
			t.Context(),
			events,
			func(command.DecisionState) (command.DecisionChanges, error) {
				if attempts++; attempts <= c.broken {
					return overdraft, nil
				}

				return command.DecisionChanges{Now: start()}, nil
			},
		)
		if errors.Is(err, command.ErrNotStorable) != c.refused || (err != nil) != c.refused ||
			attempts != c.attempts {
			t.Errorf("broken %d times: %d attempts, %v", c.broken, attempts, err)
		}
	}
}

func (f fixture) request(ctx context.Context, wanted payout.Wanted) (payout.Snapshot, error) {
	return command.NewRequestPayout(f.store.Payouts(), nil, start).Handle(ctx, wanted)
}

// owned returns the limit of a read of the user's data, or of everything for "".
func owned(t *testing.T, userID string) query.Owner {
	t.Helper()

	owner, err := query.Everything().OwnerOf(userID)
	if err != nil {
		t.Fatal(err)
	}

	return owner
}

// approveDue approves at most limit commissions that are due, and returns how many it found.
func (f fixture) approveDue(ctx context.Context, now time.Time, limit int) (int, error) {
	return f.store.Commissions().UpdateDue(ctx, now, limit, func(
		c *commission.Commission,
	) (effect.Effect, error) {
		caused, _, err := c.Mature(now)
		return caused, err
	})
}
