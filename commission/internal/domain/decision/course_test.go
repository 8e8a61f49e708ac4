package decision_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// At the end of a history nothing of it is kept, whatever its events refer to, and a course with
// the same ties can begin.
func TestACourseForgetsTheWholeHistory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var events []event.Event
		for _, e := range history(t) {
			snapshot := e.Snapshot()
			snapshot.UserID = "u"
			events = append(events, event.Restore(snapshot))
		}

		missing := rapid.IntRange(0, len(events)-1).Draw(t, "missing")
		events = slices.Delete(events, missing, missing+1)
		slices.SortFunc(events, decision.Chronological)

		rules := tieredRules(t)
		ties := decision.TiesOf(events)

		for range 2 {
			course := decision.NewCourse(rules, nil, nil, ties)
			tally := decision.NewTally(rules, nil, ties)
			course.OnForget(tally.Forget)

			for _, e := range events {
				for d := range course.Decide(e) {
					tally.Add(d)
				}
			}

			if held, left := decision.Held(course), decision.Left(tally); held+left > 0 {
				t.Fatalf("%d events and orders are held, %d in the tally", held, left)
			}

			want := decision.UsageOf(decision.Run(events, rules, decision.Manual{}), rules, nil)
			if got := tally.Usage(); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("accounts: %v, want %v", got, want)
			}
		}
	})
}

// What is kept depends on the events that others refer to, and not on the length of the history.
func TestACourseKeepsOnlyWhatIsReferredTo(t *testing.T) {
	t.Parallel()

	var events []event.Event
	for i := range 1_000 {
		sale := event.Snapshot{
			ID:         fmt.Sprint("s", i),
			UserID:     "u",
			Type:       eventtype.Sale,
			OccurredAt: epoch().Add(time.Duration(i) * time.Hour),
			OrderID:    fmt.Sprint("o", i),
			Amount:     "10.00",
		}
		events = append(events, event.Restore(sale))

		if i%10 == 0 { // ten hours later
			refund := sale
			refund.ID = fmt.Sprint("r", i)
			refund.Type = eventtype.Refund
			refund.OriginalID = sale.ID
			refund.OccurredAt = sale.OccurredAt.Add(10*time.Hour - time.Minute)
			events = append(events, event.Restore(refund))
		}
	}

	slices.SortFunc(events, decision.Chronological)

	most := 0
	course := decision.NewCourse(tieredRules(t), nil, nil, decision.TiesOf(events))

	for _, e := range events {
		for range course.Decide(e) {
		}

		most = max(most, decision.Held(course))
	}

	if most == 0 || most > 3 { // an event, as decided and as an original, and its order
		t.Errorf("%d are held at once", most)
	}
}

// A reversal meets its original as it was decided, also one that its accounts could not hold.
func TestACourseKeepsWhatWasOutOfRange(t *testing.T) {
	t.Parallel()

	var sales, refunds []event.Event

	for i := range 2 { // the second is one too many
		sale := event.Snapshot{
			ID:         fmt.Sprint("s", i),
			UserID:     "u",
			Type:       eventtype.Sale,
			OccurredAt: epoch().Add(time.Duration(i) * time.Hour),
			Amount:     "999999999999.99",
		}
		sales = append(sales, event.Restore(sale))

		refund := event.Snapshot{
			ID:         fmt.Sprint("r", i),
			UserID:     "u",
			Type:       eventtype.Refund,
			OccurredAt: sale.OccurredAt.Add(24 * time.Hour),
			OriginalID: sale.ID,
		}
		refunds = append(refunds, event.Restore(refund))
	}

	events := slices.Concat(sales, refunds)

	var got []decision.Decision

	rules := rule.NewSet(1, []rule.Rule{published(t, rule.Snapshot{
		ID:                "much",
		AllowRateAboveOne: true,
		Scope:             rule.Scope{EventType: eventtype.Sale},
		Currency:          money.USD(),
		Formula: rule.Graduated{
			Tiers:  []rule.Tier{{From: 0, Rate: rate("50000")}},
			Period: rule.Lifetime,
		},
	})})
	course := decision.NewCourse(rules, nil, nil, decision.TiesOf(events))

	for _, e := range events {
		for d := range course.Decide(e) {
			got = append(got, d)
		}
	}

	want := decision.Run(events, rules, decision.Manual{})
	if last := got[len(got)-1]; !slices.Equal(got, want) || last.Reason != decision.AmountOutOfRange {
		t.Errorf("%s\n%+v\nwant\n%+v", last.Reason, got, want)
	}
}
