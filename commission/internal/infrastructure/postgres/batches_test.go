package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// requested returns the ids of new payouts of 1.00 USD, one for each user u0 to u(n-1), the oldest
// first.
func (f fixture) requested(t *testing.T, n int) []string {
	t.Helper()

	var events []event.Snapshot
	for i := range n {
		events = append(events, purchase(uuid.NewString(), fmt.Sprintf("u%d", i), "10"))
	}

	f.decide(t, events...)

	ids := make([]string, n)
	for i := range ids {
		at := start().Add(time.Duration(i) * time.Millisecond)
		handler := command.NewRequestPayout(
			f.store.Payouts(),
			nil,
			func() time.Time { return at },
		)

		p, err := handler.Handle(t.Context(), payoutOf(fmt.Sprintf("u%d", i), 100))
		if err != nil || p.Status != payout.Requested {
			t.Fatalf("%+v, %v", p, err)
		}

		ids[i] = p.ID
	}

	return ids
}

func by(actor string) change.Request {
	r := byHand()
	r.Actor = actor

	return r
}

func wantedBatch(limit int) batch.Wanted {
	return batch.Wanted{
		Currency: money.USD(),
		Method:   "paypal",
		Cutoff:   start().Add(time.Hour),
		Limit:    limit,
	}
}

// batched creates a batch of at most limit payouts.
func (f fixture) batched(ctx context.Context, maker string, limit int) (batch.Snapshot, error) {
	return command.NewCreateBatch(f.store.Batches(), uuid.NewString, true).
		Handle(ctx, by(maker), wantedBatch(limit))
}

func (f fixture) approved(ctx context.Context, actor, id string) error {
	_, err := command.NewApproveBatch(f.store.Batches(), true).
		Handle(ctx, by(actor), command.BatchAction{ID: id})

	return err
}

func (f fixture) sent(ctx context.Context, actor, id string) error {
	_, err := command.NewSendBatch(f.store.Batches()).
		Handle(ctx, by(actor), command.BatchAction{ID: id})

	return err
}

func (f fixture) called(ctx context.Context, actor, id string) error {
	_, err := command.NewCancelBatch(f.store.Batches()).
		Handle(ctx, by(actor), command.BatchAction{ID: id}, true)

	return err
}

func (f fixture) closed(ctx context.Context, id string, to payout.Status) error {
	_, err := command.NewClosePayout(f.store.Payouts()).
		Handle(ctx, by("finance"), command.Closing{ID: id, To: to})

	return err
}

func (f fixture) batch(t *testing.T, id string) string {
	t.Helper()

	b, err := f.store.Batches().Batch(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}

	return fmt.Sprintf("%s %d/%d %s", b.Status, b.Open, b.Count, b.Total)
}

// wantBatch fails the test unless the batch is as given: status, open and all payouts, total.
func (f fixture) wantBatch(t *testing.T, id, want string) {
	t.Helper()

	if got := f.batch(t, id); got != want {
		t.Errorf("batch: %s, want %s", got, want)
	}
}

