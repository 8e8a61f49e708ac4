package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
)

// bulk returns the handler, and an action on what the filter matches.
func (f fixture) bulk(
	action commission.Action,
	filter query.CommissionFilter,
) (*command.ActInBulk, command.Bulk) {
	return command.NewActInBulk(f.store.Commissions(), f.store), command.Bulk{
		Action: action,
		Filter: filter,
		Caller: query.Everything(),
	}
}

// actInBulk acts on what the filter matches, after a dry run.
func (f fixture) actInBulk(
	ctx context.Context,
	action commission.Action,
	filter query.CommissionFilter,
) (command.BulkResult, error) {
	handler, bulk := f.bulk(action, filter)

	shown, err := handler.DryRun(ctx, byHand(), bulk)
	if err != nil {
		return shown, err
	}

	return handler.Handle(ctx, byHand(), bulk, shown.Token)
}

// An action in bulk writes what single actions write: rows, transfers, accounts of caps, audit.
func TestABulkRunWritesWhatSingleActionsWrite(t *testing.T) {
	t.Parallel()

	for _, action := range []commission.Action{
		commission.Approve, commission.Hold, commission.Release, commission.Reject,
	} {
		var written [2]string

		for i := range written {
			f := setup(t)
			f.rule(
				t, 1, 1, "0.1",
				"currency, cap_minor, cap_period, hold_days", "'USD', 1000000, 'month', 30",
			)
			f.decide(
				t,
				purchase("e1", "u", "100"),
				purchase("e2", "u", "200"),
				purchase("e3", "v", "300"),
				purchase("e4", "v", "400"),
				refund("r1", "u", "e1", "30"),
			)
			f.act(t, "e4", commission.Approve)

			if action == commission.Release {
				f.act(t, "e1", commission.Hold)
				f.act(t, "e3", commission.Hold)
			}

			if i == 1 {
				if _, err := f.actInBulk(t.Context(), action, query.CommissionFilter{}); err != nil {
					t.Errorf("%s: %v", action, err)
				}
			} else {
				for _, id := range []string{"e1", "e2", "e3"} {
					if action != commission.Release || id != "e2" {
						f.act(t, id, action)
					}
				}
			}

			written[i] = f.written(t)
		}

		if written[0] != written[1] {
			t.Errorf("%s, one by one:\n%s\nin bulk:\n%s", action, written[0], written[1])
		}
	}
}

// written returns all that actions write, without ids and what is in no order.
func (f fixture) written(t *testing.T) string {
	t.Helper()

	return f.one(t, `SELECT concat_ws(E'\n',
    (SELECT string_agg(concat_ws(' ', event_id, kind, status, version, reason), ';'
        ORDER BY event_id) FROM commissions),
    (SELECT string_agg(concat_ws(' ', c.event_id, l.user_id, from_account, to_account,
        l.amount_minor, l.position_minor), ';' ORDER BY c.event_id, from_account, to_account)
        FROM ledger AS l JOIN commissions AS c ON c.id = l.commission_id),
    (SELECT string_agg(concat_ws(' ', user_id, pending_minor, available_minor), ';'
        ORDER BY user_id) FROM balances),
    (SELECT string_agg(concat_ws(' ', user_id, volume_minor, earned_minor), ';'
        ORDER BY user_id) FROM usage),
    (SELECT string_agg(concat_ws(' ', a.actor, a.action, c.event_id, a.reason, a.before, a.after,
        a.request_id), ';' ORDER BY c.event_id, a.action)
        FROM audit AS a JOIN commissions AS c ON c.id::text = a.subject_id),
    (SELECT string_agg(concat_ws(' ', e.user_id, sequence, type, c.event_id, caused_by, cause_id,
        actor, e.status, e.version, previous_status, previous_version), ';'
        ORDER BY e.user_id, type, c.event_id)
        FROM commission_events AS e JOIN commissions AS c ON c.id = e.commission_id))`)
}

