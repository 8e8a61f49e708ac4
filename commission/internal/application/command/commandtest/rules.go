package commandtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// RulesSuite tests the contract of command.Rules and of query.RuleReader. open returns a world
// that may have some rules.
func RulesSuite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"a version is published":              publications,
		"concurrent versions have numbers":    publishers,
		"a retirement ends all versions":      retirements,
		"an error publishes nothing":          ruleErrors,
		"a key publishes a version once":      ruleKeys,
		"a change of a rule is in the audit":  ruleRecords,
		"a set that was read does not change": ruleSets,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// version is the next version of a rule, or the first one of a new rule without an id, which ties
// with no other.
func version(ruleID, rate string) rule.Snapshot {
	share, _ := money.ParseRate(rate)

	return rule.Snapshot{
		ID:            ruleID,
		Name:          rate,
		Scope:         rule.Scope{EventType: eventtype.Sale},
		Formula:       rule.Percentage{Rate: share},
		Priority:      77,
		EffectiveFrom: noon(),
	}
}

// publish publishes the version, under the id if it is the first one.
func (w World) publish(
	ctx context.Context,
	request change.Request,
	newID string,
	wanted rule.Snapshot,
) error {
	return w.Rules.PublishRule(
		ctx,
		request,
		func(set *rule.Set) (rule.Rule, change.Outcome, error) {
			made, err := set.Next(wanted, rule.Publication{NewID: newID, Now: request.Now})
			if err != nil {
				return made, change.Outcome{}, err
			}

			outcome, err := outcomeOf(request, "publish", "rule", made.ID(), effect.Effect{})

			return made, outcome, err
		},
	)
}

func (w World) retire(ctx context.Context, request change.Request, ruleID string, at time.Time) error {
	return w.Rules.RetireRule(
		ctx,
		request,
		func(set *rule.Set) (rule.Rule, change.Outcome, error) {
			retired, err := set.Retire(ruleID, at)
			if err != nil {
				return retired, change.Outcome{}, err
			}

			outcome, err := outcomeOf(request, "retire", "rule", ruleID, effect.Effect{})

			return retired, outcome, err
		},
	)
}

// published returns the rules.
func (w World) published(t *testing.T) *rule.Set {
	t.Helper()

	set, err := w.Published.Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	return set
}

// wantVersions checks the versions of a rule: number, name, rate, and since when it is retired.
func (w World) wantVersions(t *testing.T, ruleID string, want ...string) {
	t.Helper()

	var got []string

	for _, version := range w.published(t).Versions(ruleID) {
		s := version.Snapshot()

		text := fmt.Sprint(s.Version, " ", s.Name, " ", s.Formula.Parameters().Rate)
		if !s.RetiredAt.IsZero() {
			text += " until " + s.RetiredAt.Format(time.TimeOnly)
		}

		got = append(got, text)

		if s.Scope != (rule.Scope{EventType: eventtype.Sale}) || s.Priority != 77 ||
			!s.EffectiveFrom.Equal(noon()) || !s.PublishedAt.Equal(noon()) {
			t.Errorf("%+v", s)
		}
	}

	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rule %s: %q, want %q", ruleID, got, want)
	}
}

func publications(t *testing.T, w World) {
	before := w.published(t)
	if len(before.Versions(id(1))) > 0 {
		t.Fatal("the world is not empty")
	}

	for _, wanted := range []rule.Snapshot{version("", "0.1"), version(id(1), "0.2")} {
		if err := w.publish(t.Context(), by("operator"), id(1), wanted); err != nil {
			t.Fatal(err)
		}
	}

	w.wantVersions(t, id(1), "1 0.1 0.1", "2 0.2 0.2")

	after := w.published(t)
	if after.Revision() != before.Revision()+2 || len(after.All()) != len(before.All())+2 {
		t.Errorf(
			"revision %d with %d versions became %d with %d",
			before.Revision(),
			len(before.All()),
			after.Revision(),
			len(after.All()),
		)
	}

	if err := w.publish(
		t.Context(), by("operator"), id(3), version(id(2), "0.1"),
	); !errors.Is(err, rule.ErrNotFound) {
		t.Errorf("the next version of an unknown rule: %v", err)
	}
}

