package relay_test

import (
	"cmp"
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tributary/platform/relay"
)

// steadyLog is a log that grows at a fixed rate. It counts its pages.
type steadyLog struct {
	*fakeLog

	began   time.Time
	every   time.Duration // between two entries
	pages   int
	entries int
}

func (l *steadyLog) Read(ctx context.Context, position int64, limit int) ([]entry, error) {
	l.set(func() { l.length = int64(time.Since(l.began) / l.every) })

	page, err := l.fakeLog.Read(ctx, position, limit)
	if len(page) > 0 {
		l.set(func() { l.pages++; l.entries += len(page) })
	}

	return page, err
}

// read returns the number of pages that were read.
func (l *steadyLog) read() (pages int) {
	l.set(func() { pages = l.pages })
	return pages
}

// The slower entries come, the longer the relay gathers them, within its bounds.
func TestPagesFollowTheRate(t *testing.T) {
	t.Parallel()

	usual := relay.DefaultLimits()

	for name, c := range map[string]struct {
		every time.Duration
		pause time.Duration
	}{
		"a crowd":      {150 * time.Microsecond, usual.GatherLeast},
		"in between":   {300 * time.Microsecond, 60 * time.Millisecond},
		"now and then": {5 * time.Millisecond, usual.GatherMost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log := &steadyLog{fakeLog: &fakeLog{}, began: time.Now(), every: c.every}
				start(t, "a", log, &fakeBroker{}, usual)
				time.Sleep(6 * time.Second)
				synctest.Wait()

				want := int(6 * time.Second / c.pause)
				if log.pages < want-2 || log.pages > want+2 {
					t.Errorf("%d pages of %d entries, want %d pages", log.pages, log.entries, want)
				}
			})
		})
	}
}

// slowBroker is a broker that confirms each entry after a time.
type slowBroker struct {
	*fakeBroker

	after time.Duration
}

func (b slowBroker) Send(ctx context.Context, e entry, done func(error)) {
	b.fakeBroker.Send(ctx, e, func(err error) {
		time.AfterFunc(b.after, func() { done(err) })
	})
}

// The longer the broker takes to confirm a page, the longer the relay gathers the next one.
func TestPagesFollowTheBroker(t *testing.T) {
	t.Parallel()

	usual := relay.DefaultLimits()

	for name, c := range map[string]struct {
		after time.Duration
		pause time.Duration
	}{
		"at rest": {usual.GatherLeast / 4, usual.GatherLeast},
		"busy":    {50 * time.Millisecond, 100 * time.Millisecond},
		"away":    {3 * time.Second, usual.GatherBusy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log := &steadyLog{fakeLog: &fakeLog{}, began: time.Now(), every: time.Millisecond / 2}
				limits := usual
				limits.GatherMost = limits.GatherLeast
				start(t, "a", log, slowBroker{&fakeBroker{}, c.after}, limits)

				const length = 6 * time.Second

				time.Sleep(c.after + time.Second)
				synctest.Wait()

				before := log.read()

				time.Sleep(length)
				synctest.Wait()

				want := int(length / c.pause)
				if got := log.read() - before; got < want-2 || got > want+2 {
					t.Errorf("%d pages, want %d", got, want)
				}
			})
		})
	}
}

// A lone entry is sent as soon as the relay is woken.
func TestALoneEntryIsNotGathered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{}, &fakeBroker{}
		r, _ := start(t, "a", log, broker, relay.DefaultLimits())
		time.Sleep(10*time.Second + time.Millisecond)
		log.add(1)
		r.Wake()
		synctest.Wait()

		if got := broker.seen(); len(got) != 1 {
			t.Errorf("sent %v, want the entry", got)
		}
	})
}

// While something more urgent is behind, the relay rests after each page, and then goes on.
func TestTheRelayGivesWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const entries = 100_000

		var urgent atomic.Bool

		urgent.Store(true)

		log, broker := &fakeLog{}, &fakeBroker{}
		log.add(entries)

		limits := relay.DefaultLimits()
		r := relay.New(limits, relay.Dependencies[int64, entry]{
			Log:       log,
			Publisher: broker,
			Compare:   cmp.Compare[int64],
			Behind:    urgent.Load,
			Holder:    "a",
			Logger:    slog.New(slog.DiscardHandler),
			Now:       time.Now,
		})
		stop := running(t, r)

		defer stop()

		time.Sleep(10 * time.Second)
		synctest.Wait()

		pages := int(10*time.Second/limits.Rest) + 1
		if got, want := len(broker.seen()), pages*limits.PageRows; got < want/2 || got > want {
			t.Errorf("%d entries while giving way, want at most %d", got, want)
		}

		urgent.Store(false)
		time.Sleep(5 * time.Second)
		synctest.Wait()

		if got := len(broker.seen()); got != entries {
			t.Errorf("%d entries afterwards, want %d", got, entries)
		}
	})
}
