package event

// Type says what happened.
type Type string

// The types.
const (
	View       Type = "view"
	Click      Type = "click"
	Engagement Type = "engagement"
	Lead       Type = "lead"
	Sale       Type = "sale"
	Purchase   Type = "purchase"
	Refund     Type = "refund"
	Void       Type = "void"
	Chargeback Type = "chargeback"
)

// ParseType reads a type; false for anything that is none.
func ParseType(text string) (Type, bool) {
	switch t := Type(text); t {
	case View, Click, Engagement, Lead, Sale, Purchase, Refund, Void, Chargeback:
		return t, true
	}
	return "", false
}

// Types lists every type.
func Types() []Type {
	return []Type{View, Click, Engagement, Lead, Sale, Purchase, Refund, Void, Chargeback}
}

// needsAmount tells whether the type makes no sense without an amount.
func (t Type) needsAmount() bool {
	switch t {
	case Sale, Purchase:
		return true
	case View, Click, Engagement, Lead, Refund, Void, Chargeback:
	}
	return false
}
