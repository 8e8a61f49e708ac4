// Package eventtype is the table of the types of tracking events. The domains of tracking and
// commission, the schemas, the documents and the databases follow it or are tested against it.
package eventtype

// Type is the type of an event.
type Type string

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

// meaning is what a type means for money.
type meaning int

const (
	unknown     meaning = iota
	interaction         // earns without an amount
	sale                // requires an amount, and an order of it counts once
	reversal            // earns nothing, and takes back what another event earned
)

type entry struct {
	name  Type
	means meaning
}

// table has an entry for each type, those that earn first.
//
//nolint:gochecknoglobals // never written
var table = [...]entry{
	{View, interaction},
	{Click, interaction},
	{Engagement, interaction},
	{Lead, interaction},
	{Sale, sale},
	{Purchase, sale},
	{Refund, reversal},
	{Void, reversal},
	{Chargeback, reversal},
}

func (t Type) means() meaning {
	for i := range table {
		if table[i].name == t {
			return table[i].means
		}
	}

	return unknown
}

// Parse returns the type of that name. The bool reports whether there is one.
func Parse(text string) (Type, bool) {
	t := Type(text)
	if t.means() == unknown {
		return "", false
	}

	return t, true
}

// Sells reports whether the type is a sale of goods: it requires an amount, and an order counts
// once.
func (t Type) Sells() bool { return t.means() == sale }

// Reverses reports whether the type reverses another event.
func (t Type) Reverses() bool { return t.means() == reversal }

// Earns reports whether there may be rules for the type.
func (t Type) Earns() bool { return t.Sells() || t.means() == interaction }

// All returns the types, those that earn first.
func All() []Type { return matching(func(Type) bool { return true }) }

// Earning returns the types that earn.
func Earning() []Type { return matching(Type.Earns) }

func matching(wanted func(Type) bool) []Type {
	var out []Type
	for i := range table {
		if wanted(table[i].name) {
			out = append(out, table[i].name)
		}
	}

	return out
}

// Any is the enumeration of all types, and Earner of those that earn, for documents.
type (
	Any    struct{}
	Earner struct{}
)

// Values returns the names of all types.
func (Any) Values() []string { return names(All()) }

// Values returns the names of the types that earn.
func (Earner) Values() []string { return names(Earning()) }

func names(types []Type) []string {
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = string(t)
	}

	return out
}
