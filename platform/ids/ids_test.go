package ids_test

import (
	"testing"

	"github.com/google/uuid"

	"tributary/platform/ids"
	"tributary/platform/ids/idstest"
)

func TestTheIDsKeepTheContract(t *testing.T) {
	t.Parallel()
	idstest.Suite(t, func() idstest.IDs { return ids.New("bff:command") })
}

func TestIDsAreUUIDs(t *testing.T) {
	t.Parallel()

	g := ids.New("bff:command")

	id, err := g.New()
	if err != nil || uuid.MustParse(id).Version() != 7 {
		t.Errorf("New = %s, %v; want a UUIDv7", id, err)
	}

	if id := g.Derived("user", "key"); uuid.MustParse(id).Version() != 5 {
		t.Errorf("Derived = %s, want a UUIDv5", id)
	}

	if g.Derived("a") == ids.New("tracking:event").Derived("a") {
		t.Error("different names have the same id")
	}
}
