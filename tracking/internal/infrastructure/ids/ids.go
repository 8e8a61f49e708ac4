// Package ids (infrastructure) makes event ids: UUIDs of version 7, and of version 5 where an id follows from what it stands for.
package ids

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tributary/tracking/internal/application/ingest"
)

// Generator makes ids. It is safe for concurrent use.
type Generator struct{ namespace uuid.UUID }

var _ ingest.IDs = Generator{}

// New makes a generator. The namespace of derived ids is fixed: all replicas and versions derive alike.
func New() Generator {
	return Generator{namespace: uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:tributary:tracking:event"))}
}

// New gives a UUIDv7.
func (Generator) New() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

// Derived gives a UUIDv5 of the parts. Their lengths are part of the name, so that no two lists read alike.
func (g Generator) Derived(parts ...string) string {
	var name strings.Builder
	for _, part := range parts {
		name.WriteString(strconv.Itoa(len(part)))
		name.WriteByte(':')
		name.WriteString(part)
	}
	return uuid.NewSHA1(g.namespace, []byte(name.String())).String()
}
