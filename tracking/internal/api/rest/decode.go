package rest

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/fault"
	"tributary/platform/strictjson"
	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/domain/event"
)

// reader reads the members of JSON objects in sequence. The text has passed strictjson.Check: no
// duplicate names, valid UTF-8, no NUL, bounded depth. Readers are reused; their results do not
// refer to their buffers.
type reader struct {
	source bytes.Buffer
	json   jsontext.Decoder
}

//nolint:gochecknoglobals // a pool is the process's own, as memory is.
var readers = sync.Pool{New: func() any { return new(reader) }}

// read calls use with a reader of the text.
func read(text []byte, use func(*reader)) {
	r, _ := readers.Get().(*reader)
	r.source = *bytes.NewBuffer(text)
	r.json.Reset(&r.source, jsontext.AllowDuplicateNames(true))
	use(r)
	r.source = bytes.Buffer{}
	r.json.Reset(&r.source) // releases the text
	readers.Put(r)
}

// members calls member for every member, which must read the member's value. It returns false if
// the next value is not an object; the value is skipped.
func (r *reader) members(member func(quotedName []byte)) bool {
	if r.json.PeekKind() != jsontext.KindBeginObject {
		_ = r.json.SkipValue()
		return false
	}

	if _, err := r.json.ReadToken(); err != nil {
		return false
	}

	for r.json.PeekKind() == jsontext.KindString {
		name, err := r.json.ReadValue()
		if err != nil {
			return false
		}

		member(plainName(name))
	}

	_, err := r.json.ReadToken()

	return err == nil
}

// elements calls element for every element of an array, which must read it. It returns false if the
// next value is not an array; the value is skipped.
func (r *reader) elements(element func()) bool {
	if r.json.PeekKind() != jsontext.KindBeginArray {
		_ = r.json.SkipValue()
		return false
	}

	if _, err := r.json.ReadToken(); err != nil {
		return false
	}

	for {
		if kind := r.json.PeekKind(); kind == jsontext.KindInvalid ||
			kind == jsontext.KindEndArray {
			_, err := r.json.ReadToken()
			return err == nil
		}

		element()
	}
}

// plainName returns a quoted name without unnecessary escapes, so that quoted names can be
// compared.
func plainName(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted
	}

	plain, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return quoted
	}

	plain, err = jsontext.AppendQuote(nil, plain)
	if err != nil {
		return quoted
	}

	return plain
}

// null skips a null and reports whether there was one. Null is equivalent to an absent member.
func (r *reader) null() bool {
	if r.json.PeekKind() != jsontext.KindNull {
		return false
	}

	_ = r.json.SkipValue()

	return true
}

// text reads a string. Null is treated as absent; any other value is a fault.
func (r *reader) text(field string, faults *fault.Fields) event.Text {
	if r.null() {
		return event.Text{}
	}

	raw, err := r.json.ReadValue()
	if err != nil || raw.Kind() != jsontext.KindString {
		faults.Add(field, fault.ErrWrongType, "must be a string")
		return event.Broken()
	}

	return event.Given(unquote(raw))
}

// number reads a number, or a string of the same form, as its text. Null is treated as absent.
func (r *reader) number(field string, faults *fault.Fields) event.Text {
	if r.null() {
		return event.Text{}
	}

	raw, err := r.json.ReadValue()
	switch {
	case err == nil && raw.Kind() == jsontext.KindNumber:
		return event.Given(string(raw))
	case err == nil && raw.Kind() == jsontext.KindString:
		return event.Given(unquote(raw))
	}

	faults.Add(field, fault.ErrWrongType, "must be a number or a string with a number")

	return event.Broken()
}

// boolean reads true or false, or a string of the same form, as its text. Null is treated as
// absent.
func (r *reader) boolean(field string, faults *fault.Fields) event.Text {
	raw, err := r.json.ReadValue()
	switch {
	case err == nil && raw.Kind() == jsontext.KindNull:
		return event.Text{}
	case err == nil && (raw.Kind() == jsontext.KindTrue || raw.Kind() == jsontext.KindFalse):
		return event.Given(string(raw))
	case err == nil && raw.Kind() == jsontext.KindString:
		return event.Given(unquote(raw))
	}

	faults.Add(field, fault.ErrWrongType, "must be true or false")

	return event.Broken()
}

func unquote(raw jsontext.Value) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1])
	}

	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil { // cannot happen: the text has been checked
		return ""
	}

	return string(text)
}

const whole = "body" // the field of a fault of the whole value

