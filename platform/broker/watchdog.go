package broker

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/pulsar-client-go/pulsar"
)

// watchdog finds a consumer that receives nothing although it should. It looks twice, an idle limit
// apart: both times a partition for which this consumer is active must hold a message newer than
// the last received one, with nothing received in between. Each newest message counts once. A
// watchdog is used by one goroutine.
type watchdog struct {
	consumer *Consumer
	in       *intake
	newest   chan map[int32]position // what the broker holds
	asking   bool
	holds    map[int32]position // the latest answer; nil before it came
	before   map[int32]position // what had been received when the broker was asked
}

func newWatchdog(c *Consumer, in *intake) *watchdog {
	return &watchdog{consumer: c, in: in, newest: make(chan map[int32]position, 1)}
}

// ask asks the broker in the background: the library's call takes no context and may block.
func (w *watchdog) ask(ctx context.Context) {
	if w.asking {
		return
	}

	w.asking = true
	w.holds = nil
	w.before = maps.Clone(w.consumer.seen)
	w.in.client.calls.Go(func() {
		newest := map[int32]position{}

		ids, err := w.in.consumer.GetLastMessageIDs()
		if err != nil {
			w.in.client.logger.DebugContext(
				ctx,
				"cannot ask for the newest messages",
				"topic",
				w.consumer.cfg.Topic,
				"error",
				err,
			)
		}

		for _, id := range ids {
			newest[partitionOf(id)] = at(id)
		}

		w.newest <- newest
	})
}

func (w *watchdog) note(newest map[int32]position) {
	w.asking, w.holds = false, newest
}

// The findings of the watchdog. Both are reasons to subscribe again.
const (
	// silent: a partition that has delivered messages holds a newer one that is not delivered.
	silent = "silent"
	// unproven: a partition has delivered nothing since the process started, and holds messages.
	// Most likely an earlier process handled them; the broker's answer does not show it.
	unproven = "unproven"
)

// finding returns silent or unproven, or "" if nothing is missing.
func (w *watchdog) finding() string {
	found := ""
	for partition, newest := range w.holds {
		seen, known := w.consumer.seen[partition]
		if newest.entry < 0 || !newest.after(seen) || seen != w.before[partition] ||
			!w.in.parts.has(partition) {
			continue
		}

		w.consumer.seen[partition] = newest

		if known {
			found = silent
		} else if found == "" {
			found = unproven
		}
	}

	return found
}

// partitionOf returns the partition of the id. The library sets the index of newest messages to 0
// in every partition (0.21.0); the topic's name has the right one.
func partitionOf(id pulsar.TopicMessageID) int32 {
	topic := id.Topic()

	at := strings.LastIndex(topic, partitionSuffix)
	if at < 0 {
		return id.PartitionIdx()
	}

	partition, err := strconv.ParseInt(topic[at+len(partitionSuffix):], 10, 32)
	if err != nil {
		return id.PartitionIdx()
	}

	return int32(partition)
}

const partitionSuffix = "-partition-"

// position orders messages of a partition.
type position struct {
	ledger, entry int64
	index         int32
}

func at(id pulsar.MessageID) position {
	return position{id.LedgerID(), id.EntryID(), id.BatchIdx()}
}

func (p position) after(other position) bool {
	if p.ledger != other.ledger {
		return p.ledger > other.ledger
	}

	if p.entry != other.entry {
		return p.entry > other.entry
	}

	return p.index > other.index
}

// partitions records for which partitions this consumer is active.
type partitions struct {
	mu     sync.Mutex
	active map[int32]bool
}

// BecameActive is called by the library.
func (p *partitions) BecameActive(_ pulsar.Consumer, _ string, partition int32) {
	p.set(partition, true)
}

// BecameInactive is called by the library.
func (p *partitions) BecameInactive(_ pulsar.Consumer, _ string, partition int32) {
	p.set(partition, false)
}

func (p *partitions) set(partition int32, active bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active[partition] = active
}

func (p *partitions) has(partition int32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()

	return p.active[partition]
}
