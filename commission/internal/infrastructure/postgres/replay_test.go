package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	domain "tributary/commission/internal/domain/replay"
	"tributary/contracts/eventtype"
)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func november() domain.Period {
	return domain.Period{
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	}
}

func byHand() change.Request {
	return change.Request{Actor: "operator", Reason: "test", Now: start(), RequestID: "request"}
}

// rule publishes a version for purchases since the beginning of the year, with further columns and
// their values.
func (f fixture) rule(tb testing.TB, id, version int, rate, columns, values string) {
	tb.Helper()

	if columns != "" {
		columns, values = ", "+columns, ", "+values
	}

	f.owned(tb, fmt.Sprintf(`INSERT INTO rules (rule_id, version, name, event_type, kind, rate,
    priority, effective_from, published_at, revision%s)
		SELECT '00000000-0000-7000-8000-%012d', %d, 'test', 'purchase', 'percentage', '%s', %d,
		    '2026-01-01', '%s', revision + 1%s FROM rules_revision`,
		columns, 900+id, version, rate, id, start().Format(time.RFC3339), values))
}

// usage returns the accounts of tiers and caps of u that are not zero.
func (f fixture) usage(t *testing.T) string {
	t.Helper()

	return f.one(t, `SELECT coalesce(string_agg(concat_ws(' ', right(rule_id::text, 3), period,
    volume_minor, earned_minor), ';' ORDER BY rule_id, period), '')
		FROM usage WHERE user_id = 'u' AND (volume_minor, earned_minor) <> (0, 0)`)
}

// act performs an action on the earning of an event.
func (f fixture) act(t *testing.T, eventID string, action commission.Action) {
	t.Helper()
	f.actOn(t, eventID, "earning", action)
}

// actOn performs an action on the commission of an event that is of the kind.
func (f fixture) actOn(t *testing.T, eventID, kind string, action commission.Action) {
	t.Helper()

	id := f.one(t, `SELECT id FROM commissions WHERE event_id = $1 AND kind = $2`, eventID, kind)
	if _, err := command.NewActOnCommission(f.store.Commissions()).Handle(
		t.Context(),
		byHand(),
		command.Action{ID: id, Action: action},
	); err != nil {
		t.Fatal(err)
	}
}

// rows returns the user's commissions.
func (f fixture) rows(t *testing.T, user string) string {
	t.Helper()

	return f.one(t, `SELECT string_agg(concat_ws(' ', event_id, kind, status, amount_minor), ';'
    ORDER BY id) FROM commissions WHERE user_id = $1`, user)
}

// replay applies a replay of the month and returns what it posted.
func (f fixture) replay(t *testing.T) string {
	t.Helper()
	return f.replayOf(t, november().From, november().To)
}

func (f fixture) replayOf(t *testing.T, from, to time.Time) string {
	t.Helper()

	found, err := f.start(t, f.store, domain.Period{From: from, To: to})
	if err != nil {
		t.Fatal(err)
	}

	text := ""
	for _, d := range found.Differences {
		text += fmt.Sprintf("%s %+d;", d.Event.ID(), d.Expected-d.Posted)
	}

	return text
}

// start requests a replay, and does it if nothing prevents it.
func (f fixture) start(
	tb testing.TB,
	store replay.Store,
	period domain.Period,
) (replay.Result, error) {
	tb.Helper()

	request := byHand()
	request.Now = f.clock()

	return f.replays(store).Start(tb.Context(), request, period, false)
}

func (f fixture) replays(store replay.Store) *replay.Handler {
	return replay.New(replay.Dependencies{
		Store:    store,
		Replays:  f.store.Replays(),
		Now:      f.clock,
		NewID:    newID,
		Logger:   slog.New(slog.DiscardHandler),
		InMemory: f.inMemory,
	})
}

// claim returns a new replay of no events, on which no replica works.
func (f fixture) claim(t *testing.T) replay.Claim {
	t.Helper()

	claim := replay.Claim{ID: newID(), Holder: newID()}
	period := domain.Period{From: start().AddDate(1, 0, 0), To: start().AddDate(2, 0, 0)}
	wanted := replay.Creation{Period: period, Small: 10, Holder: claim.Holder}

	mustAll(t, f.store.Replays().Create(t.Context(), byHand(), wanted, func(
		revision int64,
		small bool,
	) (domain.Replay, change.Outcome, error) {
		made, err := domain.New(domain.Wanted{
			ID:       claim.ID,
			Period:   period,
			Reason:   "test",
			Actor:    "operator",
			Revision: revision,
			AtOnce:   small,
			Now:      f.clock(),
		})

		return made, change.Outcome{}, err
	}))

	return claim
}

