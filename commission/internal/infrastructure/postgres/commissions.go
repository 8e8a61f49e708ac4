package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

var (
	_ query.CommissionReader = (*Store)(nil)
	_ query.DecisionReader   = (*Store)(nil)
)

// commissionColumns are the columns that scanCommission reads.
const commissionColumns = `id::text, event_id, user_id, campaign_id, product_id, order_id,
    event_type, kind, status, base_minor, rate, amount_minor, currency,
       rule_id::text, rule_version, reverses_id::text, reason, available_at, occurred_at,
           created_at, coalesce(changed_at, created_at), version, replay_id::text`

const selectCommissions = `SELECT ` + commissionColumns + ` FROM commissions`

func scanCommission(row pgx.CollectableRow) (commission.Snapshot, error) {
	var (
		s                                                                                    commission.Snapshot
		eventID, campaign, product, order, eventType, rate, ruleID, reverses, reason, replay *string
		kind, status, code                                                                   string
		base, amount                                                                         int64
		ruleVersion                                                                          *int
		available, occurred, created, updated                                                time.Time
	)

	err := row.Scan(
		&s.ID,
		&eventID,
		&s.UserID,
		&campaign,
		&product,
		&order,
		&eventType,
		&kind,
		&status,
		&base,
		&rate,
		&amount,
		&code,
		&ruleID,
		&ruleVersion,
		&reverses,
		&reason,
		&available,
		&occurred,
		&created,
		&updated,
		&s.Version,
		&replay,
	)
	if err != nil {
		return commission.Snapshot{}, err
	}

	currency, err := money.ParseCurrency(code)
	if err != nil {
		return commission.Snapshot{}, fmt.Errorf("commission %s: %w", s.ID, err)
	}

	s.EventID = value(eventID)
	s.CampaignID = value(campaign)
	s.ProductID = value(product)
	s.OrderID = value(order)
	s.EventType = eventtype.Type(value(eventType))
	s.Kind = commission.Kind(kind)
	s.Status = commission.Status(status)
	s.Base = money.FromMinor(base, currency)
	s.Rate = value(rate)
	s.Amount = money.FromMinor(amount, currency)
	s.Rule = rule.Ref{ID: value(ruleID), Version: value(ruleVersion)}
	s.ReversesID, s.Reason = value(reverses), value(reason)
	s.ReplayID = value(replay)
	s.AvailableAt = available.UTC()
	s.OccurredAt = occurred.UTC()
	s.CreatedAt = created.UTC()
	s.UpdatedAt = updated.UTC()

	return s, nil
}

func (s *Store) Commission(
	ctx context.Context,
	owner query.Owner,
	id string,
) (commission.Snapshot, error) {
	found, err := readOne(
		ctx,
		s.pool,
		scanCommission,
		commission.ErrNotFound,
		selectCommissions+` WHERE id = $1`,
		id,
	)
	if err == nil && !owner.Sees(found.UserID) {
		return commission.Snapshot{}, commission.ErrNotFound
	}

	return found, mapped("read a commission", err)
}

func (s *Store) Decision(
	ctx context.Context,
	owner query.Owner,
	eventID string,
) (query.Decided, error) {
	rows, err := s.pool.Query(
		ctx,
		`SELECT `+decisionColumns+` FROM decisions AS d WHERE d.event_id = $1`,
		eventID,
	)
	if err != nil {
		return query.Decided{}, mapped("read a decision", err)
	}

	found, err := pgx.CollectExactlyOneRow(rows, scanDecided)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !owner.Sees(found.Event.UserID()) {
		return query.Decided{}, decision.ErrNotFound
	}

	return found, mapped("read a decision", err)
}
