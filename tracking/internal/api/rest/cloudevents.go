package rest

import (
	"bytes"
	"mime"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/fault"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/domain/event"
)

const aboutClouds = "CloudEvents 1.0 are accepted in structured mode; binary mode is refused (415). " +
	"Beside the documented attributes a CloudEvent may have extensions: those with a name of " +
	"lower-case letters and digits, and a string, an integer or a boolean as value, are kept. " +
	"An attribute or member that is null is treated as absent."

// envelope is a CloudEvent 1.0 in structured mode. Its attributes replace event_id, event_type,
// user_id and occurred_at; its data is the event itself, in which those may be absent or must
// agree. A null attribute is unset, as the JSON format requires.
type envelope struct {
	specVersion, id, source, kind, subject, time event.Text
	contentType, schema, traceparent             event.Text
	// Members of a JSON object: attributes that are kept but have no meaning here.
	others []byte
}

func (r *reader) cloudEvent() (item command.Item) {
	var (
		e      envelope
		faults fault.Fields
	)

	ok := r.members(func(name []byte) {
		if string(name) == `"data"` {
			if r.null() {
				return
			}

			item = r.event("data.")

			return
		}

		target, field := e.attribute(name)
		switch {
		case target != nil:
			*target = r.text(field, &faults)
		case isExtension(name):
			field = unquote(name)
			e.keep(field, r.extension(field, &faults))
		default:
			r.unknown("", name, &faults)
		}
	})
	if ok {
		e.check(&faults)
	} else {
		faults.Add(whole, fault.ErrWrongType, "must be an object")
		e.kind, e.subject = event.Broken(), event.Broken() // one fault is enough
	}

	item.Faults = append(faults, item.Faults...)
	e.merge(&item)

	return item
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
	}

	return nil, ""
}

// isExtension reports whether the quoted name is a valid name of a CloudEvents extension:
// lower-case letters and digits.
func isExtension(name []byte) bool {
	for _, c := range name[1 : len(name)-1] {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}

	return len(name) > len(`""`)
}

// extension reads the value of an unknown attribute. It returns nil for an unset one.
func (r *reader) extension(field string, faults *fault.Fields) []byte {
	value, err := r.json.ReadValue()
	switch kind := value.Kind(); {
	case err == nil && kind == jsontext.KindNull:
		return nil
	case err == nil && (kind == jsontext.KindString || kind == jsontext.KindTrue || kind == jsontext.KindFalse),
		err == nil && kind == jsontext.KindNumber && !bytes.ContainsAny(value, ".eE"):
		return value
	}

	faults.Add(field, fault.ErrWrongType, "must be a string, an integer or a boolean")

	return nil
}

func (e *envelope) keep(name string, value []byte) {
	if value == nil {
		return
	}

	opening := byte(',')
	if len(e.others) == 0 {
		opening = '{'
	}

	e.others = append(append(append(append(e.others, opening, '"'), name...), '"', ':'), value...)
}

// check adds the faults by the rules of CloudEvents. The rules of events report a missing type or
// subject.
func (e *envelope) check(faults *fault.Fields) {
	switch {
	case e.specVersion == event.Text{}:
		faults.Add("specversion", fault.ErrRequired, "is required")
	case e.specVersion.IsGiven() && e.specVersion.Value() != "1.0":
		faults.Add("specversion", fault.ErrInvalidValue, "must be 1.0")
	}

	if (e.id == event.Text{}) {
		faults.Add("id", fault.ErrRequired, "is required")
	}

	if (e.source == event.Text{}) {
		faults.Add("source", fault.ErrRequired, "is required")
	}

	if e.contentType.IsGiven() {
		media, _, err := mime.ParseMediaType(e.contentType.Value())
		if err != nil || (media != mediaJSON && !strings.HasSuffix(media, "+json")) {
			faults.Add("datacontenttype", fault.ErrInvalidValue, "must be application/json")
		}
	}
}

const (
	typePrefix = "tributary.tracking."
	typeSuffix = ".v1"
)

// merge moves the attributes into the event.
func (e *envelope) merge(item *command.Item) {
	if kind, ok := strings.CutPrefix(e.kind.Value(), typePrefix); ok {
		if short, ok := strings.CutSuffix(kind, typeSuffix); ok {
			e.kind = event.Given(short)
		}
	}

	in := &item.Input
	if sameTime(e.time, in.OccurredAt) {
		e.time = in.OccurredAt
	}

	for _, pair := range []struct {
		field string
		text  event.Text
		into  *event.Text
	}{
		{"id", e.id, &in.EventID}, {"type", e.kind, &in.EventType}, {
			"subject", e.subject, &in.UserID,
		}, {"time", e.time, &in.OccurredAt},
	} {
		switch {
		case pair.text == event.Text{}:
		case pair.into.IsGiven() && pair.text.IsGiven() && *pair.into != pair.text:
			item.Faults.Add(
				pair.field,
				event.ErrContradiction,
				"must have the same value as its counterpart in data",
			)
		default:
			*pair.into = pair.text
		}
	}

	in.Source, in.Traceparent = e.source, validTraceparent(e.traceparent.Value())
	if schema, err := jsontext.AppendQuote(nil, e.schema.Value()); err == nil &&
		e.schema.IsGiven() {
		e.keep("dataschema", schema)
	}

	if len(e.others) > 0 {
		in.Attributes = string(append(e.others, '}'))
	}
}

// sameTime reports whether both texts are the same instant.
func sameTime(a, b event.Text) bool {
	first, err := time.Parse(time.RFC3339Nano, a.Value())
	second, otherErr := time.Parse(time.RFC3339Nano, b.Value())

	return err == nil && otherErr == nil && first.Equal(second)
}

// attributeNames replaces the field names in the faults of an event by the names of the
// CloudEvent's attributes.
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
		case "partner_id",
			"interaction_type",
			"campaign_id",
			"visitor_id",
			"source_url",
			"destination_url":
			named.Fields[i].Field = "data." + field.Field
		default:
			if strings.HasPrefix(field.Field, "metadata") {
				named.Fields[i].Field = "data." + field.Field
			}
		}
	}

	return &named
}