// event reads one event as the contract describes it. It collects the faults of reading; those of
// the rules follow later.
func (r *reader) event(prefix string) command.Item {
	var item command.Item

	ok := r.members(func(name []byte) {
		if string(name) == `"metadata"` {
			item.Input.Metadata = r.metadata(prefix, &item.Faults)
			return
		}

		target, field := member(&item.Input, name)
		if target == nil {
			r.unknown(prefix, name, &item.Faults)
			return
		}

		*target = r.text(prefix+field, &item.Faults)
	})
	if !ok {
		item.Faults.Add(
			cmp.Or(strings.TrimSuffix(prefix, "."), whole),
			fault.ErrWrongType,
			"must be an object",
		)
		// one fault is enough
		item.Input = event.Input{
			UserID:    event.Broken(),
			EventType: event.Broken(),
			Metadata:  event.Metadata{Amount: event.Broken()},
		}
	}

	return item
}

// member returns the destination of a member's text, by its quoted name.
func member(in *event.Input, name []byte) (target *event.Text, field string) {
	switch string(name) {
	case `"event_id"`:
		return &in.EventID, "event_id"
	case `"user_id"`:
		return &in.UserID, "user_id"
	case `"partner_id"`:
		return &in.PartnerID, "partner_id"
	case `"event_type"`:
		return &in.EventType, "event_type"
	case `"interaction_type"`:
		return &in.InteractionType, "interaction_type"
	case `"occurred_at"`:
		return &in.OccurredAt, "occurred_at"
	case `"campaign_id"`:
		return &in.CampaignID, "campaign_id"
	case `"visitor_id"`:
		return &in.VisitorID, "visitor_id"
	case `"source_url"`:
		return &in.SourceURL, "source_url"
	case `"destination_url"`:
		return &in.DestinationURL, "destination_url"
	}

	return nil, ""
}

// unknown adds a fault for a member that is not part of the request and skips it.
func (r *reader) unknown(prefix string, name []byte, faults *fault.Fields) {
	faults.Add(fault.Name(prefix+unquote(name)), fault.ErrUnknownField, "is not a field of this request")
	_ = r.json.SkipValue()
}

// metadata reads the free object: its text, its canonical form, and its members with meaning.
func (r *reader) metadata(prefix string, faults *fault.Fields) event.Metadata {
	if r.null() {
		return event.Metadata{}
	}

	raw, err := r.json.ReadValue()
	if err != nil || raw.Kind() != jsontext.KindBeginObject {
		faults.Add(prefix+"metadata", fault.ErrWrongType, "must be an object")
		return event.Metadata{Amount: event.Broken()}
	}

	m := event.Metadata{Text: string(raw)}
	compared := []byte(raw)
	read(raw, func(inner *reader) {
		end := inner.meaning(prefix, &m, faults)
		compared = amountAsNumber(raw, end, m.Amount)
	})

	canonical, err := strictjson.Canonical(compared)
	if err != nil {
		faults.Add(prefix+"metadata", fault.ErrWrongType, "must be an object")
	}

	m.Canonical = string(canonical)

	return m
}

// amountAsNumber returns the object with a string amount, whose text ends at end, written as a
// number: both forms are equivalent.
func amountAsNumber(object []byte, end int64, amount event.Text) []byte {
	number, ok := strictjson.Number(amount.Value())
	if !ok || object[end-1] != '"' {
		return object
	}

	start := bytes.LastIndexByte(object[:end-1], '"')

	return slices.Concat(object[:start], []byte(number), object[end:])
}

// meaning reads the members with meaning. It returns the offset after the amount.
func (r *reader) meaning(
	prefix string,
	m *event.Metadata,
	faults *fault.Fields,
) (amountEnd int64) {
	r.members(func(name []byte) {
		switch string(name) {
		case `"amount"`:
			m.Amount = r.number(prefix+"metadata.amount", faults)
			amountEnd = r.json.InputOffset()
		case `"currency"`:
			m.Currency = r.text(prefix+"metadata.currency", faults)
		case `"product_id"`:
			m.ProductID = r.text(prefix+"metadata.product_id", faults)
		case `"order_id"`:
			m.OrderID = r.text(prefix+"metadata.order_id", faults)
		case `"original_event_id"`:
			m.OriginalEventID = r.text(prefix+"metadata.original_event_id", faults)
		case `"self_referral"`:
			m.SelfReferral = r.boolean(prefix+"metadata.self_referral", faults)
		default:
			_ = r.json.SkipValue()
		}
	})

	return amountEnd
}
