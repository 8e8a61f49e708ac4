package rest

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

// resourceID is the id in a path, spelled as the database spells it: the audit is searched by that
// text. An id that is not a UUID is empty and names nothing.
type resourceID string

var _ huma.ResolverWithPath = (*resourceID)(nil)

const uuidLength = 36 // the longer and shorter spellings that uuid.Parse takes are not ids here

// Resolve converts the id to lower case.
func (id *resourceID) Resolve(huma.Context, *huma.PathBuffer) []error {
	parsed, err := uuid.Parse(string(*id))
	if err != nil || len(*id) != uuidLength {
		*id = ""
		return nil
	}

	*id = resourceID(parsed.String())

	return nil
}
