package rest_test

import (
	"strings"
	"testing"
)

// The audit is searched by the id's text: however a caller spells a UUID, it is written down as the
// database spells it. What is no UUID names nothing, also where the request is hashed.
func TestAnIDHasOneSpelling(t *testing.T) {
	t.Parallel()
	s := secured(t)

	s.token = tokenOf(t, "maker", "operator")
	id := s.call(t, "POST", "/adjustments", `{"user_id":"u","amount":"5000000","currency":"USD",`+
		`"reason":"bonus"}`).want(t, 201).str("id")

	s.token = tokenOf(t, "second", "operator")

	for _, other := range []string{
		"%ff", "%00", "{" + id + "}", "x" + id + "y", strings.ReplaceAll(id, "-", ""), "urn:uuid:" + id,
	} {
		for _, action := range []string{"approve", "hold", "release", "reject"} {
			a := s.call(t, "POST", "/commissions/"+other+"/"+action, `{"reason":"checked"}`)
			if a.want(t, 404); a.str("code") != "commission_not_found" {
				t.Errorf("%s of %s: %s", action, other, a.text)
			}
		}

		s.call(t, "GET", "/commissions/"+other, "").want(t, 404)
		s.call(t, "POST", "/payouts/"+other+"/cancel", `{"reason":"checked"}`).want(t, 404)
	}

	s.call(t, "POST", "/commissions/"+strings.ToUpper(id)+"/approve", `{"reason":"checked"}`).want(t, 200)

	var written int
	if err := s.db.Pool.QueryRow(
		t.Context(),
		`SELECT count(*) FROM audit WHERE subject_type = 'commission' AND subject_id = $1`,
		id,
	).Scan(&written); err != nil {
		t.Fatal(err)
	}

	if written != 2 {
		t.Errorf("%d audit rows under the id, want 2", written)
	}
}