// failing is a store that stores nothing for one user.
type failing struct {
	replay.Store

	userID string
}

var errAway = errors.New("database away")

func (s failing) Post(
	ctx context.Context,
	claim replay.Claim,
	users []string,
	fn func(*domain.Replay, []replay.History) (replay.Posting, error),
) ([]commission.Snapshot, error) {
	if slices.Contains(users, s.userID) {
		return nil, errAway
	}

	return s.Store.Post(ctx, claim, users, fn)
}

// apart is a store that has each user in a step of its own.
type apart struct{ replay.Store }

func (s apart) Users(
	ctx context.Context,
	period domain.Period,
	after string,
	_ int,
) ([]replay.User, error) {
	return s.Store.Users(ctx, period, after, 1)
}

// A replay that is interrupted half-way has posted whole users, each with its audit, and knows how
// far it has come. Whoever goes on with it does the rest.
func TestAnInterruptedReplayIsAuditedAndGoesOn(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.decide(t, purchase("e1", "u", "100"), purchase("e2", "v", "50"), purchase("e3", "w", "50"))
	f.rule(t, 1, 1, "0.2", "", "")

	found, err := f.start(t, failing{apart{f.store}, "v"}, november())
	if err != nil || found.Complete || found.Replay.Status != domain.Running ||
		found.Replay.Progress.Done.Users != 1 || found.Replay.Progress.Total.Users != 3 {
		t.Fatalf("Start = %+v, %v", found, err)
	}

	const audited = `SELECT string_agg(concat_ws(' ', c.user_id, c.amount_minor, a.actor, a.action,
    a.request_id, c.replay_id = (SELECT id FROM replays)), ';' ORDER BY c.user_id)
		FROM commissions AS c LEFT JOIN audit AS a ON a.subject_id = c.id::text
		    WHERE c.kind = 'adjustment'`
	if got := f.one(t, audited); got != "u 1000 operator replay request t" {
		t.Errorf("after the interruption: %s", got)
	}

	f.replays(f.store).Work(t.Context())

	if got := f.one(t, audited); got != "u 1000 operator replay request t;"+
		"v 500 operator replay request t;w 500 operator replay request t" {
		t.Errorf("at the end: %s", got)
	}

	if got := f.one(t, `SELECT concat_ws(' ', status, users, events, differences, sums::text)
    FROM replays`); got != `completed 3 3 3 {"USD": "2000"}` {
		t.Errorf("the replay: %s", got)
	}

	if got := f.replay(t); got != "" {
		t.Errorf("once more: %s", got)
	}
}

const (
	capped = "currency, cap_minor, cap_period"
	to100  = "'USD', 10000, 'lifetime'"
)

// A cap is used up by what is posted: a replay releases what it reverses, and moves it to the rule
// that applies now.
func TestReplayCorrectsTheUsage(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.5", capped, to100)
	f.decide(t, purchase("e1", "u", "200"))
	f.rule(t, 1, 2, "0.25", capped, to100)

	if got := f.replay(t); got != "e1 -5000;" {
		t.Errorf("half the rate: %s", got)
	}

	f.decide(t, purchase("e2", "u", "120"))

	if got := f.outcome(t, "e2"); got != "commissioned rule_applied 3000" {
		t.Errorf("the next sale: %s", got)
	}

	// changes neither amount, and counts both
	f.rule(t, 2, 1, "0.25", capped, "'USD', 9000, 'month'")

	if got := f.replay(t) + f.usage(t); got != "902 2026-11 32000 8000" {
		t.Errorf("another rule: %s", got)
	}

	f.decide(t, purchase("e3", "u", "100"), refund("r1", "u", "e1", ""))

	if got := f.outcome(t, "e3") + " " + f.usage(t); got != "commissioned rule_applied_at_cap 1000 902 2026-11 22000 4000" {
		t.Errorf("under the other rule: %s", got)
	}
}

