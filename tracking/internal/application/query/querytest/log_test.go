package querytest_test

import (
	"testing"

	"tributary/tracking/internal/application/query"
	"tributary/tracking/internal/application/query/querytest"
	"tributary/tracking/internal/domain/event"
)

func TestTheLogInMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	querytest.Suite(t, func(_ *testing.T, events ...event.Event) query.Log {
		var log querytest.Log

		log.Add(events...)

		return &log
	})
}
