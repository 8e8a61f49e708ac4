package rule_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/fault"
	"tributary/platform/money"
)

func percentage(t interface{ Fatalf(string, ...any) }, snapshot rule.Snapshot) rule.Rule {
	share, err := money.ParseRate("0.1")
	if err != nil {
		t.Fatalf("%v", err)
	}

	if snapshot.Formula == nil {
		snapshot.Formula = rule.Percentage{Rate: share}
	}

	snapshot.Name = snapshot.ID

	snapshot.Version = max(snapshot.Version, 1)
	if snapshot.EffectiveFrom.IsZero() {
		snapshot.EffectiveFrom = epoch()
	}

	snapshot.Scope.EventType = eventtype.Sale

	r, err := rule.New(snapshot)
	if err != nil {
		t.Fatalf("%v", err)
	}

	return r
}

func sale(t interface{ Fatalf(string, ...any) }, f event.Snapshot) event.Event {
	f.ID = "e"
	f.Type = eventtype.Sale

	f.Amount = "1"
	if f.OccurredAt.IsZero() {
		f.OccurredAt = epoch().AddDate(0, 1, 0)
	}

	e, err := event.New(f)
	if err != nil {
		t.Fatalf("%v", err)
	}

	return e
}

func TestPrecedence(t *testing.T) {
	t.Parallel()

	eur, err := money.ParseCurrency("EUR")
	if err != nil {
		t.Fatal(err)
	}

	set := rule.NewSet(1, []rule.Rule{
		percentage(t, rule.Snapshot{ID: "all"}),
		percentage(t, rule.Snapshot{ID: "all-high", Priority: 1}),
		percentage(
			t,
			rule.Snapshot{ID: "product", Scope: rule.Scope{ProductID: "p"}, Priority: 9},
		),
		percentage(t, rule.Snapshot{ID: "campaign", Scope: rule.Scope{CampaignID: "c"}}),
		percentage(t, rule.Snapshot{ID: "user", Scope: rule.Scope{UserID: "u"}}),
		percentage(
			t,
			rule.Snapshot{ID: "user-versions", Scope: rule.Scope{UserID: "w"}, Priority: 5},
		),
		percentage(
			t,
			rule.Snapshot{
				ID:            "user-versions",
				Version:       2,
				Scope:         rule.Scope{UserID: "w"},
				EffectiveFrom: epoch().AddDate(0, 2, 0),
				EffectiveTo:   epoch().AddDate(0, 3, 0),
			},
		),
		percentage(
			t,
			rule.Snapshot{ID: "user-other", Scope: rule.Scope{UserID: "w"}, Priority: 3},
		),
		percentage(t, rule.Snapshot{ID: "euro", Scope: rule.Scope{UserID: "x"}, Currency: eur}),
		percentage(
			t,
			rule.Snapshot{
				ID:          "ended",
				Scope:       rule.Scope{UserID: "y"},
				EffectiveTo: epoch().AddDate(0, 0, 1),
			},
		),
		percentage(
			t,
			rule.Snapshot{
				ID:        "retired",
				Scope:     rule.Scope{UserID: "z"},
				RetiredAt: epoch().AddDate(0, 0, 2),
			},
		),
	})
	for _, tt := range []struct {
		snapshot event.Snapshot
		want     string
	}{
		{event.Snapshot{UserID: "n"}, "all-high/1"},
		{event.Snapshot{UserID: "n", ProductID: "p"}, "product/1"},
		{event.Snapshot{UserID: "n", ProductID: "p", CampaignID: "c"}, "campaign/1"},
		{event.Snapshot{UserID: "u", ProductID: "p", CampaignID: "c"}, "user/1"},
		{event.Snapshot{UserID: "w"}, "user-versions/1"},
		// version 2 is in force, with a lower priority
		{event.Snapshot{UserID: "w", OccurredAt: epoch().AddDate(0, 2, 0)}, "user-other/1"},
		{event.Snapshot{UserID: "w", OccurredAt: epoch().AddDate(0, 3, 0)}, "user-versions/1"},
		{event.Snapshot{UserID: "x"}, "all-high/1"},
		{event.Snapshot{UserID: "y"}, "all-high/1"},
		{event.Snapshot{UserID: "y", OccurredAt: epoch()}, "ended/1"},
		{event.Snapshot{UserID: "z", OccurredAt: epoch().AddDate(0, 0, 2)}, "all-high/1"},
		{event.Snapshot{UserID: "z", OccurredAt: epoch().AddDate(0, 0, 2).Add(-1000)}, "retired/1"},
	} {
		got, found, _ := set.Select(sale(t, tt.snapshot), money.USD())
		if name := fmt.Sprintf("%s/%d", got.ID(), got.Version()); !found || name != tt.want {
			t.Errorf("%+v: %s, want %s", tt.snapshot, name, tt.want)
		}
	}

	if _, found, _ := set.Select(
		sale(t, event.Snapshot{UserID: "n", OccurredAt: epoch().Add(-1000)}),
		money.USD(),
	); found {
		t.Error("a rule applies before any is in force")
	}
}