func publishers(t *testing.T, w World) {
	if err := w.publish(t.Context(), by("operator"), id(1), version("", "0.1")); err != nil {
		t.Fatal(err)
	}

	var callers sync.WaitGroup

	for range 4 {
		callers.Go(func() {
			if err := w.publish(t.Context(), by("operator"), "", version(id(1), "0.1")); err != nil {
				t.Error(err)
			}
		})
	}

	callers.Wait()
	w.wantVersions(t, id(1), "1 0.1 0.1", "2 0.1 0.1", "3 0.1 0.1", "4 0.1 0.1", "5 0.1 0.1")
}

func retirements(t *testing.T, w World) {
	for _, wanted := range []rule.Snapshot{version("", "0.1"), version(id(1), "0.2")} {
		if err := w.publish(t.Context(), by("operator"), id(1), wanted); err != nil {
			t.Fatal(err)
		}
	}

	revision := w.published(t).Revision()

	at := noon().Add(time.Hour)
	if err := w.retire(t.Context(), by("operator"), id(1), at); err != nil {
		t.Fatal(err)
	}

	w.wantVersions(t, id(1), "1 0.1 0.1 until 13:00:00", "2 0.2 0.2 until 13:00:00")

	if got := w.published(t).Revision(); got != revision+1 {
		t.Errorf("revision %d became %d", revision, got)
	}

	for _, err := range []error{
		w.retire(t.Context(), by("operator"), id(1), at),
		w.publish(t.Context(), by("operator"), "", version(id(1), "0.3")),
	} {
		if !errors.Is(err, rule.ErrRetired) {
			t.Errorf("after it is retired: %v", err)
		}
	}
}

func ruleErrors(t *testing.T, w World) {
	before := w.published(t).Revision()

	for name, try := range map[string]func(
		context.Context,
		change.Request,
		command.RuleChange,
	) error{
		"publish": w.Rules.PublishRule,
		"retire":  w.Rules.RetireRule,
	} {
		err := try(
			t.Context(),
			keyed("operator", 1),
			func(set *rule.Set) (rule.Rule, change.Outcome, error) {
				made, err := set.Next(
					version("", "0.1"),
					rule.Publication{NewID: id(1), Now: noon()},
				)
				if err != nil {
					t.Error(err)
				}

				return made, change.Outcome{}, errStop
			},
		)
		if !errors.Is(err, errStop) {
			t.Errorf("%s: the error of fn became %v", name, err)
		}
	}

	w.wantVersions(t, id(1))

	if got := w.published(t).Revision(); got != before {
		t.Errorf("revision %d became %d", before, got)
	}

	// nor was the key used
	if err := w.publish(
		t.Context(), keyed("operator", 2), id(1), version("", "0.1"),
	); err != nil {
		t.Error(err)
	}
}

func ruleKeys(t *testing.T, w World) {
	if err := w.publish(t.Context(), by("operator"), id(1), version("", "0.1")); err != nil {
		t.Fatal(err)
	}

	checkKeys(
		t,
		func(request change.Request) error {
			return w.publish(t.Context(), request, "", version(id(1), "0.2"))
		},
		func() int { return len(w.published(t).Versions(id(1))) - 1 },
	)
}

func ruleRecords(t *testing.T, w World) {
	if err := w.publish(t.Context(), by("operator"), id(1), version("", "0.1")); err != nil {
		t.Fatal(err)
	}

	if err := w.retire(t.Context(), by("operator"), id(1), noon()); err != nil {
		t.Fatal(err)
	}

	w.checkRecord(t, "publish", id(1))
	w.checkRecord(t, "retire", id(1))
}

func ruleSets(t *testing.T, w World) {
	set := w.published(t)
	number := len(set.All())

	if err := w.publish(t.Context(), by("operator"), id(1), version("", "0.1")); err != nil {
		t.Fatal(err)
	}

	if len(set.All()) != number || len(set.Versions(id(1))) > 0 {
		t.Error("a publication changed what was read before it")
	}
}
