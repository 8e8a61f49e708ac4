package postgres_test

import (
	"testing"

	"tributary/commission/internal/application/query"
	"tributary/platform/fault"
)

// Programs may know zones that the database does not know yet because its zone files are older: the
// caller gets a fault for the zone.
func TestZonesThatTheDatabaseDoesNotKnow(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.decide(t, purchase("e1", "u", "10"))
	_, err := f.store.Summary(
		t.Context(),
		owned(t, ""),
		query.CommissionFilter{},
		query.Grouping{By: []query.Dimension{query.ByDay, query.ByCurrency}, Zone: "Mars/Olympus"},
		10,
		nil,
	)

	found, ok := fault.As(err)
	if !ok || found.Kind() != fault.Invalid || found.Code() != "validation_failed" ||
		len(found.Fields) != 1 ||
		found.Fields[0].Field != "tz" ||
		found.Fields[0].Code.Name() != "time_zone_unknown" {
		t.Errorf("%v", err)
	}
}
