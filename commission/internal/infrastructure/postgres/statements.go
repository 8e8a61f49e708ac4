package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/platform/money"
)

// What a user is owed is pending, available and in payouts. A commission changes it when it is
// made, and again when it is rejected; a payout when it is completed.
const (
	// Lines since $2 and, if $3 is not NULL, before $3, in three parts that are read by indexes of
	// their own. $4 and $5 are ids that bound those of the commissions, which are times.
	madeSince = `
    SELECT 1 AS part, id, CASE kind WHEN 'earning' THEN 'earned' WHEN 'clawback' THEN 'clawed_back'
        ELSE 'adjusted' END AS entry, created_at AS at, currency, amount_minor AS minor,
        event_id, order_id, campaign_id, NULL::text AS reference
    FROM commissions
    WHERE user_id = $1 AND created_at >= $2 AND ($3::timestamptz IS NULL OR created_at < $3)
        AND id >= $4 AND id <= $5`

	rejectedSince = `
    SELECT 2 AS part, c.id, 'rejected' AS entry, l.created_at AS at, c.currency,
        -c.amount_minor AS minor, c.event_id, c.order_id, c.campaign_id, NULL::text AS reference
    FROM commissions AS c
    CROSS JOIN LATERAL (
        SELECT created_at FROM transfers
        WHERE coalesce(commission_id, payout_id) = c.id
            AND from_account = CASE WHEN c.amount_minor > 0 THEN 'pending' ELSE 'programme' END
        OFFSET 0
    ) AS l
    WHERE c.user_id = $1 AND c.status = 'rejected'
        AND l.created_at >= $2 AND ($3::timestamptz IS NULL OR l.created_at < $3)`

	paidSince = `
    SELECT 3 AS part, id, 'paid' AS entry, closed_at AS at, currency, -amount_minor AS minor,
        NULL::text AS event_id, NULL::text AS order_id, NULL::text AS campaign_id,
        external_reference AS reference
    FROM payouts
    WHERE user_id = $1 AND status = 'completed' AND closed_at >= $2
        AND ($3::timestamptz IS NULL OR closed_at < $3)`

	// Backwards from what is owed now: $2 is the beginning of the period, $6 its end, $3 is NULL.
	selectStatement = `
SELECT b.currency, b.owed::text, coalesce(x.since, 0)::text, coalesce(x.earned, 0)::text,
    coalesce(x.clawed_back, 0)::text, coalesce(x.adjusted, 0)::text,
    coalesce(x.rejected, 0)::text, coalesce(x.paid, 0)::text
FROM (
    SELECT currency, pending_minor + available_minor + in_payout_minor AS owed FROM balances
    WHERE user_id = $1
    OFFSET 0
) AS b
LEFT JOIN (
    SELECT currency, sum(minor) AS since,
        sum(minor) FILTER (WHERE entry = 'earned' AND at < $6) AS earned,
        sum(minor) FILTER (WHERE entry = 'clawed_back' AND at < $6) AS clawed_back,
        sum(minor) FILTER (WHERE entry = 'adjusted' AND at < $6) AS adjusted,
        sum(minor) FILTER (WHERE entry = 'rejected' AND at < $6) AS rejected,
        sum(minor) FILTER (WHERE entry = 'paid' AND at < $6) AS paid
    FROM (` + madeSince + ` UNION ALL ` + rejectedSince + ` UNION ALL ` + paidSince + `) AS lines
    GROUP BY currency
) AS x USING (currency)
ORDER BY b.currency`

	lineColumns = `part, id::text, entry, at, currency, minor, event_id, order_id, campaign_id, reference`
)

// lineParts returns the statement of each part of the lines: at most $7 that follow the id $6.
func lineParts() []string {
	return []string{
		`SELECT ` + lineColumns + ` FROM (` + madeSince +
			` AND id > $6 ORDER BY commissions.id LIMIT $7) AS lines ORDER BY lines.id`,
		`SELECT ` + lineColumns + ` FROM (` + rejectedSince +
			` AND c.id > $6 AND $4::uuid <= $5::uuid ORDER BY c.id LIMIT $7) AS lines ORDER BY lines.id`,
		`SELECT ` + lineColumns + ` FROM (` + paidSince +
			` AND id > $6 AND $4::uuid <= $5::uuid ORDER BY payouts.id LIMIT $7) AS lines ORDER BY lines.id`,
	}
}