func TestOtherCurrency(t *testing.T) {
	t.Parallel()
	set := rule.NewSet(
		1,
		[]rule.Rule{percentage(t, rule.Snapshot{ID: "usd", Currency: money.USD()})},
	)

	eur, err := money.ParseCurrency("EUR")
	if err != nil {
		t.Fatal(err)
	}

	if _, found, other := set.Select(sale(t, event.Snapshot{UserID: "u"}), eur); found || !other {
		t.Errorf("found %t, other currency %t", found, other)
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()

	set := rule.NewSet(
		1,
		[]rule.Rule{
			percentage(
				t,
				rule.Snapshot{
					ID:            "a",
					EffectiveFrom: epoch().AddDate(0, 1, 0),
					EffectiveTo:   epoch().AddDate(0, 2, 0),
				},
			),
		},
	)
	for name, tt := range map[string]struct {
		snapshot rule.Snapshot
		want     int
	}{
		"same time":         {rule.Snapshot{ID: "b"}, 1},
		"other priority":    {rule.Snapshot{ID: "b", Priority: 1}, 0},
		"own next version":  {rule.Snapshot{ID: "a", Version: 2}, 0},
		"ends as it begins": {rule.Snapshot{ID: "b", EffectiveTo: epoch().AddDate(0, 1, 0)}, 0},
		"begins as it ends": {rule.Snapshot{ID: "b", EffectiveFrom: epoch().AddDate(0, 2, 0)}, 0},
		"other scope":       {rule.Snapshot{ID: "b", Scope: rule.Scope{UserID: "u"}}, 0},
		"narrower currency": {rule.Snapshot{ID: "b", Currency: money.USD()}, 1},
		"retired before":    {rule.Snapshot{ID: "b", RetiredAt: epoch().AddDate(0, 1, 0)}, 0},
	} {
		if got := set.Conflicts(percentage(t, tt.snapshot)); len(got) != tt.want {
			t.Errorf("%s: %d conflicts, want %d", name, len(got), tt.want)
		}
	}
}

// Versions that were superseded by a newer one of their rule tie with no other rule until that one
// ends.
func TestConflictsLookAtTheVersionInForce(t *testing.T) {
	t.Parallel()
	month := func(n int) time.Time { return epoch().AddDate(0, n, 0) }

	set := rule.NewSet(1, []rule.Rule{
		percentage(t, rule.Snapshot{ID: "a", Version: 1, EffectiveFrom: month(0)}),
		percentage(
			t,
			rule.Snapshot{
				ID:            "a",
				Version:       2,
				EffectiveFrom: month(2),
				EffectiveTo:   month(6),
				Priority:      1,
			},
		),
		percentage(
			t,
			rule.Snapshot{
				ID:            "a",
				Version:       3,
				EffectiveFrom: month(4),
				EffectiveTo:   month(8),
				Priority:      2,
			},
		),
	})
	for name, tt := range map[string]struct {
		snapshot rule.Snapshot
		want     []int
	}{
		"before":                      {rule.Snapshot{EffectiveFrom: month(0), EffectiveTo: month(2)}, []int{1}},
		"superseded":                  {rule.Snapshot{EffectiveFrom: month(2), EffectiveTo: month(8)}, nil},
		"after the newer ones":        {rule.Snapshot{EffectiveFrom: month(2)}, []int{1}},
		"with one that is superseded": {rule.Snapshot{EffectiveFrom: month(4), Priority: 1}, nil},
		"with one that is not yet":    {rule.Snapshot{EffectiveFrom: month(3), Priority: 1}, []int{2}},
		"with the newest":             {rule.Snapshot{EffectiveFrom: month(7), Priority: 2}, []int{3}},
	} {
		tt.snapshot.ID = "b"

		var got []int
		for _, r := range set.Conflicts(percentage(t, tt.snapshot)) {
			got = append(got, r.Version())
		}

		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: ties with versions %v, want %v", name, got, tt.want)
		}
	}
}

