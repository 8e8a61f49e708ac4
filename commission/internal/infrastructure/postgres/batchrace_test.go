package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/infrastructure/account"
	"tributary/commission/internal/infrastructure/payfile"
	"tributary/platform/fault"
)

// Two makers, two approvers and two of finance take overlapping batches from draft to settled, all
// at once. Each step of a batch is made by one of them; each payout is in one batch, and paid once.
func TestEveryStepOfABatchRaces(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()

	const payouts = 40

	f.requested(t, payouts)

	// both of a pair get each batch; the pair of makers claims from the same payouts
	drafts := [2]chan string{make(chan string, payouts), make(chan string, payouts)}
	approved := [2]chan string{make(chan string, 2*payouts), make(chan string, 2*payouts)}

	var makers, approvers, payers sync.WaitGroup

	for i := range 2 {
		makers.Go(func() {
			for {
				b, err := f.batched(ctx, fmt.Sprint("maker", i), 7)
				if errors.Is(err, batch.ErrEmpty) {
					return
				}

				if err != nil {
					t.Error(err)
					return
				}

				drafts[0] <- b.ID
				drafts[1] <- b.ID
			}
		})
		approvers.Go(func() {
			for id := range drafts[i] {
				if err := f.approved(ctx, fmt.Sprint("approver", i), id); f.lost(t, err) {
					continue
				}

				approved[0] <- id
				approved[1] <- id
			}
		})
		payers.Go(func() {
			for id := range approved[i] {
				f.lost(t, f.sent(ctx, fmt.Sprint("finance", i), id))

				_, err := f.settled(ctx, t, fmt.Sprint("finance", i), id)
				f.lost(t, err)
			}
		})
	}

	makers.Wait()
	close(drafts[0])
	close(drafts[1])
	approvers.Wait()
	close(approved[0])
	close(approved[1])
	payers.Wait()

	if got := f.one(t, `SELECT concat_ws(' ', count(*), count(batch_id), sum(amount_minor))
    FROM payouts WHERE status = 'completed'`); got != fmt.Sprintf("%d %d %d", payouts, payouts, payouts*100) {
		t.Errorf("payouts: %s", got)
	}

	if got := f.one(t, `SELECT concat_ws(' ', count(*), count(DISTINCT payout_id),
    sum(amount_minor)) FROM ledger WHERE to_account = 'paid'`); got !=
		fmt.Sprintf("%d %d %d", payouts, payouts, payouts*100) {
		t.Errorf("paid: %s", got)
	}

	if got := f.one(t, `SELECT coalesce(string_agg(concat_ws(' ', subject_id, action, n), ';'), '')
    FROM (SELECT subject_id, action, count(*) AS n FROM audit WHERE subject_type = 'payout_batch'
          AND action IN ('make', 'approve', 'send') GROUP BY subject_id, action) AS a
    WHERE n <> 1`); got != "" {
		t.Errorf("steps that were made twice: %s", got)
	}

	if got := f.one(t, `SELECT count(*) FROM payout_batches
    WHERE status <> 'settled' OR open_payouts <> 0`); got != "0" {
		t.Errorf("%s batches are not settled", got)
	}
}

// lost reports whether another was first. Any other error fails the test.
func (f fixture) lost(t *testing.T, err error) bool {
	t.Helper()

	if _, refused := fault.As(err); err != nil && (!refused || errors.Is(err, fault.ErrDatabase)) {
		t.Error(err)
	}

	return err != nil
}

// settled enters that all payouts of the batch were completed.
func (f fixture) settled(
	ctx context.Context,
	t *testing.T,
	actor, id string,
) (command.Settled, error) {
	t.Helper()

	var ids string
	if err := f.db.Pool.QueryRow(
		ctx,
		`SELECT string_agg(id::text, ',') FROM payouts WHERE batch_id = $1`,
		id,
	).Scan(&ids); err != nil {
		return command.Settled{}, err
	}

	file := command.Settlement{ID: id, SHA256: "x"}
	for i, id := range strings.Split(ids, ",") {
		file.Results = append(file.Results, command.Result{
			Line:     i + 2,
			PayoutID: id,
			Closing:  payout.Closing{To: payout.Completed},
		})
	}

	return command.NewSettleBatch(f.store.Batches()).Handle(ctx, by(actor), file)
}

// A connection that breaks at any statement of an approval, a file or the sending leaves nothing of
// it, and the next try does it once.
func TestABrokenConnectionLeavesNoStepOfABatch(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()

	mustAll(t, f.adjust(ctx, "u", "100"))

	asked := payoutOf("u", 100)
	asked.Details = `{"email":"u@example.com"}`
	_, err := f.request(ctx, asked)
	mustAll(t, err)

	made, err := f.batched(ctx, "maker", 1)
	mustAll(t, err)

	f.owned(t, `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`)

	for _, step := range []struct {
		tables []string
		do     func() error
		before string
		after  string
	}{
		{
			[]string{"payout_batches", "audit"},
			func() error { return f.approved(ctx, "second", made.ID) },
			"draft 0", "approved 0",
		},
		{
			[]string{"payout_batches", "payout_files"},
			func() error {
				_, err := command.NewCreateFile(
					f.store.Batches(),
					payfile.Formats(payfile.Payer{}, start().Location()),
					account.NewReader(nil),
				).Handle(ctx, by("finance"), made.ID, "csv")

				return err
			},
			"approved 0", "approved 1",
		},
		{
			[]string{"payout_batches", "audit"},
			func() error { return f.sent(ctx, "finance", made.ID) },
			"approved 1", "sent 1",
		},
	} {
		state := func() string {
			return f.one(t, `SELECT concat_ws(' ', status, (SELECT count(*) FROM payout_files))
    FROM payout_batches`)
		}

		for _, table := range step.tables {
			f.owned(t, `CREATE TRIGGER die AFTER INSERT OR UPDATE ON `+table+` EXECUTE FUNCTION die()`)

			if err := step.do(); err == nil {
				t.Errorf("%s: no error", table)
			}

			f.owned(t, `DROP TRIGGER die ON `+table)

			if got := state(); got != step.before {
				t.Errorf("%s: %s, want %s", table, got, step.before)
			}
		}

		if err := step.do(); err != nil || state() != step.after {
			t.Errorf("%s: %v, want %s", state(), err, step.after)
		}
	}

	if err := f.approved(ctx, "second", made.ID); !errors.Is(err, effect.ErrTransition) {
		t.Errorf("approved again: %v", err)
	}
}
