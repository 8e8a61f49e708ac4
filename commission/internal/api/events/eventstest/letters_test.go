package eventstest_test

import (
	"testing"

	"tributary/commission/internal/api/events/eventstest"
	"tributary/platform/broker"
)

func TestTheLettersInMemoryKeepTheContract(t *testing.T) {
	t.Parallel()
	eventstest.Suite(t, func(*testing.T) eventstest.World {
		var working, away eventstest.Letters

		away.Fail(broker.ErrUnavailable)

		return eventstest.World{
			Letters: &working,
			Away:    &away,
			Stored:  func(*testing.T, int) []eventstest.Letter { return working.Stored() },
		}
	})
}
