package rest

import (
	"mime"
	"strings"

	"tributary/platform/fault"
	"tributary/tracking/internal/application/ingest"
	"tributary/tracking/internal/domain/event"
)

// envelope is a CloudEvent 1.0 in structured mode. Its attributes say what event_id, event_type, user_id and occurred_at say elsewhere; its data
// is the event itself, in which those may be left out or must agree.
type envelope struct {
	specVersion, id, source, kind, subject, time event.Text
	contentType, schema, traceparent, ignored    event.Text
}

// cloudEvent reads one CloudEvent.
func (r *reader) cloudEvent() (item ingest.Item, traceparent string) {
	var e envelope
	var faults fault.Fields
	ok := r.members(func(name []byte) {
		if string(name) == `"data"` {
			item = r.event("data.")
			return
		}
		target, field := e.attribute(name)
		if target == nil {
			r.unknown("", name, &faults)
			return
		}
		*target = r.text(field, &faults)
	})
	if ok {
		e.check(&faults)
	} else {
		faults.Add(whole, "wrong_type", "must be an object")
		e.kind, e.subject = event.Broken(), event.Broken() // one fault is enough
	}
	item.Faults = append(faults, item.Faults...)
	e.merge(&item)
	return item, e.traceparent.Value()
}

func (e *envelope) attribute(name []byte) (target *event.Text, field string) {
	switch string(name) {
	case `"specversion"`:
		return &e.specVersion, "specversion"
	case `"id"`:
		return &e.id, "id"
	case `"source"`:
		return &e.source, "source"
	case `"type"`:
		return &e.kind, "type"
	case `"subject"`:
		return &e.subject, "subject"
	case `"time"`:
		return &e.time, "time"
	case `"datacontenttype"`:
		return &e.contentType, "datacontenttype"
	case `"dataschema"`:
		return &e.schema, "dataschema"
	case `"traceparent"`:
		return &e.traceparent, "traceparent"
	case `"tracestate"`:
		return &e.ignored, "tracestate"
	case `"partitionkey"`:
		return &e.ignored, "partitionkey"
	}
	return nil, ""
}

// check tells what breaks the rules of CloudEvents itself. A missing type or subject is told by the rules of events.
func (e *envelope) check(faults *fault.Fields) {
	switch {
	case e.specVersion == event.Text{}:
		faults.Add("specversion", "required", "is required")
	case e.specVersion.IsGiven() && e.specVersion.Value() != "1.0":
		faults.Add("specversion", "invalid_value", "must be 1.0")
	}
	if (e.id == event.Text{}) {
		faults.Add("id", "required", "is required")
	}
	if (e.source == event.Text{}) {
		faults.Add("source", "required", "is required")
	}
	if e.contentType.IsGiven() {
		media, _, err := mime.ParseMediaType(e.contentType.Value())
		if err != nil || (media != mediaJSON && !strings.HasSuffix(media, "+json")) {
			faults.Add("datacontenttype", "invalid_value", "must be application/json")
		}
	}
}

const (
	typePrefix = "tributary.tracking."
	typeSuffix = ".v1"
)

// merge moves the attributes into the event.
func (e *envelope) merge(item *ingest.Item) {
	if kind, ok := strings.CutPrefix(e.kind.Value(), typePrefix); ok {
		if short, ok := strings.CutSuffix(kind, typeSuffix); ok {
			e.kind = event.Given(short)
		}
	}
	in := &item.Input
	for _, pair := range []struct {
		field string
		text  event.Text
		into  *event.Text
	}{
		{"id", e.id, &in.EventID}, {"type", e.kind, &in.EventType}, {"subject", e.subject, &in.UserID}, {"time", e.time, &in.OccurredAt},
	} {
		switch {
		case pair.text == event.Text{}:
		case pair.into.IsGiven() && pair.text.IsGiven() && *pair.into != pair.text:
			item.Faults.Add(pair.field, "contradiction", "must have the same value as its counterpart in data")
		default:
			*pair.into = pair.text
		}
	}
	in.Source = e.source
}

// attributeNames gives the faults of an event the names that a CloudEvent has for its fields.
func attributeNames(err error) error {
	f, ok := fault.As(err)
	if !ok || len(f.Fields) == 0 {
		return err
	}
	named := *f
	named.Fields = make([]fault.Field, len(f.Fields))
	for i, field := range f.Fields {
		named.Fields[i] = field
		switch field.Field {
		case "event_id":
			named.Fields[i].Field = "id"
		case "event_type":
			named.Fields[i].Field = "type"
		case "user_id":
			named.Fields[i].Field = "subject"
		case "occurred_at":
			named.Fields[i].Field = "time"
		case "partner_id", "interaction_type", "campaign_id", "visitor_id", "source_url", "destination_url":
			named.Fields[i].Field = "data." + field.Field
		default:
			if strings.HasPrefix(field.Field, "metadata") {
				named.Fields[i].Field = "data." + field.Field
			}
		}
	}
	return &named
}
