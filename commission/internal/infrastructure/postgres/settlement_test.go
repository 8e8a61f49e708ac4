package postgres_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
)

// A batch of the largest size is made, sent and settled in one transaction each; the same results
// from two callers at once are entered once.
func TestTheLargestBatch(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()

	const n = batch.MaxPayouts

	f.owned(t, fmt.Sprintf(`SET session_replication_role = replica;
INSERT INTO payouts (id, user_id, amount_minor, currency, payment_method, account_details, status,
    requested_at, created_at)
SELECT gen_random_uuid(), 'u' || i, 100, 'USD', 'paypal', '{}', 'requested', '2026-11-23Z', '2026-11-23Z'
FROM generate_series(1, %d) AS i;
INSERT INTO transfers (user_id, currency, from_account, to_account, amount_minor, payout_id, created_at)
SELECT user_id, 'USD', 'available', 'in_payout', 100, id, created_at FROM payouts;
INSERT INTO balances (user_id, currency, programme_minor, pending_minor, available_minor,
    in_payout_minor, paid_minor, credited_minor, debited_minor, moved_minor)
SELECT user_id, 'USD', -100, 0, 0, 100, 0, 100, 0, 100 FROM payouts;
RESET session_replication_role`, n+1))

	began := time.Now()
	made, err := f.batched(ctx, "maker", n)
	mustAll(t, err, f.approved(ctx, "second", made.ID), f.sent(ctx, "finance", made.ID))
	f.wantBatch(t, made.ID, fmt.Sprintf("sent %d/%d %d.00", n, n, n))

	file := command.Settlement{ID: made.ID, SHA256: "x"}

	rows, err := f.owner.Query(ctx, `SELECT id::text FROM payouts WHERE batch_id = $1`, made.ID)
	mustAll(t, err)

	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	mustAll(t, err)

	for i, id := range ids {
		to := payout.Completed
		if i%10 == 0 {
			to = payout.Failed
		}

		file.Results = append(file.Results, command.Result{
			Line:     i + 2,
			PayoutID: id,
			Closing:  payout.Closing{To: to, ExternalReference: fmt.Sprint("bank ", i)},
		})
	}

	t.Logf("made, approved and sent in %v", time.Since(began))

	began = time.Now()
	handler := command.NewSettleBatch(f.store.Batches())

	var (
		group   sync.WaitGroup
		mu      sync.Mutex
		entered int
	)

	for range 2 {
		group.Go(func() {
			settled, err := handler.Handle(ctx, by("finance"), file)

			mu.Lock()
			defer mu.Unlock()

			entered += settled.Completed + settled.Failed

			if err != nil || settled.Completed+settled.Failed+settled.Unchanged != n {
				t.Errorf("%+v, %v", settled, err)
			}
		})
	}

	group.Wait()
	t.Logf("settled twice in %v", time.Since(began))
	f.wantBatch(t, made.ID, fmt.Sprintf("settled 0/%d %d.00", n, n))

	if got := f.one(t, `SELECT concat_ws(' ', sum(paid_minor), sum(available_minor),
    sum(in_payout_minor)) FROM balances`); entered != n || got != "450000 50000 100" {
		t.Errorf("%d entered, balances %s", entered, got)
	}

	if got := f.one(t, `SELECT concat_ws(' ', count(*) FILTER (WHERE subject_type = 'payout'),
    count(*) FILTER (WHERE action = 'settle')) FROM audit`); got != fmt.Sprint(n, " 1") {
		t.Errorf("audit: %s", got)
	}
}

// A connection that breaks while results are entered leaves none of them.
func TestABrokenConnectionLeavesNoResult(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	ids := f.requested(t, 3)
	made, err := f.batched(ctx, "maker", 3)
	mustAll(t, err, f.approved(ctx, "second", made.ID), f.sent(ctx, "finance", made.ID))

	file := command.Settlement{ID: made.ID, SHA256: "x"}
	for i, id := range ids {
		file.Results = append(file.Results, command.Result{
			Line:     i + 2,
			PayoutID: id,
			Closing:  payout.Closing{To: payout.Completed},
		})
	}

	f.owned(t, `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`)

	handler := command.NewSettleBatch(f.store.Batches())
	for _, table := range []string{"payout_batches", "payouts", "transfers", "balances", "audit"} {
		f.owned(t, `CREATE TRIGGER die AFTER INSERT OR UPDATE ON `+table+` EXECUTE FUNCTION die()`)

		if _, err := handler.Handle(ctx, by("finance"), file); err == nil {
			t.Errorf("%s: no error", table)
		}

		f.owned(t, `DROP TRIGGER die ON `+table)
		f.wantBatch(t, made.ID, "sent 3/3 3.00")

		if got := f.one(t, `SELECT count(*) FROM ledger WHERE from_account = 'in_payout'`); got != "0" {
			t.Errorf("%s: %s payouts were closed", table, got)
		}
	}

	settled, err := handler.Handle(ctx, by("finance"), file)
	if err != nil || settled.Completed != 3 {
		t.Errorf("%+v, %v", settled, err)
	}
}

// Results, closings one by one, and a cancellation at once: each payout is closed once, or the
// batch is called off as a whole.
func TestResultsRaceWithOthers(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()

	for round := range 8 {
		var ids []string

		for i := range 10 {
			f.decide(t, purchase(uuid.NewString(), fmt.Sprintf("r%d-%d", round, i), "10"))

			p, err := f.request(ctx, payoutOf(fmt.Sprintf("r%d-%d", round, i), 100))
			mustAll(t, err)

			ids = append(ids, p.ID)
		}

		made, err := f.batched(ctx, "maker", 10)
		mustAll(t, err, f.approved(ctx, "second", made.ID), f.sent(ctx, "finance", made.ID))

		file := command.Settlement{ID: made.ID, SHA256: "x"}
		for i, id := range ids {
			file.Results = append(file.Results, command.Result{
				Line:     i + 2,
				PayoutID: id,
				Closing:  payout.Closing{To: payout.Completed},
			})
		}

		var group sync.WaitGroup

		results := make([]error, 4)
		for n, act := range []func() error{
			func() error {
				_, err := command.NewSettleBatch(f.store.Batches()).Handle(ctx, by("finance"), file)
				return err
			},
			func() error { return f.closed(ctx, ids[3], payout.Failed) },
			func() error { return f.closed(ctx, ids[7], payout.Completed) },
			func() error { return f.called(ctx, "finance", made.ID) },
		} {
			group.Go(func() { results[n] = act() })
		}

		group.Wait()

		for _, err := range results {
			if _, expected := fault.As(err); err != nil && !expected || errors.Is(err, fault.ErrDatabase) {
				t.Errorf("%v", err)
			}
		}

		b, err := f.store.Batches().Batch(ctx, made.ID)
		mustAll(t, err)

		if b.Status == batch.Cancelled && b.Open != 10 {
			t.Errorf("cancelled with results: %+v", b)
		}
	}

	if got := f.one(t, `SELECT count(*) FROM (SELECT payout_id FROM ledger
    WHERE from_account = 'in_payout' GROUP BY payout_id HAVING count(*) > 1) AS twice`); got != "0" {
		t.Errorf("%s payouts were closed twice", got)
	}
}
