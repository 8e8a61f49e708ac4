package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
	"tributary/platform/money"
	platform "tributary/platform/postgres"
)

// requested returns the ids of new payouts of 1.00 USD, one for each user u0 to u(n-1), the oldest
// first.
func (f fixture) requested(t *testing.T, n int) []string {
	t.Helper()

	var facts []event.Facts
	for i := range n {
		facts = append(facts, purchase(uuid.NewString(), fmt.Sprintf("u%d", i), "10"))
	}

	f.decide(t, facts...)

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

// by returns the request of an actor.
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

// batched makes a batch of at most limit payouts.
func (f fixture) batched(ctx context.Context, maker string, limit int) (batch.Snapshot, error) {
	return command.NewMakeBatch(f.store.Batches(), uuid.NewString, true).
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
		_, err := command.NewMakeBatch(f.store.Batches(), uuid.NewString, true).
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

// SQL must refuse this, to the service's role and to the owner alike.
func TestTheDatabaseGuardsBatches(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	ids := f.requested(t, 6)

	draft, err := f.batched(ctx, "maker", 2) // u0, u1
	mustAll(t, err)
	fixed, err := f.batched(ctx, "maker", 2) // u2, u3
	mustAll(t, err, f.approved(ctx, "second", fixed.ID))
	sent, err := f.batched(ctx, "maker", 1) // u4
	mustAll(t, err, f.approved(ctx, "second", sent.ID), f.sent(ctx, "finance", sent.ID))

	b := func(set, id string) string {
		return `UPDATE payout_batches SET version = version + 1, ` + set + ` WHERE id = '` + id + `'`
	}
	p := func(set, id string) string {
		return `UPDATE payouts SET version = version + 1, ` + set + ` WHERE id = '` + id + `'`
	}
	closing := func(status, id string) string {
		account, more := "paid", ", paid_at = now()"
		if status == "failed" {
			account, more = "available", ", failure_code = 'other'"
		}

		return p(`status = '`+status+`', closed_at = now()`+more, id) + `; INSERT INTO ledger (user_id,
    currency, from_account, to_account, amount_minor, payout_id, created_at) SELECT user_id, currency,
    'in_payout', '` + account + `', amount_minor, id, now() FROM payouts WHERE id = '` + id + `'`
	}
	approve := `status = 'approved', approved_at = now(), approved_by = `

	for name, sql := range map[string]string{
		"approve by its maker":         b(approve+`'maker'`, draft.ID),
		"approve by one who is paid":   b(approve+`'u1'`, draft.ID),
		"approve by nobody":            b(`status = 'approved'`, draft.ID),
		"send a draft":                 b(`status = 'sent', sent_by = 'x', sent_at = now()`, draft.ID),
		"settle what is open":          b(`status = 'settled', closed_at = now()`, sent.ID),
		"settle by saying so":          b(`status = 'settled', closed_at = now(), open_payouts = 0`, sent.ID),
		"back to draft":                b(`status = 'draft', approved_at = NULL, approved_by = NULL`, fixed.ID),
		"another count":                b(`payouts = 1, open_payouts = 1`, draft.ID),
		"another sum":                  b(`total_minor = 1`, draft.ID),
		"another sum when approved":    b(`total_minor = 1`, fixed.ID),
		"another approver":             b(`approved_by = 'other'`, sent.ID),
		"without four eyes":            b(`four_eyes = false`, draft.ID),
		"another maker":                b(`made_by = 'other'`, draft.ID),
		"another currency":             b(`currency = 'EUR'`, draft.ID),
		"no version":                   `UPDATE payout_batches SET reason = 'x' WHERE id = '` + draft.ID + `'`,
		"delete":                       `DELETE FROM payout_batches`,
		"truncate":                     `TRUNCATE payout_batches CASCADE`,
		"cancel and keep":              b(`status = 'cancelled', closed_at = now()`, draft.ID),
		"join a draft":                 p(`batch_id = '`+draft.ID+`'`, ids[5]),
		"join an approved one":         p(`batch_id = '`+fixed.ID+`'`, ids[5]),
		"join none":                    p(`batch_id = gen_random_uuid()`, ids[5]),
		"leave a draft":                p(`batch_id = NULL`, ids[0]),
		"leave an approved one":        p(`batch_id = NULL`, ids[2]),
		"move to another batch":        p(`batch_id = '`+fixed.ID+`'`, ids[0]),
		"complete in a draft":          closing("completed", ids[0]),
		"fail and stay in a draft":     closing("failed", ids[0]),
		"complete when approved":       closing("completed", ids[2]),
		"fail when approved":           closing("failed", ids[2]),
		"complete without the batch":   closing("completed", ids[4]),
		"completed without a time":     p(`status = 'completed', closed_at = now()`, ids[5]),
		"failed without a code":        p(`status = 'failed', closed_at = now()`, ids[5]),
		"a reference while it is open": p(`external_reference = 'x'`, ids[5]),
		"begin in a batch": `INSERT INTO payouts (id, user_id, amount_minor, currency, payment_method,
    account_details, status, requested_at, created_at, batch_id) SELECT gen_random_uuid(), user_id, 1,
    currency, payment_method, '', 'requested', now(), now(), batch_id FROM payouts WHERE id = '` + ids[0] + `'`,
		"begin as approved": `INSERT INTO payout_batches SELECT gen_random_uuid(), currency,
    payment_method, cutoff, max_payouts, status, payouts, total_minor, open_payouts, four_eyes,
    made_by, made_at, approved_by, approved_at, sent_by, sent_at, closed_at, reason, 1
    FROM payout_batches WHERE id = '` + fixed.ID + `'`,
		"a file twice": `INSERT INTO payout_files SELECT id, 'csv', decode(repeat('00', 32), 'hex'), 1,
    'x', now() FROM payout_batches, generate_series(1, 2)`,
	} {
		for role, url := range map[string]string{"the service": f.db.URL, "the owner": f.db.OwnerURL} {
			conn, err := pgx.Connect(ctx, url)
			if err != nil {
				t.Fatal(err)
			}

			// statements that are sent as one text are one transaction
			_, err = conn.Exec(ctx, sql)
			if code := platform.Code(err); !strings.HasPrefix(code, "23") &&
				(role == "the owner" || code != "42501") {
				t.Errorf("%s, by %s: %v", name, role, err)
			}

			_ = conn.Close(ctx)
		}
	}

	f.wantBatch(t, draft.ID, "draft 2/2 2.00")
	f.wantBatch(t, fixed.ID, "approved 2/2 2.00")
	f.wantBatch(t, sent.ID, "sent 1/1 1.00")
}

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
INSERT INTO ledger (user_id, currency, from_account, to_account, amount_minor, payout_id, created_at)
SELECT user_id, 'USD', 'available', 'in_payout', 100, id, created_at FROM payouts;
INSERT INTO balances SELECT user_id, 'USD', -100, 0, 0, 100, 0 FROM payouts;
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
	for _, table := range []string{"payout_batches", "payouts", "ledger", "balances", "audit"} {
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

// Results, closings one by one, and a cancellation at once: each payout is closed once, or the batch
// is called off as a whole.
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