// A rejected commission uses up neither cap nor tier, even if a part of it was reversed before.
func TestARejectedEarningReleasesItsUsage(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.5", capped+", hold_days", to100+", 30")
	f.decide(
		t,
		purchase("e1", "u", "100"),
		purchase("e2", "u", "100"),
		refund("r2", "u", "e2", "40"),
	)
	f.act(t, "e2", commission.Reject)

	if got := f.usage(t); got != "901 lifetime 10000 5000" {
		t.Errorf("usage: %s", got)
	}

	f.decide(t, purchase("e3", "u", "100"), refund("r3", "u", "e2", ""))

	if got := f.outcome(t, "e3") + ", " + f.outcome(
		t,
		"r3",
	); got != "commissioned rule_applied 5000, not_commissioned original_rejected 0" {
		t.Errorf("decided: %s", got)
	}

	if got := f.replay(t) + f.usage(t) + " " + f.balance(t, "u"); got != "901 lifetime 20000 10000 10000/0/0/0" {
		t.Errorf("replayed: %s", got)
	}

	f.act(t, "e1", commission.Reject)
	f.act(t, "e3", commission.Reject)

	if got := f.usage(t) + f.replay(t) + f.usage(t) + f.balance(t, "u"); got != "0/0/0/0" {
		t.Errorf("all rejected: %s", got)
	}
}

// An adjustment of a pending or held commission is not payable before it, and not at all if it is
// rejected.
func TestAnAdjustmentSharesTheFateOfItsEarning(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.1", "hold_days", "30")
	f.decide(
		t,
		purchase("approved", "u", "100"),
		purchase("held", "u", "50"),
		purchase("reversed", "u", "10"),
		purchase("rejected", "v", "100"),
	)
	f.act(t, "held", commission.Hold)
	f.rule(t, 1, 2, "0.2", "hold_days", "30")

	if got := f.replay(t); got != "approved +1000;held +500;reversed +100;rejected +1000;" {
		t.Errorf("posted: %s", got)
	}

	if got := f.balance(t, "u") + " " + f.balance(t, "v"); got != "3200/0/0/0 2000/0/0/0" {
		t.Errorf("balances: %s", got)
	}

	f.decide(t, refund("r", "u", "reversed", ""))
	f.act(t, "rejected", commission.Reject)

	if n, err := f.approveDue(t.Context(), start().AddDate(0, 0, 30), 10); n != 1 ||
		err != nil {
		t.Errorf("UpdateDue = %d, %v", n, err)
	}

	if got := f.balance(t, "u") + " " + f.balance(t, "v"); got != "1000/2000/0/0 0/0/0/0" {
		t.Errorf("balances after: %s", got)
	}

	want := "approved earning approved 1000;held earning held 500;reversed earning reversed 100;" +
		"approved adjustment approved 1000;held adjustment pending 500;reversed adjustment " +
		"approved 100;r clawback approved -200"
	if got := f.rows(t, "u") + ";" + f.rows(
		t,
		"v",
	); got != want+";rejected earning rejected 1000;rejected adjustment rejected 1000" {
		t.Errorf("rows: %s", got)
	}

	f.rule(t, 1, 3, "0.3", "hold_days", "30")

	if got := f.replay(t) + f.balance(t, "u") + " " + f.balance(t, "v"); got != "approved +1000;held +500;1500/3000/0/0 0/0/0/0" {
		t.Errorf("replayed again: %s", got)
	}
}

// A refund reverses what a replay added, and a further replay finds nothing to correct.
func TestARefundTakesBackAdjustmentsToo(t *testing.T) {
	t.Parallel()
	f := setup(t)
	lead := func(id string) event.Snapshot {
		e := purchase(id, "u", "100")
		e.Type = eventtype.Lead

		return e
	}
	f.decide(
		t,
		purchase("whole", "u", "100"),
		purchase("parts", "u", "100"),
		purchase("begun", "u", "100"),
		refund("b1", "u", "begun", "30"),
		lead("none"),
		lead("late"),
		refund("l1", "u", "late", "30"),
	)
	f.rule(t, 1, 1, "0.2", "", "")
	f.owned(t, `INSERT INTO rules (rule_id, version, name, event_type, kind, rate, effective_from,
    revision)
		SELECT '00000000-0000-7000-8000-000000000777', 1, 'test', 'lead', 'percentage', '0.2',
		    '2026-01-01', revision + 1 FROM rules_revision`)

	if got := f.replay(t); got != "begun +700;late +1400;none +2000;parts +1000;whole +1000;" {
		t.Errorf("posted: %s", got)
	}

	if got := f.balance(t, "u"); got != "0/8800/0/0" {
		t.Errorf("balance: %s", got)
	}

	f.decide(
		t,
		refund("w", "u", "whole", ""),
		refund("p1", "u", "parts", "30"),
		refund("p2", "u", "parts", "30"),
		refund("b2", "u", "begun", "20"),
		refund("n1", "u", "none", "50"),
		refund("l2", "u", "late", ""),
	)

	if got := f.replay(t); got != "" {
		t.Errorf("replayed after refunds: %s", got)
	}

	f.decide(
		t,
		refund("p3", "u", "parts", "40"),
		refund("b3", "u", "begun", "50"),
		refund("n2", "u", "none", "50"),
	)

	const nets = `SELECT string_agg(concat_ws(' ', root, net), ';' ORDER BY root) FROM (
		SELECT coalesce(d.reverses_event_id, c.event_id) AS root, sum(c.amount_minor) AS net
		    FROM commissions AS c LEFT JOIN decisions AS d ON d.event_id = c.event_id
		        AND c.kind = 'clawback' GROUP BY 1) AS n`
	if got := f.one(t, nets); got != "begun 0;late 0;none 0;parts 0;whole 0" {
		t.Errorf("what is left: %s", got)
	}

	if got := f.replay(t) + f.balance(t, "u"); got != "0/0/0/0" {
		t.Errorf("at the end: %s", got)
	}

	if got := f.one(t, `SELECT string_agg(DISTINCT status, ' ') FROM commissions
    WHERE kind = 'earning'`); got != "reversed" {
		t.Errorf("earnings are %s", got)
	}
}

