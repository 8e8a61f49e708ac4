package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

var _ command.Rules = (*Store)(nil)

const (
	lockRules  = `SELECT pg_advisory_xact_lock(7303)`
	insertRule = `
INSERT INTO rules (rule_id, version, name, event_type, user_id, campaign_id, product_id,
    currency, kind, rate, flat_amount, tier_from_minor, tier_rates, tier_period,
       minimum_base_minor, maximum_minor, cap_minor, cap_period, hold_days, rounding, priority,
           effective_from, effective_to, published_at, period_zone, revision)
VALUES ($1, $2, $3, $4, nullif($5, ''), nullif($6, ''), nullif($7, ''), nullif($8, ''), $9, $10,
    $11, $12, $13, nullif($14, ''), $15, $16, $17, $18, $19, $20, $21, $22, $23,
       $24, $25, (SELECT revision + 1 FROM rules_revision))`
	insertRetirement = `INSERT INTO rule_retirements (rule_id, retired_at, reason, revision)
    VALUES ($1, $2, $3, (SELECT revision + 1 FROM rules_revision))`
)

// rulesTx is a transaction that excludes other publishers.
type rulesTx struct{ pgx.Tx }

// underLock returns the current rules under a lock that excludes other publishers.
func (s *Store) underLock(ctx context.Context, tx pgx.Tx) (rulesTx, *rule.Set, error) {
	locked := rulesTx{tx}
	if _, err := tx.Exec(ctx, lockRules); err != nil {
		return locked, nil, err
	}

	var revision int64
	if err := tx.QueryRow(ctx, selectRevision).Scan(&revision); err != nil {
		return locked, nil, err
	}

	set, err := s.rulesAt(ctx, tx, revision)

	return locked, set, err
}

// logRule writes that something happened to a version of a rule.
func logRule(ctx context.Context, tx rulesTx, request change.Request, what effect.Type, r rule.Rule) error {
	event := logged{
		Fact:    effect.Fact{Type: what, SubjectID: r.ID()},
		cause:   request.Cause(),
		version: r.Version(),
	}

	event.PreviousVersion = r.Version() - 1
	if what == effect.RuleRetired {
		event.changedAt = request.Now
		event.PreviousVersion = r.Version()
	}

	return appendEvents(ctx, tx, []logged{event})
}

func (s *Store) PublishRule(
	ctx context.Context,
	request change.Request,
	fn command.RuleChange,
) error {
	return s.changeRule(ctx, request, fn, func(tx rulesTx, published rule.Rule) error {
		_, err := tx.Exec(ctx, insertRule, ruleArgs(published.Snapshot())...)
		if err != nil {
			return err
		}

		return logRule(ctx, tx, request, effect.RulePublished, published)
	})
}

func (s *Store) RetireRule(
	ctx context.Context,
	request change.Request,
	fn command.RuleChange,
) error {
	return s.changeRule(ctx, request, fn, func(tx rulesTx, retired rule.Rule) error {
		at := retired.Snapshot().RetiredAt
		if _, err := tx.Exec(ctx, insertRetirement, retired.ID(), at, request.Reason); err != nil {
			return err
		}

		return logRule(ctx, tx, request, effect.RuleRetired, retired)
	})
}

// changeRule runs fn on the current rules and stores what it returns.
func (s *Store) changeRule(
	ctx context.Context,
	request change.Request,
	fn command.RuleChange,
	store func(rulesTx, rule.Rule) error,
) error {
	return s.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		locked, set, err := s.underLock(ctx, tx)
		if err != nil {
			return change.Outcome{}, err
		}

		changed, outcome, err := fn(set)
		if err != nil {
			return change.Outcome{}, err
		}

		return outcome, store(locked, changed)
	})
}

func ruleArgs(d rule.Snapshot) []any {
	var (
		capMinor  *int64
		capPeriod *string
		from      []int64
		rates     []string
	)

	formula := d.Formula.Parameters()
	for _, tier := range formula.Tiers {
		from, rates = append(from, tier.From), append(rates, tier.Rate.String())
	}

	if d.Cap != nil {
		capMinor, capPeriod = &d.Cap.Amount, new(string(d.Cap.Period))
	}

	return []any{
		d.ID,
		d.Version,
		d.Name,
		string(d.Scope.EventType),
		d.Scope.UserID,
		d.Scope.CampaignID,
		d.Scope.ProductID,
		d.Currency.String(),
		string(d.Formula.Kind()),
		rateText(formula.Rate),
		rateText(formula.Amount),
		from,
		rates,
		string(formula.Period),
		d.MinimumBase,
		d.Maximum,
		capMinor,
		capPeriod,
		d.HoldDays,
		string(d.Rounding),
		d.Priority,
		d.EffectiveFrom,
		orNil(d.EffectiveTo),
		d.PublishedAt,
		d.Zone().String(),
	}
}

func rateText(rate *money.Rate) *string {
	if rate == nil {
		return nil
	}

	return new(rate.String())
}
