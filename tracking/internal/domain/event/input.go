package event

// Text is a field as a caller sent it: absent (the zero value), given, or broken, which means that
// it was present but not text. The reader of the request reports broken fields; the rules here
// ignore them.
type Text struct {
	value string
	state textState
}

type textState uint8

const (
	absent textState = iota
	given
	broken
)

// Given returns a field with a value. The value may be empty, which most rules refuse.
func Given(value string) Text { return Text{value: value, state: given} }

// Broken returns a field whose value could not be read as text.
func Broken() Text { return Text{state: broken} }

// Value returns the value, or "" if it is absent or broken.
func (t Text) Value() string { return t.value }

// IsGiven reports whether there is a value.
func (t Text) IsGiven() bool { return t.state == given }

// Input is an unchecked event as a caller sent it. UserID and PartnerID are two names of one field,
// as are EventType and InteractionType; one of each pair is enough and both must agree.
type Input struct {
	EventID         Text
	UserID          Text
	PartnerID       Text
	EventType       Text
	InteractionType Text
	OccurredAt      Text
	CampaignID      Text
	VisitorID       Text
	SourceURL       Text
	DestinationURL  Text
	Source          Text // the system that reports the event, as CloudEvents name it
	// Attributes is the JSON text of an object, kept as it is: the other attributes of a
	// CloudEvent; "" without them.
	Attributes  string
	Traceparent string // of the event's own trace; "" if it is that of its receipt
	Metadata    Metadata
}

// Metadata is the free part of an event. Text is the JSON text of the object as received, or ""
// without one. Canonical is the same text for all spellings of the same content: members sorted,
// without white space, and numbers that are equal as decimals written alike. The other fields are
// the members with meaning: Amount holds the text of a JSON number, or of a string of the same
// form, and SelfReferral that of a boolean, or of such a string.
type Metadata struct {
	Text            string
	Canonical       string
	Amount          Text
	Currency        Text
	ProductID       Text
	OrderID         Text
	OriginalEventID Text
	SelfReferral    Text
}
