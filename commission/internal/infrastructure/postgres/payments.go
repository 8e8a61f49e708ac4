package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

const (
	// Where the commission q.id lies on its sum.
	commissionPlace = `
CROSS JOIN LATERAL (
    SELECT user_id, currency, position_minor AS from_minor,
        position_minor + amount_minor AS to_minor,
        CASE WHEN credit THEN 'credit' ELSE 'debit' END AS side,
        CASE WHEN credit THEN 1 ELSE -1 END AS sign
    FROM ledger
    WHERE subject_id = q.id AND position_minor IS NOT NULL
    OFFSET 0
) AS place`

	// The taken intervals that meet the place. They are disjoint, so none ends after the first that
	// reaches the end of the place: the index finds them without reading what comes later.
	takenAtPlace = `
    SELECT payout_id, least(i.to_minor, place.to_minor)
        - greatest(i.from_minor, place.from_minor) AS part
    FROM payout_intervals AS i
    WHERE (i.user_id, i.currency, i.side) = (place.user_id, place.currency, place.side)
        AND NOT i.released
        AND i.to_minor > place.from_minor
        AND i.to_minor <= coalesce((
            SELECT last.to_minor FROM payout_intervals AS last
            WHERE (last.user_id, last.currency, last.side)
                    = (place.user_id, place.currency, place.side)
                AND NOT last.released
                AND last.to_minor >= place.to_minor
            ORDER BY last.to_minor
            LIMIT 1
        ), place.to_minor)
        AND i.from_minor < place.to_minor
    OFFSET 0`

	selectPayments = `
SELECT q.id::text, place.currency, (place.sign * x.paid)::bigint, (place.sign * x.held)::bigint
FROM unnest($1::uuid[]) AS q (id)` + commissionPlace + `
CROSS JOIN LATERAL (
    SELECT coalesce(sum(part) FILTER (WHERE status = 'completed'), 0) AS paid,
        coalesce(sum(part) FILTER (WHERE status = 'requested'), 0) AS held
    FROM (` + takenAtPlace + `) AS taken
    CROSS JOIN LATERAL (SELECT status FROM payouts WHERE id = taken.payout_id OFFSET 0) AS p
) AS x
WHERE $2 OR place.user_id = $3`

	selectShares = `
SELECT ` + payoutColumnsWithoutDetails + `, share
FROM (
    SELECT payout_id, (place.sign * sum(part))::bigint AS share
    FROM unnest(ARRAY[$1::uuid]) AS q (id)` + commissionPlace + `
    CROSS JOIN LATERAL (
        SELECT * FROM (` + takenAtPlace + `) AS taken
        UNION ALL
        SELECT payout_id, least(i.to_minor, place.to_minor)
            - greatest(i.from_minor, place.from_minor)
        FROM payout_intervals AS i
        WHERE (i.user_id, i.currency, i.side) = (place.user_id, place.currency, place.side)
            AND i.released
            AND i.to_minor > place.from_minor
            AND i.from_minor < place.to_minor
    ) AS met
    WHERE $2 OR place.user_id = $3
    GROUP BY payout_id, place.sign
) AS shares
CROSS JOIN LATERAL (SELECT * FROM payouts WHERE id = shares.payout_id OFFSET 0) AS payouts
WHERE $4::timestamptz IS NULL OR (created_at, id) < ($4, $5::uuid)
ORDER BY created_at DESC, payouts.id DESC
LIMIT $6`

	// For each interval from the row in which it begins to the row in which it ends.
	selectItems = `
SELECT i.side, i.from_minor::text, x.position_minor::text, x.commission_id::text, c.event_id,
    c.order_id, c.campaign_id, c.kind, c.occurred_at, i.currency, x.part, c.amount_minor
FROM (
    SELECT *, CASE side WHEN 'credit' THEN 1 ELSE -1 END AS sign FROM payout_intervals
    WHERE payout_id = $1 AND ($6 OR user_id = $7)
        AND ($2 = '' OR (side, from_minor) >= ($2, $3::numeric))
    OFFSET 0
) AS i
CROSS JOIN LATERAL (
    SELECT position_minor AS first FROM ledger
    WHERE user_id = i.user_id AND currency = i.currency
        AND credit = (i.side = 'credit')
        AND position_minor <= i.from_minor
    ORDER BY position_minor DESC
    LIMIT 1
) AS begins
CROSS JOIN LATERAL (
    SELECT commission_id, position_minor, (i.sign * (least(i.to_minor, position_minor + amount_minor)
        - greatest(i.from_minor, position_minor)))::bigint AS part
    FROM ledger
    WHERE user_id = i.user_id AND currency = i.currency
        AND credit = (i.side = 'credit')
        AND position_minor >= CASE WHEN (i.side, i.from_minor) = ($2, $3::numeric)
            THEN $4::numeric + 1 ELSE begins.first END
        AND position_minor < i.to_minor
    ORDER BY position_minor
    LIMIT $5
) AS x
CROSS JOIN LATERAL (SELECT * FROM commissions WHERE id = x.commission_id OFFSET 0) AS c
ORDER BY i.side, i.from_minor, x.position_minor
LIMIT $5`

	// The money that is left for requested payouts is in_payout and what is available, which is
	// below zero here. It covers the oldest.
	selectUncovered = `
SELECT q.id::text
FROM unnest($1::uuid[]) AS q (id)
CROSS JOIN LATERAL (
    SELECT * FROM payouts WHERE id = q.id AND status = 'requested' OFFSET 0
) AS p
CROSS JOIN LATERAL (
    SELECT available_minor, in_payout_minor FROM balances
    WHERE user_id = p.user_id AND currency = p.currency AND available_minor < 0
    OFFSET 0
) AS b
CROSS JOIN LATERAL (
    SELECT sum(amount_minor) AS minor FROM payouts
    WHERE user_id = p.user_id AND currency = p.currency AND status = 'requested'
        AND (created_at, id) <= (p.created_at, p.id)
) AS claimed
WHERE claimed.minor > b.available_minor + b.in_payout_minor AND ($2 OR p.user_id = $3)`
)