// A sale that a rule applied to keeps its order, even if a replay has left it nothing.
func TestAnOrderStaysTaken(t *testing.T) {
	t.Parallel()
	f := setup(t)
	first, second := purchase("e1", "u", "100"), purchase("e2", "u", "300")
	first.OrderID, second.OrderID = "o", "o"
	second.OccurredAt = first.OccurredAt.Add(time.Minute)
	f.decide(t, first)
	f.rule(t, 1, 1, "0.1", "currency, minimum_base_minor", "'USD', 20000")

	if got := f.replay(t); got != "e1 -1000;" {
		t.Errorf("below the minimum: %s", got)
	}

	f.decide(t, second)

	if got := f.outcome(t, "e2") + " " + f.replay(t) + f.balance(t, "u"); got != "not_commissioned duplicate_order 0 0/0/0/0" {
		t.Errorf("the next sale: %s", got)
	}

	byOrder := refund("r", "u", "", "")
	byOrder.OrderID = "o"
	f.decide(t, byOrder)

	if got := f.outcome(t, "r") + " " + f.replay(t) + f.balance(t, "u"); got != "not_commissioned nothing_to_claw_back 0 0/0/0/0" {
		t.Errorf("the refund of the order: %s", got)
	}
}

// A hold keeps the order where it is. If the sale that is held still has it, it stays there, even
// if another one occurred before; if a replay has moved it before, it stays there too. A rejection
// does the same.
func TestAHoldLeavesTheOrderWhereItIs(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		earlier string // amount of the sale that occurred first
		action  commission.Action
		first   bool // the action comes before the replay
		rows    string
	}{
		"held, then replayed, beside 0": {
			"0", commission.Hold, true, "late earning held 1000",
		},
		"replayed, then held, beside 0": {
			"0", commission.Hold, false, "late earning held 1000;late adjustment pending -1000",
		},
		"held, then replayed": {
			"50", commission.Hold, true, "late earning held 1000",
		},
		"replayed, then held": {
			"50", commission.Hold, false, "late earning held 1000;late adjustment pending -1000;" +
				"early adjustment pending 500",
		},
		"rejected, then replayed": {
			"50", commission.Reject, true, "late earning rejected 1000",
		},
		"replayed, then rejected": {
			"50", commission.Reject, false, "late earning rejected 1000;" +
				"late adjustment rejected -1000;early adjustment pending 500",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			f.rule(t, 1, 1, "0.1", "hold_days", "30")

			early, late := purchase("early", "u", c.earlier), purchase("late", "u", "100")
			early.OrderID = "o"
			early.OccurredAt = late.OccurredAt.Add(-time.Hour)
			late.OrderID = "o"
			f.decide(t, late)
			f.decide(t, early)

			if c.first {
				f.act(t, "late", c.action)
				f.replay(t)
			} else {
				f.replay(t)
				f.act(t, "late", c.action)
			}

			before := f.money(t, "u")
			if got := f.replay(t) + f.rows(t, "u"); sorted(got) != sorted(c.rows) {
				t.Errorf("rows: %s, want %s", got, c.rows)
			}

			if got := f.money(t, "u"); got != before {
				t.Errorf("another replay turns %s into\n%s", before, got)
			}
		})
	}
}

// sorted returns the rows, which may have been made in any order, in order.
func sorted(rows string) string {
	list := strings.Split(rows, ";")
	slices.Sort(list)

	return strings.Join(list, ";")
}
