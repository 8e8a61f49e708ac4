package postgres_test

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/domain/rule"
)

// fold is what a reader of the log knows: the last state of everything.
type fold struct {
	decisions   map[string]query.Decided
	commissions map[string]commission.Snapshot
	payouts     map[string]payout.Snapshot
	rules       map[rule.Ref]rule.Snapshot
	last        map[string]int64 // the sequence of each user and rule
}

func newFold() fold {
	return fold{
		decisions:   map[string]query.Decided{},
		commissions: map[string]commission.Snapshot{},
		payouts:     map[string]payout.Snapshot{},
		rules:       map[rule.Ref]rule.Snapshot{},
		last:        map[string]int64{},
	}
}

// add takes the next event in. It returns what the event contradicts of those before.
func (f fold) add(e eventlog.Event) error {
	f.last[e.Key()]++
	if e.Sequence != f.last[e.Key()] {
		return fmt.Errorf("%s: number %d comes as %d", e.Key(), e.Sequence, f.last[e.Key()])
	}

	var status string

	version := 0

	switch e.Type.Subject() {
	case effect.Decision:
		if before, known := f.decisions[e.Decision.Event.ID()]; known {
			status = string(before.Outcome)
		}

		f.decisions[e.Decision.Event.ID()] = *e.Decision
		if e.Commission != nil {
			f.commissions[e.Commission.ID] = *e.Commission
		}
	case effect.Commission:
		before := f.commissions[e.Commission.ID]
		status, version = string(before.Status), before.Version
		f.commissions[e.Commission.ID] = *e.Commission
	case effect.Payout:
		before := f.payouts[e.Payout.ID]
		status, version = string(before.Status), before.Version
		f.payouts[e.Payout.ID] = *e.Payout
	case effect.Rule:
		version = f.foldRule(e)
	}

	if e.PreviousStatus != status || e.PreviousVersion != version {
		return fmt.Errorf("%s of %s: after %s %d, and not %s %d",
			e.Type, e.Key(), e.PreviousStatus, e.PreviousVersion, status, version)
	}

	return nil
}

// foldRule returns the number of the last version before. A rule is retired with all its versions.
func (f fold) foldRule(e eventlog.Event) int {
	snapshot := e.Rule.Snapshot()
	before := 0

	for ref := range f.rules {
		if ref.ID == snapshot.ID {
			before = max(before, ref.Version)
		}
	}

	f.rules[e.Rule.Ref()] = snapshot

	if e.Type == effect.RuleRetired {
		for ref, version := range f.rules {
			if ref.ID == snapshot.ID {
				version.RetiredAt = snapshot.RetiredAt
				f.rules[ref] = version
			}
		}
	}

	return before
}

// checkFold folds the whole log and compares it with the tables.
func (f fixture) checkFold(t *testing.T) fold {
	t.Helper()

	number, err := strconv.Atoi(f.one(t, `SELECT count(*) FROM commission_events`))
	if err != nil {
		t.Fatal(err)
	}

	known := newFold()
	for _, e := range f.read(t, eventlog.Position{}, number) {
		if err := known.add(e); err != nil {
			t.Fatal(err)
		}
	}

	f.compareDecisions(t, known)
	same(t, "commissions", known.commissions, f.allCommissions(t))
	same(t, "payouts", known.payouts, f.allPayouts(t))

	set, err := f.store.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	rules := map[rule.Ref]rule.Snapshot{}
	for _, r := range set.All() {
		rules[r.Ref()] = r.Snapshot()
	}

	same(t, "rules", known.rules, rules)

	return known
}

func same[K comparable, V any](t *testing.T, what string, folded, stored map[K]V) {
	t.Helper()

	if len(folded) != len(stored) {
		t.Errorf("%d %s folded, %d stored", len(folded), what, len(stored))
	}

	for id, want := range stored {
		if got, found := folded[id]; !found || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s %v:\nfolded %+v\nstored %+v", what, id, got, want)
		}
	}
}

func (f fixture) compareDecisions(t *testing.T, known fold) {
	t.Helper()

	stored := map[string]query.Decided{}

	for id := range known.decisions {
		d, err := f.store.Decision(t.Context(), owned(t, ""), id)
		if err != nil {
			t.Fatal(err)
		}

		stored[id] = d
	}

	same(t, "decisions", known.decisions, stored)

	if got := f.one(t, `SELECT count(*) FROM decisions`); got != strconv.Itoa(len(stored)) {
		t.Errorf("%d decisions folded, %s stored", len(stored), got)
	}
}

// allCommissions returns the commissions as lists have them, without what events leave out.
func (f fixture) allCommissions(t *testing.T) map[string]commission.Snapshot {
	t.Helper()

	const page = 1000

	out := map[string]commission.Snapshot{}
	slice := query.Slice{Limit: page}

	for {
		rows, err := f.store.List(t.Context(), owned(t, ""), query.CommissionFilter{}, slice)
		if err != nil {
			t.Fatal(err)
		}

		for _, c := range rows {
			slice.After = c.ID
			c.Reason = ""
			out[c.ID] = c
		}

		if len(rows) < page {
			return out
		}
	}
}

func (f fixture) allPayouts(t *testing.T) map[string]payout.Snapshot {
	t.Helper()

	const page = 1000

	out := map[string]payout.Snapshot{}

	var after query.Position

	for {
		rows, err := f.store.Payouts().Payouts(
			t.Context(), owned(t, ""), query.PayoutFilter{}, page, after,
		)
		if err != nil {
			t.Fatal(err)
		}

		for _, p := range rows {
			after = query.Position{At: p.CreatedAt, ID: p.ID}
			p.Details = ""

			if p.Status != payout.Rejected {
				p.Reason = ""
			}

			out[p.ID] = p
		}

		if len(rows) < page {
			return out
		}
	}
}

// Whatever happens to events, commissions, payouts and rules, the fold of the log is the tables.
func TestTheFoldOfTheLogIsTheTables(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.publishTiers(t)

	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		users := []string{fmt.Sprintf("fold%d-0-", runs), fmt.Sprintf("fold%d-1-", runs)}
		events := drawn(r, "e", autumn().From, 40, nil)

		for _, user := range users {
			arrival := rapid.Permutation(events).Draw(r, "arrival")
			f.arrive(t, user, arrival, rapid.IntRange(1, 5).Draw(r, "batch"), func() {
				f.happens(t, r, user)
			})
		}
	})

	known := f.checkFold(t)
	counted := f.kinds(t)

	for _, kind := range []effect.Type{
		effect.DecisionMade,
		effect.CommissionAdjusted,
		effect.CommissionApproved,
		effect.CommissionHeld,
		effect.CommissionReleased,
		effect.CommissionRejected,
		effect.CommissionReversed,
		effect.PayoutRequested,
		effect.PayoutRejected,
		effect.PayoutCompleted,
		effect.PayoutFailed,
		effect.PayoutCancelled,
		effect.PayoutUpdated,
		effect.RulePublished,
		effect.RuleRetired,
	} {
		if !slices.Contains(counted, string(kind)) {
			t.Errorf("no %s in %d runs, with %d users and rules", kind, runs, len(known.last))
		}
	}
}

// kinds returns the types of the events that were written.
func (f fixture) kinds(t *testing.T) []string {
	t.Helper()

	rows, err := f.owner.Query(t.Context(), `SELECT type FROM commission_events GROUP BY type`)
	if err != nil {
		t.Fatal(err)
	}

	var out []string
	for rows.Next() {
		var kind string
		if err := rows.Scan(&kind); err != nil {
			t.Fatal(err)
		}

		out = append(out, kind)
	}

	return out
}
