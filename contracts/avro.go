package contracts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// AvroSchema returns the description of a payload for the broker: an Avro record for a schema of
// type JSON, made from the JSON Schema of the name. The broker compares it with what producers and
// consumers declare when they connect, and refuses an incompatible one; it never reads a message.
// Members that can hold any JSON (metadata and account_details of commands) have no Avro type and
// are left out, although the messages have them.
func AvroSchema(schema string) (string, error) {
	text, err := Schema(schema + ".schema.json")
	if err != nil {
		return "", err
	}

	var root described
	if err := json.Unmarshal(text, &root); err != nil {
		return "", fmt.Errorf("schema %s: %w", schema, err)
	}

	record, err := root.record(recordName(schema), root.Defs)
	if err != nil {
		return "", fmt.Errorf("schema %s: %w", schema, err)
	}

	record.Namespace = namespace(schema)
	record.Doc = fmt.Sprintf(avroDoc, schema)

	out, err := json.Marshal(record)

	return string(out), err
}

const avroDoc = "The form of %s for the broker, which compares it with what producers and consumers " +
	"declare and never looks into a message. The JSON Schema of the same name holds the rules for the values."

// described is the part of a JSON Schema that Avro has words for.
type described struct {
	Ref        string               `json:"$ref"`
	Type       single               `json:"type"`
	Const      any                  `json:"const"`
	Enum       []string             `json:"enum"`
	Items      *described           `json:"items"`
	Required   []string             `json:"required"`
	Properties members              `json:"properties"`
	Defs       map[string]described `json:"$defs"`
	// Avro is false for a value whose form the broker need not know.
	Avro *bool `json:"x-avro"`
}

// single is the type of a value. It is empty for a value of several types, which Avro describes as
// any JSON.
type single string

func (s *single) UnmarshalJSON(text []byte) error {
	var several []string
	if json.Unmarshal(text, &several) == nil {
		return nil
	}

	return json.Unmarshal(text, (*string)(s))
}

// members are the properties of an object in the order of the text: Avro's fields have an order.
type members []member

type member struct {
	name   string
	schema described
}

func (m *members) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return err
	}

	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}

		next := member{name: fmt.Sprint(name)}
		if err := decoder.Decode(&next.schema); err != nil {
			return err
		}

		*m = append(*m, next)
	}

	return nil
}

type avroRecord struct {
	Type      string      `json:"type"`
	Name      string      `json:"name"`
	Namespace string      `json:"namespace,omitempty"`
	Doc       string      `json:"doc,omitempty"`
	Fields    []avroField `json:"fields"`
}

type avroField struct {
	Name    string           `json:"name"`
	Type    any              `json:"type"`
	Default *json.RawMessage `json:"default,omitempty"`
}

// record returns the Avro record of an object. A member that is not required may be null.
func (d described) record(name string, defs map[string]described) (avroRecord, error) {
	record := avroRecord{Type: "record", Name: name, Fields: []avroField{}}
	required := map[string]bool{}

	for _, r := range d.Required {
		required[r] = true
	}

	for _, m := range d.Properties {
		kind, err := m.schema.avro(title(m.name), defs)
		if err != nil {
			return record, fmt.Errorf("%s: %w", m.name, err)
		}

		field := avroField{Name: m.name, Type: kind}
		if !required[m.name] {
			null := json.RawMessage("null")
			field.Type = []any{"null", kind}
			field.Default = &null
		}

		if kind != nil {
			record.Fields = append(record.Fields, field)
		}
	}

	return record, nil
}

// avro returns the Avro type of a value, or nil if it can be any JSON. name is that of a record.
func (d described) avro(name string, defs map[string]described) (any, error) {
	if d.Ref != "" {
		return defs[strings.TrimPrefix(d.Ref, "#/$defs/")].avro(name, defs)
	}

	if d.Avro != nil && !*d.Avro {
		return nil, nil
	}

	if _, truth := d.Const.(bool); truth {
		return "boolean", nil
	}

	switch {
	case d.Type == "object" && d.Properties != nil:
		return d.record(name, defs)
	case d.Type == "object", d.Type == "" && d.Enum == nil && d.Const == nil:
		return nil, nil
	case d.Type == "array" && d.Items != nil:
		items, err := d.Items.avro(name, defs)
		return map[string]any{"type": "array", "items": items}, err
	case d.Type == "boolean":
		return "boolean", nil
	case d.Type == "integer":
		return "long", nil
	case d.Type == "string", d.Enum != nil, d.Const != nil:
		return "string", nil
	}

	return nil, fmt.Errorf("no Avro type for %q", d.Type)
}

// recordName returns the name of the record: CampaignAccept for bff-campaign-accept-v1.
func recordName(schema string) string {
	name := strings.TrimPrefix(schema[:strings.LastIndex(schema, "-v")], "bff-")
	return title(name)
}

// namespace returns the namespace of the record, with the service that publishes it.
func namespace(schema string) string {
	service, _, _ := strings.Cut(schema, "-")
	return "tributary." + service + "." + schema[strings.LastIndex(schema, "-v")+1:]
}

func title(name string) string {
	var out strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '-' || r == '_' }) {
		out.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}

	return out.String()
}
