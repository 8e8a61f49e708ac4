package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// autumn contains all events of these tests, in two months of tiers and caps.
func autumn() domain.Period {
	return domain.Period{
		From: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	}
}

// publishTiers publishes rules with tiers, caps, a minimum and a maximum.
func (f fixture) publishTiers(t *testing.T) {
	t.Helper()
	rate := func(text string) money.Rate {
		r, err := money.ParseRate(text)
		if err != nil {
			t.Fatal(err)
		}

		return r
	}

	tiers := []rule.Tier{
		{From: 0, Rate: rate("0.05")},
		{From: 10_000, Rate: rate("0.0725")},
		{From: 50_000, Rate: rate("0.1")},
	}
	for _, snapshot := range []rule.Snapshot{
		{Scope: rule.Scope{EventType: eventtype.Sale}, Formula: rule.Graduated{Tiers: tiers, Period: rule.Monthly}, Cap: &rule.Cap{Amount: 6_000, Period: rule.Monthly}},
		{Scope: rule.Scope{EventType: eventtype.Purchase}, Formula: rule.AllUnits{Tiers: tiers, Period: rule.Lifetime}, MinimumBase: 100, Maximum: 2_500, HoldDays: 365},
		{Scope: rule.Scope{EventType: eventtype.View}, Formula: rule.Flat{Amount: rate("0.7")}, Cap: &rule.Cap{Amount: 150, Period: rule.Daily}},
	} {
		snapshot.Priority = 5
		f.publish(t, snapshot)
	}
}

func (f fixture) publish(t *testing.T, snapshot rule.Snapshot) {
	t.Helper()
	snapshot.ID = newID()
	snapshot.Version = 1
	snapshot.Name = fmt.Sprint(snapshot.Formula.Kind(), " ", snapshot.Scope.EventType)
	snapshot.Currency = money.USD()

	snapshot.EffectiveFrom = autumn().From.AddDate(-1, 0, 0)
	if err := f.store.PublishRule(
		t.Context(),
		byHand(),
		func(*rule.Set) (rule.Rule, change.Outcome, error) { return unaudited(rule.New(snapshot)) },
	); err != nil {
		t.Fatal(err)
	}
}

// publishBetter publishes a rule of the users' own for events of the type.
func (f fixture) publishBetter(t *testing.T, users [2]string, kind eventtype.Type) {
	t.Helper()

	rate, err := money.ParseRate("0.2")
	if err != nil {
		t.Fatal(err)
	}

	for _, user := range users {
		f.publish(t, rule.Snapshot{
			Scope: rule.Scope{
				EventType: kind,
				UserID:    user,
			},
			Formula: rule.Percentage{Rate: rate},
			Cap:     &rule.Cap{Amount: 9_000, Period: rule.Lifetime},
		})
	}
}

