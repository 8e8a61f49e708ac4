// Package postgres (infrastructure) stores the log, and the relay's position and lease, in
// PostgreSQL.
package postgres

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"tributary/contracts/eventtype"
	"tributary/tracking/internal/domain/event"
)

// columns are the columns of events that a reader needs, in the order of scan.
const columns = `seq, occurred_at, received_at, event_id, user_id, event_type, body_hash,
    campaign_id, product_id, order_id, original_event_id, amount, currency, metadata, attributes,
    traceparent`

// scanner scans rows of columns. It is reused from row to row.
type scanner struct {
	seq                  int64
	occurred, received   time.Time
	id, user, kind       string
	hash                 []byte
	campaign, product    pgtype.Text
	order, original      pgtype.Text
	amount, currency     pgtype.Text
	metadata, attributes pgtype.Text
	traceparent          pgtype.Text
	targets              []any
}

func newScanner() *scanner {
	s := &scanner{}
	s.targets = []any{
		&s.seq,
		&s.occurred,
		&s.received,
		&s.id,
		&s.user,
		&s.kind,
		(*pgtype.PreallocBytes)(&s.hash),
		&s.campaign,
		&s.product,
		&s.order,
		&s.original,
		&s.amount,
		&s.currency,
		&s.metadata,
		&s.attributes,
		&s.traceparent,
	}

	return s
}

func (s *scanner) scan(row pgx.Row) (event.Entry, error) {
	if err := row.Scan(s.targets...); err != nil {
		return event.Entry{}, err
	}

	snapshot := event.Snapshot{
		ID:              s.id,
		UserID:          s.user,
		Type:            eventtype.Type(s.kind),
		OccurredAt:      s.occurred.UTC(),
		ReceivedAt:      s.received.UTC(),
		CampaignID:      s.campaign.String,
		ProductID:       s.product.String,
		OrderID:         s.order.String,
		OriginalEventID: s.original.String,
		Amount:          s.amount.String,
		Currency:        s.currency.String,
		Metadata:        s.metadata.String,
		Traceparent:     s.traceparent.String,
	}
	copy(snapshot.Hash[:], s.hash)

	if s.attributes.Valid {
		var a attributes
		if err := json.Unmarshal([]byte(s.attributes.String), &a); err != nil {
			return event.Entry{}, err
		}

		snapshot.VisitorID = a.VisitorID
		snapshot.SourceURL = a.SourceURL
		snapshot.DestinationURL = a.DestinationURL
		snapshot.Source = a.Source
		snapshot.Attributes = string(a.Attributes)
	}

	return event.Entry{Seq: s.seq, Event: event.Restore(snapshot)}, nil
}

// attributes is the JSON of the column attributes.
type attributes struct {
	VisitorID      string         `json:"visitor_id,omitempty"`
	SourceURL      string         `json:"source_url,omitempty"`
	DestinationURL string         `json:"destination_url,omitempty"`
	Source         string         `json:"source,omitempty"`
	Attributes     jsontext.Value `json:"attributes,omitzero"`
}

// attributesOf returns the JSON of the column, or "" if the event has no attributes.
func attributesOf(f *event.Snapshot) (string, error) {
	if f.VisitorID == "" && f.SourceURL == "" && f.DestinationURL == "" && f.Source == "" &&
		f.Attributes == "" {
		return "", nil
	}

	a := attributes{
		VisitorID:      f.VisitorID,
		SourceURL:      f.SourceURL,
		DestinationURL: f.DestinationURL,
		Source:         f.Source,
	}
	if f.Attributes != "" {
		a.Attributes = jsontext.Value(f.Attributes)
	}

	text, err := json.Marshal(a)

	return string(text), err
}
