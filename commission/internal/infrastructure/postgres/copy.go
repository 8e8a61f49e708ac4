package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"tributary/commission/internal/application/consume"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/ledger"
)

// Rows of decisions, commissions and the ledger are written by COPY: for hundreds of rows it takes the database half of what INSERT takes,
// with the same constraints and triggers.

// copyRows writes a row of values for each of rows, in the order of columns, and uses the slice that it hands to values again.
func copyRows[R any](ctx context.Context, tx pgx.Tx, table string, columns []string, rows []R, values func(into []any, row *R) []any) error {
	if len(rows) == 0 {
		return nil
	}
	into := make([]any, 0, len(columns))
	_, err := tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		return values(into, &rows[i]), nil
	}))
	return err
}

// text is NULL for an empty text.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// number is NULL for 0.
func number[N int | int64](n N) any {
	if n == 0 {
		return nil
	}
	return n
}

// identity is NULL for an empty text, and else the UUID that it is.
func identity(s string) any {
	id, err := uuid.Parse(s)
	return pgtype.UUID{Bytes: id, Valid: err == nil}
}

func decisionColumnNames() []string {
	return []string{
		"event_id", "user_id", "event_type", "occurred_at", "received_at", "decided_at", "campaign_id", "product_id", "order_id", "original_event_id",
		"amount_sent", "currency_sent", "self_referral", "outcome", "reason", "rules_revision", "rule_id", "rule_version", "currency", "base_minor",
		"position_minor", "cap_used_minor", "reverses_event_id", "reversed_before", "order_taken_by", "unrounded", "amount_minor", "available_at", "commission_id",
	}
}

// copyDecisions stores new decisions: errRace when one of the events got its decision from somebody else meanwhile.
func copyDecisions(ctx context.Context, tx pgx.Tx, decisions []consume.Decided, now time.Time) error {
	err := copyRows(ctx, tx, "decisions", decisionColumnNames(), decisions, func(into []any, d *consume.Decided) []any {
		f := d.Event.Facts()
		return append(into,
			f.ID, f.UserID, string(f.Type), f.OccurredAt, f.ReceivedAt, now, text(f.CampaignID), text(f.ProductID), text(f.OrderID), text(f.OriginalID),
			text(f.Amount), text(f.Currency), f.SelfReferral, string(d.Outcome), string(d.Reason), d.Revision, identity(d.Rule.ID), number(d.Rule.Version),
			text(d.Currency.String()), minor(d.Decision, d.Base.Minor()), number(d.Position), number(d.CapUsed), text(d.OriginalID), number(d.ReversedBefore),
			text(d.OrderTakenBy), text(d.Unrounded), minor(d.Decision, d.Amount.Minor()), orNil(d.AvailableAt), identity(d.CommissionID))
	})
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.ConstraintName == "decisions_pkey" {
		return errRace
	}
	return err
}

func copyCommissions(ctx context.Context, tx pgx.Tx, commissions []commission.Commission, now time.Time) error {
	columns := []string{
		"id", "event_id", "user_id", "campaign_id", "product_id", "order_id", "event_type", "kind", "status", "base_minor", "rate", "amount_minor", "currency",
		"rule_id", "rule_version", "reverses_id", "reason", "available_at", "occurred_at", "created_at",
	}
	return copyRows(ctx, tx, "commissions", columns, commissions, func(into []any, c *commission.Commission) []any {
		s := c.State()
		return append(into,
			identity(s.ID), text(s.EventID), s.UserID, text(s.CampaignID), text(s.ProductID), text(s.OrderID), text(string(s.EventType)), string(s.Kind),
			string(s.Status), s.Base.Minor(), text(s.Rate), s.Amount.Minor(), s.Amount.Currency().String(), identity(s.Rule.ID), number(s.Rule.Version),
			identity(s.ReversesID), text(s.Reason), s.AvailableAt, s.OccurredAt, now)
	})
}

// copyTransfers moves money: the ledger's trigger books the balances in the same statement, and refuses a payout that is not covered.
func copyTransfers(ctx context.Context, tx pgx.Tx, transfers []ledger.Transfer, now time.Time) error {
	columns := []string{"user_id", "currency", "from_account", "to_account", "amount_minor", "commission_id", "payout_id", "created_at"}
	return copyRows(ctx, tx, "ledger", columns, transfers, func(into []any, t *ledger.Transfer) []any {
		return append(into, t.UserID, t.Amount.Currency().String(), string(t.From), string(t.To), t.Amount.Minor(), identity(t.CommissionID), identity(t.PayoutID), now)
	})
}
