package postgres

import (
	"context"

	"tributary/platform/postgres"
)

// insertsAfterRepetition is for how many commits COPY is not tried after an event was sent again.
// Where that is usual, one commit in so many is refused first.
const insertsAfterRepetition = 100

// copyOrInsert returns the ids that were new. COPY takes the database two thirds of the time of
// INSERT, but is refused as a whole if one of the ids is not new.
func (a *Appender) copyOrInsert(ctx context.Context, r *rows) ([]string, error) {
	if a.inserts.Load() > 0 {
		a.inserts.Add(-1)
		return a.insert(ctx, r)
	}

	err := a.copy(ctx, r)

	if refused, ok := postgres.Refusal(err); ok && refused.ConstraintName == "events_event_id_key" {
		a.inserts.Store(insertsAfterRepetition)
		return a.insert(ctx, r)
	}

	return r.ids, err
}

// copy writes the rows in one statement, which is its own transaction.
func (a *Appender) copy(ctx context.Context, r *rows) error {
	conn, err := a.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()

	return r.copied().Into(ctx, conn)
}

// copied returns the rows for COPY.
func (r *rows) copied() *postgres.Copy {
	out := postgres.NewCopy("events", []string{
		"occurred_at",
		"received_at",
		"event_id",
		"user_id",
		"event_type",
		"body_hash",
		"campaign_id",
		"product_id",
		"order_id",
		"original_event_id",
		"amount",
		"currency",
		"metadata",
		"attributes",
		"traceparent",
	}, len(r.ids))
	for i := range r.ids {
		out.Row().
			Time(r.occurred[i]).
			Time(r.received[i]).
			Text(r.ids[i]).
			Text(r.users[i]).
			Text(r.types[i]).
			Bytes(r.hashes[i]).
			TextOrNull(r.campaigns[i]).
			TextOrNull(r.products[i]).
			TextOrNull(r.orders[i]).
			TextOrNull(r.originals[i]).
			TextOrNull(r.amounts[i]).
			TextOrNull(r.currencies[i]).
			TextOrNull(r.metadata[i]).
			TextOrNull(r.attributes[i]).
			TextOrNull(r.traceparents[i])
	}

	return out
}