// A version is refused if and only if on some day it would tie with the version of another rule
// that is in force then.
func TestConflictsAreThoseOfSomeDay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := rule.NewSet(1, nil)
		for range rapid.IntRange(0, 12).Draw(t, "rules") {
			snapshot := rule.Snapshot{
				ID:            fmt.Sprintf("r%d", rapid.IntRange(0, 3).Draw(t, "rule")),
				Priority:      rapid.IntRange(0, 1).Draw(t, "priority"),
				EffectiveFrom: epoch().AddDate(0, 0, rapid.IntRange(0, 20).Draw(t, "from")),
			}
			if days := rapid.IntRange(0, 20).Draw(t, "days"); days > 0 {
				snapshot.EffectiveTo = snapshot.EffectiveFrom.AddDate(0, 0, days)
			}

			snapshot.Version = len(set.Versions(snapshot.ID)) + 1
			r := percentage(t, snapshot)

			ties := false
			for day := range 50 {
				at := epoch().AddDate(0, 0, day)
				ties = ties || inForce(snapshot, at) && tied(set, snapshot, at)
			}

			if conflicts := set.Conflicts(r); (len(conflicts) > 0) != ties {
				t.Fatalf("%+v: %d conflicts, ties %t", snapshot, len(conflicts), ties)
			}

			if !ties {
				set = set.With(r)
			}
		}
	})
}

func inForce(snapshot rule.Snapshot, at time.Time) bool {
	return !at.Before(snapshot.EffectiveFrom) && (snapshot.EffectiveTo.IsZero() || at.Before(snapshot.EffectiveTo))
}

// tied reports whether the newest version in force of another rule has the same priority.
func tied(set *rule.Set, snapshot rule.Snapshot, at time.Time) bool {
	newest := map[string]rule.Snapshot{}
	for _, r := range set.All() {
		if r.ID() != snapshot.ID && inForce(r.Snapshot(), at) {
			newest[r.ID()] = r.Snapshot()
		}
	}

	for _, other := range newest {
		if other.Priority == snapshot.Priority {
			return true
		}
	}

	return false
}

