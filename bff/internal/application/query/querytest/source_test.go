package querytest_test

import (
	"testing"
	"time"

	"tributary/bff/internal/application/query"
	"tributary/bff/internal/application/query/querytest"
)

func TestTheSourceInMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	querytest.Suite(t, func(*testing.T) querytest.World {
		away := query.ErrUnavailable.New("The source does not answer.").RetryIn(time.Second)

		return querytest.World{Source: &querytest.Source{}, Away: &querytest.Source{Err: away}}
	})
}
