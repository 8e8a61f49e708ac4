package relaytest

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"tributary/platform/broker"
)

// Inbox is what arrived from a topic: the numbers of the messages by their key. A message that
// comes again, with the same event_id, does not count.
type Inbox struct {
	property string

	mu      sync.Mutex
	seen    map[string]bool
	numbers map[string][]int
}

// NewInbox returns an empty inbox. The property of a message has its number.
func NewInbox(property string) *Inbox {
	return &Inbox{property: property, seen: map[string]bool{}, numbers: map[string][]int{}}
}

// Handle takes messages from a consumer.
func (i *Inbox) Handle(_ context.Context, batch []broker.Received) error {
	i.mu.Lock()
	defer i.mu.Unlock()

	for _, m := range batch {
		id := m.Properties["event_id"]
		if i.seen[id] {
			continue
		}

		number, err := strconv.Atoi(m.Properties[i.property])
		if err != nil {
			return err
		}

		i.seen[id] = true
		i.numbers[m.Key] = append(i.numbers[m.Key], number)
	}

	return nil
}

// Wait returns the numbers once there are as many.
func (i *Inbox) Wait(t *testing.T, count int) map[string][]int {
	t.Helper()

	late := time.NewTimer(patience)
	defer late.Stop()

	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()

	for {
		numbers, found := i.arrived()
		if found >= count {
			return numbers
		}

		select {
		case <-look.C:
		case <-late.C:
			t.Fatalf("%d of %d messages arrived", found, count)
		}
	}
}

// arrived returns a copy of the numbers, and how many there are.
func (i *Inbox) arrived() (numbers map[string][]int, found int) {
	i.mu.Lock()
	defer i.mu.Unlock()

	numbers = map[string][]int{}
	for key, list := range i.numbers {
		numbers[key] = append(numbers[key], list...)
	}

	return numbers, len(i.seen)
}
