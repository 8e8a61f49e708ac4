package postgres

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/platform/fault"
)

// Lists come in the order of id, newest first, which is that of creation and says nothing of
// occurred_at. But most rows are made right after their event occurred:
//   - nothing that occurred since From was made earlier than maxAhead and disorder before it, so no
//     list goes further back;
//   - of what was made after To, only what came late occurred before it: that is little, and found
//     by the BRIN index;
//   - nearly all that occurred before To was made until then: that part is read in order, and stops
//     at a full page.
//
// The rows of one user are few, and read in order to their end.
const (
	maxAhead = 5 * time.Minute // how far an event may be ahead of its receipt; tracking enforces it
	disorder = time.Minute     // how far clocks of services may differ
)

// idAt returns the lowest id of what is created at the time or later: ids are UUIDv7, which begin
// with milliseconds.
func idAt(t time.Time) string {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(max(0, t.UnixMilli()))<<16)

	return id.String()
}

// conditions collects the parts of a WHERE clause with their arguments. The texts are ours; values
// are always arguments.
type conditions struct {
	texts []string
	args  []any
}

// arg adds an argument and returns its placeholder.
func (c *conditions) arg(value any) string {
	c.args = append(c.args, value)
	return "$" + strconv.Itoa(len(c.args))
}

// add adds a condition that has one argument, written as $? in text.
func (c *conditions) add(text string, value any) {
	c.texts = append(c.texts, strings.ReplaceAll(text, "$?", c.arg(value)))
}

// and returns the conditions with one more; the receiver does not change.
func (c conditions) and(text string, value any) conditions {
	more := conditions{texts: append([]string{}, c.texts...), args: append([]any{}, c.args...)}
	more.add(text, value)

	return more
}

func (c *conditions) where() string {
	if len(c.texts) == 0 {
		return ""
	}

	return " WHERE " + strings.Join(c.texts, " AND ")
}

// planned returns the arguments of a statement that is planned for the given values: a generic plan
// would not know how many rows they leave, and could use no partial index.
func (c *conditions) planned() []any { return append([]any{pgx.QueryExecModeCacheDescribe}, c.args...) }

// owned limits the rows to those that the owner may read.
func (c *conditions) owned(owner query.Owner) {
	if user, limited := owner.UserID(); limited {
		c.add("user_id = $?", user)
	}
}

// equal limits the rows to those with the value; "" is any.
func (c *conditions) equal(column, value string) {
	if value != "" {
		c.add(column+" = $?", value)
	}
}

// between limits the rows to those of the time; a zero bound is absent.
func (c *conditions) between(column string, from, to time.Time) {
	if !from.IsZero() {
		c.add(column+" >= $?", from)
	}

	if !to.IsZero() {
		c.add(column+" < $?", to)
	}
}

const (
	// updatedAt is when a commission or payout was changed last, as indexes have it.
	updatedAt = "coalesce(changed_at, created_at)"

	// ofOrder is true for the rows of an order. Each half is that of an index.
	ofOrder = `(order_id = $? AND kind = 'earning' AND event_type IN ('sale', 'purchase')
    OR order_id = $? AND (kind = 'earning' AND event_type IN ('sale', 'purchase')) IS NOT TRUE)`
)

func commissionConditions(owner query.Owner, f query.CommissionFilter) conditions {
	var c conditions
	c.owned(owner)

	c.equal("campaign_id", f.CampaignID)
	c.equal("product_id", f.ProductID)
	c.equal("event_type", f.EventType)
	c.equal("status", f.Status)
	c.equal("kind", f.Kind)
	c.equal("currency", f.Currency)

	if f.OrderID != "" {
		c.add(ofOrder, f.OrderID)
	}

	c.between("occurred_at", f.OccurredFrom, f.OccurredTo)
	c.between("created_at", f.CreatedFrom, f.CreatedTo)
	c.between(updatedAt, f.Updated.From, f.Updated.To)

	if !f.OccurredFrom.IsZero() {
		c.add("id >= $?", idAt(f.OccurredFrom.Add(-maxAhead-disorder)))
	}

	if !f.CreatedFrom.IsZero() {
		c.add("id >= $?", idAt(f.CreatedFrom.Add(-disorder)))
	}

	if !f.CreatedTo.IsZero() {
		c.add("id < $?", idAt(f.CreatedTo.Add(disorder)))
	}

	return c
}

// The order names the table: a bare id would be the selected text, which no index has in order.
const (
	// by an index that ends in id, until the page is full
	inOrder = `commissions.id DESC`
	sorted  = `commissions.id::text COLLATE "C" DESC`
)

func (s *Store) List(
	ctx context.Context,
	owner query.Owner,
	filter query.CommissionFilter,
	slice query.Slice,
) ([]commission.Snapshot, error) {
	c := commissionConditions(owner, filter)
	if filter.Updated.Asked() {
		return s.listChanges(ctx, c, slice)
	}

	if slice.After != "" {
		after, err := uuid.Parse(slice.After)
		if err != nil {
			return nil, errCursor()
		}

		slice.After = after.String()
		c.add("id < $?", slice.After)
	}

	_, ofOne := owner.UserID()
	found, err := listing{
		conditions: c,
		ofOne:      ofOne,
		after:      slice.After,
		to:         filter.OccurredTo,
		limit:      slice.Limit,
	}.read(ctx, s.pool)

	return found, mapped("list commissions", err)
}

// listing is a list of commissions, the newest first.
type listing struct {
	conditions

	ofOne bool   // user
	after string // the id before the first one, or ""
	to    time.Time
	limit int
}

func (l listing) read(ctx context.Context, from querier) ([]commission.Snapshot, error) {
	if l.ofOne || l.to.IsZero() {
		return l.part(ctx, from, l.conditions, inOrder)
	}

	end := idAt(l.to.Add(disorder))

	var late []commission.Snapshot
	if l.after == "" || l.after > end {
		var err error
		if late, err = l.part(ctx, from, l.and("id >= $?", end), sorted); err != nil ||
			len(late) == l.limit {
			return late, err
		}
	}

	l.limit -= len(late)
	rest, err := l.part(ctx, from, l.and("id < $?", end), inOrder)

	return append(late, rest...), err
}

func (s *Store) listChanges(
	ctx context.Context,
	c conditions,
	slice query.Slice,
) ([]commission.Snapshot, error) {
	rows, err := byTime[commission.Snapshot]{
		sql:   selectCommissions,
		id:    "commissions.id",
		ids:   uuids,
		time:  updatedAt,
		order: oldestFirst(),
		scan:  scanCommission,
	}.page(ctx, s.pool, c, slice.Limit, query.Position{At: slice.UpdatedAt, ID: slice.After})

	return rows, mapped("list commissions", err)
}

func (l listing) part(
	ctx context.Context,
	from querier,
	c conditions,
	order string,
) ([]commission.Snapshot, error) {
	return list(ctx, from, c, scanCommission, selectCommissions, order, l.limit)
}

// errCursor returns the fault for a position that no list returned.
func errCursor() error {
	return fault.ErrCursor
}
