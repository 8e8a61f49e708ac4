package event

// Text is a field as a caller gave it: absent (the zero value), given, or broken, which means that
// it was there and was no text at all. Whoever reads the wire tells of broken fields; the rules
// here stay silent about them.
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

// Given is a field with a value; the value may be empty, which most rules refuse.
func Given(value string) Text { return Text{value: value, state: given} }

// Broken is a field whose value could not be read as text.
func Broken() Text { return Text{state: broken} }

// Value is what was given, "" otherwise.
func (t Text) Value() string { return t.value }

// IsGiven tells whether there is a value.
func (t Text) IsGiven() bool { return t.state == given }

// Input is what a caller says of an event, not yet checked. UserID and PartnerID are two spellings
// of one thing, as are EventType and InteractionType; one of each pair is enough and both must
// agree.
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
	Source          Text // the system that tells, as CloudEvents name it
	// JSON text of an object, kept as it is: what a CloudEvent's other attributes say; "" without
	// them
	Attributes  string
	Traceparent string // of the event's own trace, "" where it travels in that of its receipt
	Metadata    Metadata
}

// Metadata is the free part of an event. Text is the JSON text of the object as received, ""
// without one; Canonical is one text for all spellings of the same content: members sorted, without
// white space, and numbers that are equal as decimals written alike. The others are its members
// with meaning: of Amount, Given holds the text of a JSON number, or of a string of the same form;
// of SelfReferral that of a boolean, or of such a string.
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
