// Package ids creates identifiers: UUIDs of version 7, and of version 5 for ids that are derived
// from their subject.
package ids

import (
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Generator creates ids. It is safe for concurrent use.
type Generator struct{ namespace uuid.UUID }

// New returns a generator. The name is the purpose of the ids. Derived ids of
// one name never change, whatever the replica and the version.
func New(name string) Generator {
	return Generator{namespace: uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:tributary:"+name))}
}

// New returns a UUIDv7.
func (Generator) New() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

// Derived returns a UUIDv5 of the parts. The lengths of the parts are included, so that no two
// lists have the same id.
func (g Generator) Derived(parts ...string) string {
	var name strings.Builder
	for _, part := range parts {
		name.WriteString(strconv.Itoa(len(part)))
		name.WriteByte(':')
		name.WriteString(part)
	}

	return uuid.NewSHA1(g.namespace, []byte(name.String())).String()
}