// Of a run and a single action on one of its commissions, only the first takes effect.
func TestABulkRunRacesWithSingleActions(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.1", "hold_days", "30")

	for round := range 10 {
		user := fmt.Sprint("u", round)
		f.decide(
			t,
			purchase("a"+user, user, "10"),
			purchase("b"+user, user, "10"),
			purchase("c"+user, user, "10"),
		)

		handler, bulk := f.bulk(commission.Approve, query.CommissionFilter{UserID: user})

		shown, err := handler.DryRun(t.Context(), byHand(), bulk)
		if err != nil || shown.Count != 3 {
			t.Fatalf("%+v, %v", shown, err)
		}

		held := f.one(t, `SELECT id FROM commissions WHERE event_id = $1`, "b"+user)

		var (
			running sync.WaitGroup
			results [3]error
		)

		for i := range 2 {
			running.Go(func() {
				_, results[i] = handler.Handle(t.Context(), byHand(), bulk, shown.Token)
			})
		}

		running.Go(func() {
			_, results[2] = command.NewActOnCommission(f.store.Commissions()).Handle(
				t.Context(),
				byHand(),
				command.Action{ID: held, Action: commission.Hold},
			)
		})
		running.Wait()

		done := 0

		for i, err := range results {
			switch {
			case err == nil:
				done++
			case i < 2 && errors.Is(err, command.ErrSelectionChanged):
			case i == 2 && errors.Is(err, effect.ErrTransition):
			default:
				t.Errorf("%d: %v", i, err)
			}
		}

		want := "300/0 0"
		if results[2] != nil {
			want = "0/300 3"
		}

		if got := f.one(t, `SELECT concat_ws(' ', concat_ws('/', pending_minor, available_minor),
    (SELECT count(*) FROM commissions AS c WHERE c.user_id = b.user_id AND status = 'approved'))
    FROM balances AS b WHERE user_id = $1`, user); done != 1 || got != want {
			t.Errorf("round %d: %s, want %s; %v", round, got, want, results)
		}
	}
}

// A run has a limit, and waits for whoever holds the lock of one of its users.
func TestABulkRunHasALimit(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.1", "hold_days", "30")

	var events []event.Snapshot
	for i := range 5000 {
		events = append(events, purchase(fmt.Sprint("e", i), fmt.Sprint("u", i%500), "10"))
	}

	f.decide(t, events...)

	if err := f.whileLocked(t, "u7", func(ctx context.Context) error {
		_, err := f.actInBulk(ctx, commission.Hold, query.CommissionFilter{})
		return err
	}); err != nil {
		t.Errorf("hold: %v", err)
	}

	f.decide(t, purchase("more", "u1", "10"))
	f.act(t, "more", commission.Hold)

	if _, err := f.actInBulk(
		t.Context(),
		commission.Reject,
		query.CommissionFilter{},
	); !errors.Is(err, command.ErrBulkTooLarge) {
		t.Errorf("one too many: %v", err)
	}

	if _, err := f.actInBulk(
		t.Context(),
		commission.Release,
		query.CommissionFilter{UserID: "u1"},
	); err != nil {
		t.Errorf("of a user: %v", err)
	}

	done, err := f.actInBulk(t.Context(), commission.Reject, query.CommissionFilter{Status: "held"})
	if err != nil || done.Count != 4990 || done.Totals[0].Minor() != "499000" {
		t.Errorf("the others: %+v, %v", done, err)
	}

	if got := f.one(t, `SELECT string_agg(concat_ws(' ', status, n), ';' ORDER BY status) FROM
    (SELECT status, count(*) AS n FROM commissions GROUP BY status) AS s`); got != "pending 11;rejected 4990" {
		t.Error(got)
	}
}

// A connection that breaks at any statement of a run leaves nothing of it; the run can be repeated
// with the same token and key, and is then answered again without another change.
func TestABrokenConnectionLeavesNothingOfABulkRun(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.1", "hold_days", "30")
	f.decide(t, purchase("e1", "u", "10"), purchase("e2", "v", "10"))

	handler, bulk := f.bulk(commission.Approve, query.CommissionFilter{})

	shown, err := handler.DryRun(t.Context(), byHand(), bulk)
	if err != nil {
		t.Fatal(err)
	}

	request := byHand()
	request.Key = "run"
	request.Render = func(any) ([]byte, error) { return []byte("{}"), nil }

	before := f.written(t)

	f.owned(t, `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`)

	for _, table := range []string{
		"commissions", "transfers", "balances", "audit", "idempotency_keys",
	} {
		f.owned(t, `CREATE TRIGGER die AFTER INSERT OR UPDATE ON `+table+` EXECUTE FUNCTION die()`)

		if _, err := handler.Handle(t.Context(), request, bulk, shown.Token); err == nil {
			t.Errorf("%s: no error", table)
		}

		f.owned(t, `DROP TRIGGER die ON `+table)

		if got := f.written(t); got != before {
			t.Errorf("%s left %s", table, got)
		}
	}

	if _, err := handler.Handle(t.Context(), request, bulk, shown.Token); err != nil {
		t.Fatal(err)
	}

	after := f.written(t)

	var replayed *change.ReplayedError
	if _, err := handler.Handle(t.Context(), request, bulk, shown.Token); !errors.As(err, &replayed) ||
		f.written(t) != after || after == before {
		t.Errorf("again: %v, %s", err, f.written(t))
	}
}