// Among rules that were published without conflicts exactly the winner is selected, and no other
// ties with it.
func TestConsiderAgreesWithSelect(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		set := rule.NewSet(1, nil)
		for range rapid.IntRange(0, 12).Draw(t, "rules") {
			snapshot := rule.Snapshot{
				ID: fmt.Sprintf("r%d", rapid.IntRange(0, 5).Draw(t, "rule")),
				Scope: rule.Scope{
					UserID:     rapid.SampledFrom([]string{"", "u", "v"}).Draw(t, "user"),
					CampaignID: rapid.SampledFrom([]string{"", "c"}).Draw(t, "campaign"),
					ProductID:  rapid.SampledFrom([]string{"", "p"}).Draw(t, "product"),
				},
				Priority:      rapid.IntRange(0, 2).Draw(t, "priority"),
				EffectiveFrom: epoch().AddDate(0, 0, rapid.IntRange(0, 20).Draw(t, "from")),
			}
			if days := rapid.IntRange(0, 20).Draw(t, "days"); days > 0 {
				snapshot.EffectiveTo = snapshot.EffectiveFrom.AddDate(0, 0, days)
			}

			if known := set.Versions(snapshot.ID); len(known) > 0 {
				snapshot.Scope, snapshot.Version = known[0].Snapshot().Scope, len(known)+1
			}

			if r := percentage(t, snapshot); len(set.Conflicts(r)) == 0 {
				set = set.With(r)
			}
		}

		e := sale(t, event.Snapshot{
			UserID:     rapid.SampledFrom([]string{"u", "v", "w"}).Draw(t, "of"),
			CampaignID: rapid.SampledFrom([]string{"", "c", "d"}).Draw(t, "in"),
			ProductID:  rapid.SampledFrom([]string{"", "p"}).Draw(t, "for"),
			OccurredAt: epoch().AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "at")),
		})
		winner, found, _ := set.Select(e, money.USD())

		selected := 0
		for _, c := range set.Consider(e, money.USD()) {
			if c.Verdict == rule.Selected {
				selected++

				if !found || c.Rule.Ref() != winner.Ref() {
					t.Fatalf("%v is selected, %v wins", c.Rule.Ref(), winner.Ref())
				}
			}
		}

		if found != (selected == 1) {
			t.Fatalf("found %t, %d selected", found, selected)
		}
	})
}

func TestTheFaultListsEveryField(t *testing.T) {
	t.Parallel()
	_, err := rule.New(
		rule.Snapshot{
			HoldDays:    -1,
			MinimumBase: -1,
			Cap:         &rule.Cap{},
			Formula:     rule.Graduated{},
		},
	)

	f, ok := fault.As(err)
	if !ok || len(f.Fields) < 8 {
		t.Errorf("%v", err)
	}
}

func rate(text string) money.Rate {
	r, err := money.ParseRate(text)
	if err != nil {
		panic(err)
	}

	return r
}

func epoch() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func TestARateAboveOneHasToBeMeant(t *testing.T) {
	t.Parallel()

	for field, formula := range map[string]rule.Formula{
		"formula.rate": rule.Percentage{Rate: rate("1.000001")},
		"formula.tiers": rule.Graduated{
			Period: rule.Lifetime,
			Tiers:  []rule.Tier{{From: 0, Rate: rate("0.1")}, {From: 100, Rate: rate("10")}},
		},
	} {
		snapshot := rule.Snapshot{
			Name:          "generous",
			Scope:         rule.Scope{EventType: eventtype.Sale},
			Currency:      money.USD(),
			Formula:       formula,
			EffectiveFrom: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		}

		_, err := rule.New(snapshot)
		if f, _ := fault.As(err); f == nil || len(f.Fields) != 1 ||
			f.Fields[0].Field != field || f.Fields[0].Code.Name() != "rate_above_one" {
			t.Errorf("%s: %v", field, err)
		}

		snapshot.AllowRateAboveOne = true
		if _, err := rule.New(snapshot); err != nil {
			t.Errorf("%s when it is meant: %v", field, err)
		}
	}

	whole := rule.Snapshot{
		Name:          "all of it",
		Scope:         rule.Scope{EventType: eventtype.Sale},
		Formula:       rule.Percentage{Rate: rate("1")},
		EffectiveFrom: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if _, err := rule.New(whole); err != nil {
		t.Errorf("a rate of 1: %v", err)
	}
}