// publishNext publishes the next version of the users' own rule, which changes its cap, or tiers.
func (f fixture) publishNext(t *testing.T, r *rapid.T, users [2]string, kind eventtype.Type) {
	t.Helper()

	var formula rule.Formula = rule.Percentage{Rate: share(t, "0.15")}
	if rapid.Bool().Draw(r, "tiers") {
		formula = rule.Graduated{
			Period: rapid.SampledFrom([]rule.Period{rule.Monthly, rule.Lifetime}).Draw(r, "period"),
			Tiers:  []rule.Tier{{From: 0, Rate: share(t, "0")}, {From: 20_000, Rate: share(t, "0.2")}},
		}
	}

	limit := &rule.Cap{
		Amount: 5_000,
		Period: rapid.SampledFrom([]rule.Period{rule.Daily, rule.Monthly, rule.Lifetime}).Draw(r, "cap"),
	}
	for _, user := range users {
		err := f.store.PublishRule(t.Context(), byHand(), func(set *rule.Set) (rule.Rule, change.Outcome, error) {
			for _, own := range set.All() {
				snapshot := own.Snapshot()
				if snapshot.Scope.UserID == user && snapshot.Scope.EventType == kind {
					snapshot.Version++
					snapshot.Formula = formula
					snapshot.Cap = limit
					snapshot.PublishedAt = start()
					snapshot.EffectiveFrom = autumn().From.AddDate(0, 0, 40)

					return unaudited(rule.New(snapshot))
				}
			}

			return unaudited(rule.Rule{}, errAway)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// drawn draws sales, purchases, views and leads, which have no rule, some of which share an order,
// and reversals of any of them, of each other, and of orders; ids begin with the name. All occur
// within the given number of days.
func drawn(
	t *rapid.T,
	name string,
	from time.Time,
	days int,
	originals []event.Snapshot,
) []event.Snapshot {
	var out []event.Snapshot

	add := func(f event.Snapshot) {
		f.ID = fmt.Sprint(name, len(out))
		f.OccurredAt = from.Add(
			time.Duration(rapid.IntRange(0, days*24*60).Draw(t, "minute")) * time.Minute,
		)
		out = append(out, f)
	}
	for range rapid.IntRange(1, 8).Draw(t, "events") {
		f := event.Snapshot{
			Type: rapid.SampledFrom(
				[]eventtype.Type{eventtype.Sale, eventtype.Purchase, eventtype.View, eventtype.Lead},
			).Draw(t, "type"),
		}
		if f.Type != eventtype.View {
			f.Amount = money.FromMinor(
				rapid.Int64Range(0, 40_000).Draw(t, "minor"),
				money.USD(),
			).String()
		}

		if f.Type.Sells() {
			f.OrderID = fmt.Sprint(name, rapid.IntRange(0, 6).Draw(t, "order"))
			f.CampaignID = rapid.SampledFrom([]string{"", "", "shop"}).Draw(t, "campaign")
		}

		add(f)
		originals = append(originals, out[len(out)-1])
	}

	for range rapid.IntRange(0, 6).Draw(t, "reversals") {
		original := rapid.SampledFrom(originals).Draw(t, "original")

		f := event.Snapshot{Type: eventtype.Refund, OriginalID: original.ID}
		if original.OrderID != "" && rapid.Bool().Draw(t, "by order") {
			f.OriginalID, f.OrderID = "", original.OrderID
			f.CampaignID = original.CampaignID
		}

		if rapid.Bool().Draw(t, "partial") {
			f.Amount = money.FromMinor(
				rapid.Int64Range(1, 40_000).Draw(t, "part"),
				money.USD(),
			).String()
		}

		add(f)

		if rapid.IntRange(0, 4).Draw(t, "again") == 0 {
			add(event.Snapshot{Type: eventtype.Void, OriginalID: out[len(out)-1].ID})
		}
	}

	return out
}

// arrive passes the events on as those of the user, in their order and in batches of the size.
// After each batch it calls then.
func (f fixture) arrive(t *testing.T, user string, events []event.Snapshot, size int, then func()) {
	t.Helper()

	for batch := range slices.Chunk(events, size) {
		var events []event.Event
		for _, snapshot := range batch {
			snapshot.UserID = user
			snapshot.ID = user + snapshot.ID

			snapshot.ReceivedAt = start()
			if snapshot.OriginalID != "" {
				snapshot.OriginalID = user + snapshot.OriginalID
			}

			events = append(events, event.Restore(snapshot))
		}

		if refused, err := f.handler.Handle(t.Context(), events); err != nil || len(refused) > 0 {
			t.Fatalf("Handle = %v, %v", refused, err)
		}

		then()
	}
}

// actOnBoth acts on the earnings of the event of both users, if both are pending, and both or none
// of them has its order: a replay that ran before the action may have moved the order of one user.
func (f fixture) actOnBoth(t *testing.T, users [2]string, id string, action commission.Action) {
	t.Helper()

	const alike = `SELECT count(*) = 2 AND count(DISTINCT s.reason = 'duplicate_order') = 1
    FROM commissions AS c JOIN effective_decisions AS s USING (event_id)
    WHERE event_id IN ($1, $2) AND kind = 'earning' AND status = 'pending'`
	if f.one(t, alike, users[0]+id, users[1]+id) != "true" {
		return
	}

	for _, user := range users {
		f.act(t, user+id, action)
	}
}

// alone is a store with one user.
type alone struct {
	replay.Store

	userID string
}

func (s alone) Users(
	_ context.Context,
	_ domain.Period,
	after string,
	_ int,
) ([]replay.User, error) {
	if after != "" {
		return nil, nil
	}

	return []replay.User{{ID: s.userID}}, nil
}

// adjusted applies a replay to the user and returns the number of differences that it posted. The
// second user of a run is read and posted for in parts.
func (f fixture) adjusted(t *testing.T, user string, period domain.Period) int {
	t.Helper()

	if strings.HasSuffix(user, "-1-") {
		f.inMemory = 1
	}

	found, err := f.start(t, alone{f.store, user}, period)
	if err != nil || !found.Complete {
		t.Fatal(found.Replay, err)
	}

	return len(found.Differences)
}

// money returns everything that the database holds of the user's money: the net of each event,
// usage and balances.
func (f fixture) money(t *testing.T, user string) string {
	t.Helper()

	return f.one(t, `
WITH nets AS (
    SELECT substr(coalesce(d.reverses_event_id, c.event_id), length($1) + 1) AS root,
        sum(c.amount_minor) AS net
    FROM commissions AS c LEFT JOIN decisions AS d ON d.event_id = c.event_id
        AND c.kind = 'clawback' WHERE c.user_id = $1 AND c.status <> 'rejected' GROUP BY 1
)
SELECT concat_ws(' / ', (SELECT string_agg(root || ' ' || net, ', ' ORDER BY root) FROM nets
    WHERE net <> 0),
    (SELECT string_agg(concat_ws(' ', name, period, volume_minor, earned_minor), ', '
        ORDER BY name, period) FROM usage JOIN rules USING (rule_id) WHERE usage.user_id = $1
            AND (volume_minor, earned_minor) <> (0, 0)),
    (SELECT string_agg(concat_ws(' ', currency, pending_minor + available_minor), ', '
        ORDER BY currency) FROM balances WHERE user_id = $1 AND programme_minor <> 0))`, user)
}

// In whatever order events arrive, whatever was replayed meanwhile and whatever rule was published
// since, a replay leads to the same money, the same usage and the same balances. Events that then
// arrive in order of their time are decided alike, including reversals of the earlier ones, and
// leave nothing for another replay.
func TestReplayBringsEveryOrderOfArrivalToTheSame(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.publishTiers(t)
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		first := drawn(r, "e", autumn().From, 40, nil)
		originals := slices.DeleteFunc(
			slices.Clone(first),
			func(e event.Snapshot) bool { return e.Type.Reverses() },
		)
		later := drawn(r, "l", autumn().From.AddDate(0, 0, 40), 10, originals)
		slices.SortFunc(
			later,
			func(a, b event.Snapshot) int { return decision.Chronological(event.Restore(a), event.Restore(b)) },
		)

		users := [2]string{fmt.Sprintf("u%d-0-", runs), fmt.Sprintf("u%d-1-", runs)}
		for i, arrival := range [][]event.Snapshot{first, rapid.Permutation(first).Draw(r, "arrival")} {
			f.arrive(t, users[i], arrival, rapid.IntRange(1, 5).Draw(r, "batch"), func() {
				if day := rapid.IntRange(0, 80).Draw(r, "replay from"); day < 40 {
					f.adjusted(
						t,
						users[i],
						domain.Period{
							From: autumn().From.AddDate(0, 0, day),
							To: autumn().From.AddDate(
								0,
								0,
								day+rapid.IntRange(1, 20).Draw(r, "days"),
							),
						},
					)
				}
			})
		}

		for range rapid.IntRange(0, 2).Draw(r, "acted on") {
			id := rapid.SampledFrom(originals).Draw(r, "acted on").ID
			action := rapid.SampledFrom([]commission.Action{commission.Reject, commission.Hold}).Draw(r, "action")
			f.actOnBoth(t, users, id, action)
		}

		both := func(when string) {
			var states [2]string
			for i, user := range users {
				states[i] = f.money(t, user)
				if n := f.adjusted(t, user, autumn()); n > 0 || f.money(t, user) != states[i] {
					r.Fatalf(
						"%s: another replay posts %d differences and turns\n%s\ninto\n%s",
						when,
						n,
						states[i],
						f.money(t, user),
					)
				}
			}

			if states[0] != states[1] {
				r.Fatalf("%s:\n%s\n%s", when, states[0], states[1])
			}
		}

		if kind := rapid.SampledFrom(
			[]eventtype.Type{"", eventtype.Sale, eventtype.Purchase, eventtype.Lead},
		).Draw(r, "better"); kind != "" {
			f.publishBetter(t, users, kind)
			f.publishNext(t, r, users, kind)
		}

		for _, user := range users {
			f.adjusted(t, user, autumn())
		}

		both("replayed")

		for _, user := range users {
			f.arrive(t, user, later, rapid.IntRange(1, 5).Draw(r, "batch"), func() {})
		}

		both("after what came in order")
	})

	f.checkFold(t)
}

// decisions returns all decisions about the user's events, and the usage.
func (f fixture) decisions(t *testing.T, user string) string {
	t.Helper()

	return f.one(t, `
SELECT concat_ws(' / ', string_agg(concat_ws(' ', substr(event_id, length($1) + 1), outcome, reason,
    amount_minor, position_minor, cap_used_minor, substr(reverses_event_id, length($1) + 1),
    substr(order_taken_by, length($1) + 1)), ', ' ORDER BY event_id),
    (SELECT string_agg(concat_ws(' ', name, period, volume_minor, earned_minor), ', '
        ORDER BY name, period) FROM usage JOIN rules USING (rule_id) WHERE usage.user_id = $1
            AND (volume_minor, earned_minor) <> (0, 0)))
FROM decisions WHERE user_id = $1`, user)
}

// Events that come one by one, as one batch or cut in any other way are decided alike.
func TestCutsMakeNoDifference(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.publishTiers(t)
	f.publish(t, rule.Snapshot{
		Scope:    rule.Scope{EventType: eventtype.Purchase},
		Priority: 6,
		Formula: rule.Graduated{
			Period: rule.Monthly,
			Tiers:  []rule.Tier{{From: 0, Rate: share(t, "0")}, {From: 10_000, Rate: share(t, "0.1")}},
		},
	})

	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		arrival := rapid.Permutation(drawn(r, "e", autumn().From, 40, nil)).Draw(r, "arrival")

		var want string
		for i, size := range []int{1, len(arrival), rapid.IntRange(2, 5).Draw(r, "batch")} {
			user := fmt.Sprintf("cut%d-%d-", runs, i)
			f.arrive(t, user, arrival, size, func() {})

			got := f.decisions(t, user)
			if i == 0 {
				want = got
			}

			if got != want {
				r.Fatalf("by %d:\n%s\none by one:\n%s", size, got, want)
			}
		}
	})

	f.checkFold(t)
}
