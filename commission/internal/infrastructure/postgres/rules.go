package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

const (
	selectRevision = `SELECT revision FROM rules_revision`
	selectRules    = `
SELECT r.rule_id::text, r.version, r.name, r.event_type, r.user_id, r.campaign_id, r.product_id,
    r.currency, r.kind, r.rate, r.flat_amount,
       r.tier_from_minor, r.tier_rates, r.tier_period, r.minimum_base_minor, r.maximum_minor,
           r.cap_minor, r.cap_period, r.hold_days, r.rounding,
       r.priority, r.effective_from, r.effective_to, r.published_at, r.period_zone, t.retired_at
FROM rules AS r LEFT JOIN rule_retirements AS t ON t.rule_id = r.rule_id AND t.revision <= $1
WHERE r.revision <= $1
ORDER BY r.rule_id, r.version`
)

// Rules returns all published versions.
func (s *Store) Rules(ctx context.Context) (*rule.Set, error) {
	var set *rule.Set
	err := s.begin(ctx, "read the rules", func(tx pgx.Tx) (err error) {
		var revision int64
		if err := tx.QueryRow(ctx, selectRevision).Scan(&revision); err != nil {
			return err
		}

		set, err = s.rulesAt(ctx, tx, revision)

		return err
	})

	return set, err
}

// rulesAt returns the rules at the revision, from memory if they are those that were read last.
func (s *Store) rulesAt(ctx context.Context, tx pgx.Tx, revision int64) (*rule.Set, error) {
	s.mu.Lock()
	known := s.rules
	s.mu.Unlock()

	if known != nil && known.Revision() == revision {
		return known, nil
	}

	rows, err := tx.Query(ctx, selectRules, revision)
	if err != nil {
		return nil, err
	}

	rules, err := pgx.CollectRows(rows, scanRule)
	if err != nil {
		return nil, err
	}

	set := rule.NewSet(revision, rules)
	s.mu.Lock()
	defer s.mu.Unlock()

	if s.rules == nil || s.rules.Revision() < revision {
		s.rules = set
	}

	return set, nil
}

// RulesAt returns the rules at an earlier revision: those that a decision considered.
func (s *Store) RulesAt(ctx context.Context, revision int64) (*rule.Set, error) {
	var set *rule.Set
	err := s.begin(ctx, "read the rules", func(tx pgx.Tx) (err error) {
		set, err = s.rulesAt(ctx, tx, revision)
		return err
	})

	return set, err
}

// ruleRow is a row of rules as it is stored.
type ruleRow struct {
	id, name, eventType, kind, rounding, zone                                  string
	userID, campaignID, productID, currency, rate, flat, tierPeriod, capPeriod *string
	version, holdDays, priority                                                int
	tierFrom                                                                   []int64
	tierRates                                                                  []string
	minimumBase, maximum                                                       int64
	capMinor                                                                   *int64
	from, published                                                            time.Time
	to, retired                                                                *time.Time
}

func scanRule(row pgx.CollectableRow) (rule.Rule, error) {
	var r ruleRow

	err := row.Scan(
		&r.id,
		&r.version,
		&r.name,
		&r.eventType,
		&r.userID,
		&r.campaignID,
		&r.productID,
		&r.currency,
		&r.kind,
		&r.rate,
		&r.flat,
		&r.tierFrom,
		&r.tierRates,
		&r.tierPeriod,
		&r.minimumBase,
		&r.maximum,
		&r.capMinor,
		&r.capPeriod,
		&r.holdDays,
		&r.rounding,
		&r.priority,
		&r.from,
		&r.to,
		&r.published,
		&r.zone,
		&r.retired,
	)
	if err != nil {
		return rule.Rule{}, err
	}

	snapshot := rule.Snapshot{
		ID:      r.id,
		Version: r.version,
		Name:    r.name,
		Scope: rule.Scope{
			EventType:  eventtype.Type(r.eventType),
			UserID:     value(r.userID),
			CampaignID: value(r.campaignID),
			ProductID:  value(r.productID),
		},
		MinimumBase:   r.minimumBase,
		Maximum:       r.maximum,
		HoldDays:      r.holdDays,
		Rounding:      money.Rounding(r.rounding),
		Priority:      r.priority,
		EffectiveFrom: r.from.UTC(),
		EffectiveTo:   utc(r.to),
		PublishedAt:   r.published.UTC(),
		RetiredAt:     utc(r.retired),
	}
	if snapshot.Currency, err = optionalCurrency(r.currency); err != nil {
		return rule.Rule{}, fmt.Errorf("rule %s: %w", r.id, err)
	}

	if snapshot.PeriodZone, err = time.LoadLocation(r.zone); err != nil {
		return rule.Rule{}, fmt.Errorf("rule %s: %w", r.id, err)
	}

	if r.capMinor != nil {
		snapshot.Cap = &rule.Cap{Amount: *r.capMinor, Period: rule.Period(value(r.capPeriod))}
	}

	if snapshot.Formula, err = r.formula(); err != nil {
		return rule.Rule{}, fmt.Errorf("rule %s: %w", r.id, err)
	}

	return rule.Restore(snapshot), nil
}

func (r ruleRow) formula() (rule.Formula, error) {
	p := rule.Parameters{Period: rule.Period(value(r.tierPeriod))}

	var err error
	if p.Rate, err = optionalRate(r.rate); err != nil {
		return nil, err
	}

	if p.Amount, err = optionalRate(r.flat); err != nil {
		return nil, err
	}

	for i, from := range r.tierFrom {
		rate, err := money.ParseRate(r.tierRates[i])
		if err != nil {
			return nil, err
		}

		p.Tiers = append(p.Tiers, rule.Tier{From: from, Rate: rate})
	}

	formula := rule.NewFormula(rule.Kind(r.kind), p)
	if formula == nil {
		return nil, fmt.Errorf("this version of the service knows no formula %q", r.kind)
	}

	return formula, nil
}

// optionalRate reads a stored rate; NULL means none.
func optionalRate(text *string) (*money.Rate, error) {
	if text == nil {
		return nil, nil
	}

	rate, err := money.ParseRate(*text)

	return &rate, err
}

// optionalCurrency reads a stored code; NULL and "" mean no currency.
func optionalCurrency(code *string) (money.Currency, error) {
	if value(code) == "" {
		return money.Currency{}, nil
	}

	return money.ParseCurrency(*code)
}
