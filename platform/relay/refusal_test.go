package relay_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// An event that the broker never accepts blocks the others and is reported. It is retried alone, so
// that later events are not sent repeatedly.
func TestAnEventThatTheBrokerRefusesIsToldOf(t *testing.T) {
	t.Parallel()

	for name, atOnce := range map[string]bool{"at once": true, "while others are under way": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log, broker := &fakeLog{length: 8}, &fakeBroker{never: 3, hold: !atOnce}
				r, _ := start(t, "a", log, broker, limits())
				time.Sleep(time.Second)
				broker.set(func() { broker.hold = false })

				sent := 0
				if !atOnce {
					sent = len(broker.seen())
				}

				time.Sleep(time.Minute)

				if got := r.Status(); got.Refused != 3 || got.Trouble == nil ||
					!strings.Contains(got.Trouble.Error(), "number 3,") {
					t.Fatalf("status %+v, want it to name event 3", got)
				}

				if log.saved() != 2 {
					t.Fatalf("saved %d, want what is before the event", log.saved())
				}

				for _, seq := range broker.seen()[sent:] {
					if seq > 3 {
						t.Fatalf("sent %v: %d although it has to wait", broker.seen(), seq)
					}
				}

				if n := len(broker.seen()) - sent; n > 70 {
					t.Fatalf("%d attempts in a minute: too eager", n)
				}

				broker.set(func() { broker.never = 0 })
				time.Sleep(2 * time.Second)

				if got := r.Status(); log.saved() != 8 || got.Refused != 0 || got.Trouble != nil {
					t.Fatalf(
						"saved %d, status %+v; want all published once the broker takes it",
						log.saved(),
						got,
					)
				}
			})
		})
	}
}