func mustAll(t *testing.T, errs ...error) {
	t.Helper()

	for i, err := range errs {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
}

func TestABatchFromDraftToSettled(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	ids := f.requested(t, 4)

	made, err := f.batched(ctx, "maker", 3) // the three oldest
	mustAll(t, err)
	f.wantBatch(t, made.ID, "draft 3/3 3.00")

	if got := f.one(t, `SELECT batch_id IS NULL FROM payouts WHERE id = $1`, ids[3]); got != "true" {
		t.Error("the youngest is in the batch")
	}

	// a payout of a draft leaves it
	if err := f.closed(ctx, ids[0], payout.Completed); !errors.Is(err, payout.ErrInBatch) {
		t.Errorf("completed in a draft: %v", err)
	}

	mustAll(t, f.closed(ctx, ids[0], payout.Cancelled))
	f.wantBatch(t, made.ID, "draft 2/2 2.00")

	if err := f.approved(ctx, "maker", made.ID); !errors.Is(err, effect.ErrSecondPerson) {
		t.Errorf("approved by its maker: %v", err)
	}

	for _, act := range []func(context.Context, string, string) error{f.approved, f.sent, f.called} {
		if err := act(ctx, "u1", made.ID); !errors.Is(err, change.ErrOwnGain) {
			t.Errorf("by one who is paid: %v", err)
		}
	}

	mustAll(t, f.approved(ctx, "second", made.ID))

	for _, to := range []payout.Status{payout.Completed, payout.Failed, payout.Cancelled} {
		if err := f.closed(ctx, ids[1], to); !errors.Is(err, payout.ErrInBatch) {
			t.Errorf("%s in an approved batch: %v", to, err)
		}
	}

	mustAll(t, f.sent(ctx, "finance", made.ID), f.closed(ctx, ids[1], payout.Completed))
	f.wantBatch(t, made.ID, "sent 1/2 2.00")

	if err := f.called(ctx, "finance", made.ID); !errors.Is(err, batch.ErrPartlySettled) {
		t.Errorf("called back after a result: %v", err)
	}

	mustAll(t, f.closed(ctx, ids[2], payout.Failed))
	f.wantBatch(t, made.ID, "settled 0/2 2.00")

	if got := f.one(t, `SELECT string_agg(concat_ws(' ', action, actor), ', ' ORDER BY id)
    FROM audit WHERE subject_type = 'payout_batch'`); got != "make maker, approve second, send finance" {
		t.Errorf("audit: %s", got)
	}
}

func TestACancelledBatchFreesItsPayouts(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	f.requested(t, 2)

	for range 2 { // from a draft, and when it is approved
		made, err := f.batched(ctx, "maker", 10)
		mustAll(t, err, f.called(ctx, "maker", made.ID))
		f.wantBatch(t, made.ID, "cancelled 2/2 2.00")
	}

	made, err := f.batched(ctx, "maker", 10)
	mustAll(t, err, f.approved(ctx, "second", made.ID), f.called(ctx, "finance", made.ID))

	made, err = f.batched(ctx, "maker", 10)
	mustAll(
		t,
		err,
		f.approved(ctx, "second", made.ID),
		f.sent(ctx, "finance", made.ID),
		f.called(ctx, "finance", made.ID),
	)

	if got := f.one(t, `SELECT count(*) FROM payouts WHERE batch_id IS NULL
    AND status = 'requested'`); got != "2" {
		t.Errorf("%s payouts are free", got)
	}
}

// A batch takes what it asks for: currency, method, cut-off; never the maker's own.
func TestWhatABatchClaims(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	f.requested(t, 3)

	late := wantedBatch(10)
	late.Cutoff = start().Add(-time.Second)
	other := wantedBatch(10)
	other.Method = "sepa"

	for name, wanted := range map[string]batch.Wanted{"too early": late, "another method": other} {
		_, err := command.NewCreateBatch(f.store.Batches(), uuid.NewString, true).
			Handle(ctx, by("maker"), wanted)
		if !errors.Is(err, batch.ErrEmpty) {
			t.Errorf("%s: %v", name, err)
		}
	}

	made, err := f.batched(ctx, "u0", 10)
	mustAll(t, err)
	f.wantBatch(t, made.ID, "draft 2/2 2.00")

	if _, err := f.batched(ctx, "u0", 10); !errors.Is(err, batch.ErrEmpty) {
		t.Errorf("the maker's own: %v", err)
	}
}

// Makers, approvers and those who close payouts one by one, all at once: each payout is in one
// batch at most, and paid once.
func TestMakersAndApproversRace(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()

	const payouts = 60

	ids := f.requested(t, payouts)

	var (
		mu    sync.Mutex
		made  []batch.Snapshot
		group sync.WaitGroup
	)

	for i := range 8 {
		group.Go(func() {
			for {
				b, err := f.batched(ctx, fmt.Sprint("maker", i), 7)
				if errors.Is(err, batch.ErrEmpty) {
					return
				}

				if err != nil {
					t.Error(err)
					return
				}

				mu.Lock()
				made = append(made, b)
				mu.Unlock()
			}
		})
	}

	for i := range 4 {
		group.Go(func() {
			for n := i; n < payouts; n += 4 * 5 { // some are cancelled meanwhile
				err := f.closed(ctx, ids[n], payout.Cancelled)
				if err != nil && !errors.Is(err, payout.ErrInBatch) {
					t.Error(err)
				}
			}
		})
	}

	group.Wait()

	if got := f.one(t, `SELECT count(*) FROM payouts WHERE status = 'requested'
    AND batch_id IS NULL`); got != "0" {
		t.Errorf("%s payouts are in no batch", got)
	}

	// two approvers, and one who cancels, at each batch
	counts := make(map[string]int)
	count := func(what string, err error) {
		mu.Lock()
		defer mu.Unlock()

		if err == nil {
			counts[what]++
		} else if !errors.Is(err, effect.ErrTransition) && !errors.Is(err, batch.ErrEmpty) {
			t.Errorf("%s: %v", what, err)
		}
	}

	for _, b := range made {
		for i := range 2 {
			group.Go(func() { count("approved", f.approved(ctx, fmt.Sprint("approver", i), b.ID)) })
		}

		group.Go(func() { count("cancelled", f.called(ctx, "canceller", b.ID)) })
	}

	group.Wait()

	if counts["cancelled"] != len(made) || counts["approved"] > len(made) {
		t.Errorf("%v of %d batches", counts, len(made))
	}

	// whatever happened, no payout was moved twice
	if got := f.one(t, `SELECT count(*) FROM (SELECT payout_id FROM ledger
    WHERE from_account = 'in_payout' GROUP BY payout_id HAVING count(*) > 1) AS twice`); got != "0" {
		t.Errorf("%s payouts were closed twice", got)
	}
}

// A connection that breaks at any statement of a change leaves nothing of it.
func TestABrokenConnectionLeavesNothingOfABatch(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	f.requested(t, 2)

	for _, table := range []string{"payout_batches", "payouts", "audit"} {
		// the session ends itself when the change writes the table
		f.owned(t, `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`)
		f.owned(t, `CREATE TRIGGER die AFTER INSERT OR UPDATE ON `+table+` EXECUTE FUNCTION die()`)

		if _, err := f.batched(ctx, "maker", 10); err == nil {
			t.Errorf("%s: no error", table)
		}

		f.owned(t, `DROP TRIGGER die ON `+table)
		f.owned(t, `DROP FUNCTION die()`)

		if got := f.one(t, `SELECT concat_ws(' ', (SELECT count(*) FROM payout_batches),
    (SELECT count(*) FROM payouts WHERE batch_id IS NOT NULL), (SELECT count(*) FROM audit))`); got != "0 0 0" {
			t.Errorf("%s: left: %s", table, got)
		}
	}

	made, err := f.batched(ctx, "maker", 10)
	mustAll(t, err)
	f.wantBatch(t, made.ID, "draft 2/2 2.00")
}
