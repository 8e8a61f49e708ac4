package query_test

import (
	"errors"
	"testing"

	"tributary/commission/internal/application/query"
	"tributary/platform/fault"
)

func TestOwnership(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		caller  query.Caller
		asked   string
		refused bool
		sees    map[string]bool
	}{
		"operator, all":      {query.Everything(), "", false, map[string]bool{"u": true, "v": true}},
		"operator, one user": {query.Everything(), "u", false, map[string]bool{"u": true, "v": false}},
		"partner, all":       {query.OneUser("u"), "", false, map[string]bool{"u": true, "v": false}},
		"partner, itself":    {query.OneUser("u"), "u", false, map[string]bool{"u": true, "v": false}},
		"partner, another":   {query.OneUser("u"), "v", true, map[string]bool{"u": false, "v": false}},
		"no caller":          {query.Caller{}, "", false, map[string]bool{"u": false, "": false}},
		"no caller, a user":  {query.Caller{}, "u", true, map[string]bool{"u": false}},
	} {
		owner, err := c.caller.OwnerOf(c.asked)
		if errors.Is(err, fault.ErrForeignUser) != c.refused || (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}

		for user, want := range c.sees {
			if owner.Sees(user) != want {
				t.Errorf("%s: sees %q: %v", name, user, !want)
			}
		}
	}
}
