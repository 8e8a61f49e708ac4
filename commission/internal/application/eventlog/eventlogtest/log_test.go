package eventlogtest_test

import (
	"testing"
	"time"

	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/eventlog/eventlogtest"
	"tributary/commission/internal/domain/effect"
	"tributary/platform/relay/relaytest"
)

func TestTheLogInMemoryKeepsTheContracts(t *testing.T) {
	t.Parallel()
	eventlogtest.Suite(t, func(t *testing.T) eventlogtest.World {
		t.Helper()

		log := eventlogtest.New(time.Now)

		return eventlogtest.World{
			Log: log,
			Now: time.Now,
			Write: func(_ *testing.T, userID, _ string) {
				log.Append(eventlog.Event{Type: effect.DecisionMade, UserID: userID})
			},
			Hold: func(_ *testing.T, userID, _ string) {
				log.Append(eventlog.Event{Type: effect.CommissionHeld, UserID: userID})
			},
			Age: func(*testing.T) { log.Age(30 * 24 * time.Hour) },
		}
	})
}

func TestTheLogInMemoryKeepsTheContractOfALease(t *testing.T) {
	t.Parallel()
	relaytest.Suite(
		t,
		eventlog.Position{Tx: 3, Seq: 9},
		eventlog.Position{Tx: 7, Seq: 1},
		func(*testing.T) relaytest.Lease[eventlog.Position] { return eventlogtest.New(time.Now) },
	)
}
