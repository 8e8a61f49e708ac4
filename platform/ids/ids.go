// Package ids makes identifiers: UUIDs of version 7, and of version 5 where an id follows from what
// it stands for.
package ids

import (
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Generator makes ids. It is safe for concurrent use.
type Generator struct{ namespace uuid.UUID }

// New makes a generator. The name tells what the ids are of, such as bff:command; derived ids of
// one name never change, whatever the replica and the version.
func New(name string) Generator {
	return Generator{namespace: uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:tributary:"+name))}
}

// New gives a UUIDv7.
func (Generator) New() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

// Derived gives a UUIDv5 of the parts. Their lengths are part of the name, so that no two lists
// read alike.
func (g Generator) Derived(parts ...string) string {
	var name strings.Builder
	for _, part := range parts {
		name.WriteString(strconv.Itoa(len(part)))
		name.WriteByte(':')
		name.WriteString(part)
	}

	return uuid.NewSHA1(g.namespace, []byte(name.String())).String()
}
