package postgres_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
)

// happens does something to the user's money, or to a rule.
func (f fixture) happens(t *testing.T, r *rapid.T, user string) {
	t.Helper()

	does := map[string]func() error{
		"nothing": func() error { return nil },
		"act": func() error {
			if err := f.actOnAny(t, r, user); err != nil {
				return err
			}

			return f.actOnAny(t, r, user)
		},
		"due": func() error {
			_, err := f.approveDue(t.Context(), start().AddDate(2, 0, 0), 5)
			return err
		},
		"adjust": func() error {
			return f.adjust(t.Context(), user, rapid.SampledFrom([]string{"9", "-0.01"}).Draw(r, "by"))
		},
		"request": func() error {
			wanted := payoutOf(user, rapid.Int64Range(1, 4_000).Draw(r, "minor"))
			wanted.RequestHash = "first"

			if err := f.adjust(t.Context(), user, "20"); err != nil {
				return err
			}

			if _, err := f.request(t.Context(), wanted); err != nil {
				return err
			}

			if rapid.Bool().Draw(r, "again") {
				wanted.RequestHash = "second"
			}

			if _, err := f.request(t.Context(), wanted); err != nil {
				return err
			}

			return f.closeAny(t, r, user)
		},
		"replay": func() error { f.adjusted(t, user, autumn()); return nil },
		"rule":   func() error { return f.ruleOf(t, r, user) },
	}

	what := rapid.SampledFrom(slices.Sorted(maps.Keys(does))).Draw(r, "happens")
	if err := does[what](); err != nil && !errors.Is(err, effect.ErrTransition) {
		r.Fatalf("%s: %v", what, err)
	}
}

func (f fixture) actOnAny(t *testing.T, r *rapid.T, user string) error {
	t.Helper()

	found := f.one(t, `SELECT coalesce((SELECT status || ' ' || id FROM commissions
    WHERE user_id = $1 AND status IN ('pending', 'held') ORDER BY status, id LIMIT 1), '')`, user)
	if found == "" {
		return nil
	}

	status, id, _ := strings.Cut(found, " ")
	actions := []commission.Action{commission.Approve, commission.Hold, commission.Reject}

	if status == string(commission.Held) {
		actions = []commission.Action{commission.Release, commission.Reject}
	}

	_, err := command.NewActOnCommission(f.store.Commissions()).Handle(
		t.Context(),
		byHand(),
		command.Action{ID: id, Action: rapid.SampledFrom(actions).Draw(r, "action")},
	)

	return err
}

func (f fixture) closeAny(t *testing.T, r *rapid.T, user string) error {
	t.Helper()

	id := f.one(t, `SELECT coalesce((SELECT id FROM payouts WHERE user_id = $1
    AND status = 'requested' ORDER BY id LIMIT 1), $2::uuid)`, user, uuid.Nil)
	if id == uuid.Nil.String() {
		return nil
	}

	closing := command.Closing{ID: id, To: rapid.SampledFrom([]payout.Status{
		payout.Requested, payout.Completed, payout.Failed, payout.Cancelled,
	}).Draw(r, "to")}
	if closing.To == payout.Requested {
		return nil
	}

	_, err := command.NewClosePayout(f.store.Payouts()).Handle(t.Context(), byHand(), closing)

	return err
}

// ruleOf publishes a rule of the user, and may retire it.
func (f fixture) ruleOf(t *testing.T, r *rapid.T, user string) error {
	t.Helper()

	f.publish(t, rule.Snapshot{
		Scope:   rule.Scope{EventType: eventtype.Lead, UserID: user},
		Formula: rule.Percentage{Rate: share(t, "0.1")},
	})

	if rapid.Bool().Draw(r, "retire") {
		id := f.one(t, `SELECT rule_id FROM rules WHERE user_id = $1
    AND rule_id NOT IN (SELECT rule_id FROM rule_retirements) LIMIT 1`, user)

		return f.store.RetireRule(
			t.Context(),
			byHand(),
			func(set *rule.Set) (rule.Rule, change.Outcome, error) {
				return unaudited(set.Retire(id, start()))
			},
		)
	}

	return nil
}
