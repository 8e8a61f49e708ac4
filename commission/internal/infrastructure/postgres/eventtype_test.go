package postgres_test

import (
	"testing"

	"tributary/contracts/eventtype"
)

// The functions of the database agree with the table of event types.
func TestTheDatabaseKnowsTheEventTypes(t *testing.T) {
	t.Parallel()

	f := setup(t)
	unknown := eventtype.Type("unknown")

	for _, kind := range append(eventtype.All(), unknown) {
		var earns, sells, reverses bool
		if err := f.db.Pool.QueryRow(
			t.Context(),
			`SELECT earns($1), sells($1), reverses($1)`,
			string(kind),
		).Scan(&earns, &sells, &reverses); err != nil {
			t.Fatal(err)
		}

		if earns != kind.Earns() || sells != kind.Sells() || reverses != kind.Reverses() {
			t.Errorf("%s: earns %t, sells %t, reverses %t", kind, earns, sells, reverses)
		}
	}
}