// Payments reads what payouts pay.
type Payments struct{ store *Store }

var (
	_ query.PaymentReader  = Payments{}
	_ query.CoverageReader = Payments{}
)

// Payments returns the reader of what payouts pay.
func (s *Store) Payments() Payments { return Payments{store: s} }

func (r Payments) Payments(
	ctx context.Context,
	owner query.Owner,
	ids []string,
) (map[string]query.Payment, error) {
	if len(ids) == 0 {
		return map[string]query.Payment{}, nil
	}

	user, limited := owner.UserID()

	rows, err := r.store.pool.Query(ctx, selectPayments, ids, !limited, user)
	if err != nil {
		return nil, mapped("read payments", err)
	}

	var (
		id, code   string
		paid, held int64
	)
	payments := make(map[string]query.Payment, len(ids))
	_, err = pgx.ForEachRow(rows, []any{&id, &code, &paid, &held}, func() error {
		currency, err := money.ParseCurrency(code)
		payments[id] = query.Payment{
			Paid: money.FromMinor(paid, currency),
			Held: money.FromMinor(held, currency),
		}

		return err
	})

	return payments, mapped("read payments", err)
}

func (r Payments) Shares(
	ctx context.Context,
	owner query.Owner,
	commissionID string,
	limit int,
	after query.Position,
) ([]query.Share, error) {
	if _, err := uuid.Parse(commissionID); err != nil {
		return nil, commission.ErrNotFound
	}

	user, limited := owner.UserID()

	shares, err := collect(
		ctx,
		r.store.pool,
		scanShare,
		selectShares,
		commissionID,
		!limited,
		user,
		orNil(after.At),
		orNone(after.ID),
		limit,
	)

	return shares, mapped("list the payouts of a commission", err)
}

func scanShare(row pgx.CollectableRow) (query.Share, error) {
	var (
		scanned payoutRow
		minor   int64
	)
	if err := row.Scan(append(scanned.targets(), &minor)...); err != nil {
		return query.Share{}, err
	}

	p, err := scanned.snapshot()

	return query.Share{Payout: p, Amount: money.FromMinor(minor, p.Amount.Currency())}, err
}

func (r Payments) Items(
	ctx context.Context,
	owner query.Owner,
	payoutID string,
	limit int,
	after query.ItemPosition,
) ([]query.Item, error) {
	user, limited := owner.UserID()

	items, err := collect(
		ctx,
		r.store.pool,
		scanItem,
		selectItems,
		payoutID,
		string(after.Side),
		orZero(after.Interval),
		orZero(after.Position),
		limit,
		!limited,
		user,
	)

	return items, mapped("list the items of a payout", err)
}

func scanItem(row pgx.CollectableRow) (query.Item, error) {
	var (
		item                    query.Item
		side, kind, code        string
		event, order, campaigns *string
		occurred                time.Time
		part, whole             int64
	)

	err := row.Scan(
		&side,
		&item.Position.Interval,
		&item.Position.Position,
		&item.CommissionID,
		&event,
		&order,
		&campaigns,
		&kind,
		&occurred,
		&code,
		&part,
		&whole,
	)
	if err != nil {
		return item, err
	}

	currency, err := money.ParseCurrency(code)
	item.Position.Side = ledger.Side(side)
	item.EventID = value(event)
	item.OrderID = value(order)
	item.CampaignID = value(campaigns)
	item.Kind = commission.Kind(kind)
	item.OccurredAt = occurred.UTC()
	item.Amount = money.FromMinor(part, currency)
	item.Whole = money.FromMinor(whole, currency)

	return item, err
}

func (r Payments) Uncovered(
	ctx context.Context,
	owner query.Owner,
	ids []string,
) (map[string]bool, error) {
	user, limited := owner.UserID()

	found, err := collect(
		ctx,
		r.store.pool,
		pgx.RowTo[string],
		selectUncovered,
		ids,
		!limited,
		user,
	)
	uncovered := make(map[string]bool, len(found))

	for _, id := range found {
		uncovered[id] = true
	}

	return uncovered, mapped("read what payouts stand on", err)
}

// orNone returns nil, which becomes NULL, for "".
func orNone(text string) *string {
	if text == "" {
		return nil
	}

	return &text
}

// orZero returns the text of 0 for "".
func orZero(digits string) string {
	if digits == "" {
		return "0"
	}

	return digits
}
