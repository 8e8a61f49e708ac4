package commandtest_test

import (
	"testing"
	"time"

	"tributary/bff/internal/application/command"
	"tributary/bff/internal/application/command/commandtest"
	domain "tributary/bff/internal/domain/command"
)

func TestThePublisherInMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	commandtest.Suite(t, func(*testing.T) commandtest.World {
		var working, away commandtest.Publisher

		away.Fail(command.ErrBrokerUnavailable.New("The broker is away.").RetryIn(time.Second))

		return commandtest.World{
			Publisher: &working,
			Away:      &away,
			Stored: func(_ *testing.T, kind domain.Type, _ int) []string {
				var ids []string

				for _, cmd := range working.Stored() {
					if cmd.Stamp().Type() == kind {
						ids = append(ids, cmd.Stamp().ID())
					}
				}

				return ids
			},
		}
	})
}