// Statements reads statements.
type Statements struct{ store *Store }

var _ query.StatementReader = Statements{}

// Statements returns the reader of statements.
func (s *Store) Statements() Statements { return Statements{store: s} }

// idsBetween returns the ids between which those of commissions lie that were made in the time.
func idsBetween(from, to time.Time) (first, last string) {
	last = uuid.Max.String()
	if !to.IsZero() {
		last = idAt(to.Add(disorder))
	}

	return idAt(from.Add(-disorder)), last
}

func (r Statements) Accounts(
	ctx context.Context,
	owner query.Owner,
	period query.Period,
) ([]query.Account, error) {
	userID, _ := owner.UserID()

	first, last := idsBetween(period.From, time.Time{})

	found, err := collect(
		ctx,
		r.store.pool,
		scanAccount,
		selectStatement,
		pgx.QueryExecModeCacheDescribe,
		userID,
		period.From,
		nil,
		first,
		last,
		period.Until,
	)

	return found, mapped("read a statement", tooWide(err))
}

func scanAccount(row pgx.CollectableRow) (query.Account, error) {
	var code, owed, since, earned, clawed, adjusted, rejected, paid string
	if err := row.Scan(
		&code,
		&owed,
		&since,
		&earned,
		&clawed,
		&adjusted,
		&rejected,
		&paid,
	); err != nil {
		return query.Account{}, err
	}

	currency, err := money.ParseCurrency(code)
	if err != nil {
		return query.Account{}, err
	}

	var now, later money.Total

	a := query.Account{Currency: currency, Lines: map[query.Entry]money.Total{}}
	sums := map[query.Entry]*money.Total{}
	texts := map[*money.Total]string{&now: owed, &later: since}

	for entry, text := range map[query.Entry]string{
		query.Earned:     earned,
		query.ClawedBack: clawed,
		query.Adjusted:   adjusted,
		query.Refused:    rejected,
		query.PaidOut:    paid,
	} {
		sums[entry] = new(money.Total)
		texts[sums[entry]] = text
	}

	if err := parseTotals(currency, texts); err != nil {
		return a, err
	}

	a.Opening = now.Sub(later)

	a.Closing = a.Opening
	for entry, sum := range sums {
		a.Lines[entry] = *sum
		a.Closing = a.Closing.Add(*sum)
	}

	return a, nil
}

// Lines reads the parts one after the other, until the page is full.
func (r Statements) Lines(
	ctx context.Context,
	owner query.Owner,
	period query.Period,
	limit int,
	after query.LinePosition,
) ([]query.Line, error) {
	userID, _ := owner.UserID()

	var lines []query.Line

	first, last := idsBetween(period.From, period.Until)

	for i, sql := range lineParts() {
		part, behind := i+1, uuid.Nil.String()
		if part < after.Part || len(lines) == limit {
			continue
		}

		if part == after.Part {
			if _, err := uuid.Parse(after.ID); err != nil {
				return nil, errCursor()
			}

			behind = after.ID
		}

		found, err := collect(
			ctx,
			r.store.pool,
			scanLine,
			sql,
			pgx.QueryExecModeCacheDescribe,
			userID,
			period.From,
			period.Until,
			first,
			last,
			behind,
			limit-len(lines),
		)
		if err != nil {
			return nil, mapped("read a statement", tooWide(err))
		}

		lines = append(lines, found...)
	}

	return lines, nil
}

func scanLine(row pgx.CollectableRow) (query.Line, error) {
	var (
		line                              query.Line
		entry, code                       string
		minor                             int64
		event, order, campaign, reference *string
	)

	err := row.Scan(
		&line.Position.Part,
		&line.Position.ID,
		&entry,
		&line.At,
		&code,
		&minor,
		&event,
		&order,
		&campaign,
		&reference,
	)
	if err != nil {
		return line, err
	}

	currency, err := money.ParseCurrency(code)
	line.Entry = query.Entry(entry)
	line.At = line.At.UTC()
	line.Amount = money.FromMinor(minor, currency)
	line.EventID = value(event)
	line.OrderID = value(order)
	line.CampaignID = value(campaign)
	line.Reference = value(reference)

	if line.Entry == query.PaidOut {
		line.PayoutID = line.Position.ID
	} else {
		line.CommissionID = line.Position.ID
	}

	return line, err
}
