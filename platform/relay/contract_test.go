package relay_test

import (
	"cmp"
	"context"
	"testing"

	"tributary/platform/relay/relaytest"
)

func TestTheBrokerInMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	relaytest.PublisherSuite(t, func(*testing.T) relaytest.World[entry] {
		working := &fakeBroker{never: 1000}
		keys := map[int64]string{}

		return relaytest.World[entry]{
			Publisher: working,
			Away:      &fakeBroker{refuse: true},
			Entry: func(key string, number int) entry {
				keys[int64(number)] = key
				return entry{seq: int64(number)}
			},
			Refused: map[string]entry{"too large": {seq: 1000}},
			Stored: func(*testing.T, int) map[string][]int {
				stored := map[string][]int{}

				working.set(func() {
					for _, seq := range working.stored {
						stored[keys[seq]] = append(stored[keys[seq]], int(seq))
					}
				})

				return stored
			},
			Cut:  func() { working.set(func() { working.refuse = true }) },
			Heal: func() { working.set(func() { working.refuse = false }) },
		}
	})
}

func TestTheLogInMemoryIsReadAsTheContractSays(t *testing.T) {
	t.Parallel()
	relaytest.ReaderSuite(t, func(*testing.T) relaytest.LogWorld[int64, entry] {
		log := &fakeLog{}

		return relaytest.LogWorld[int64, entry]{
			Log:     log,
			Compare: cmp.Compare[int64],
			Add: func(context.Context) error {
				log.add(1)
				return nil
			},
		}
	})
}
