package relay_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tributary/platform/broker"
	"tributary/platform/relay"
	"tributary/platform/relay/relaytest"
)

// entry is a row of the log; it occupies 512 bytes.
type entry struct{ seq int64 }

func (e entry) Position() int64 { return e.seq }
func (e entry) ID() string      { return fmt.Sprint(e.seq) }
func (entry) Size() int         { return 512 }

// fakeLog is a log in memory with a lease by the test's clock.
type fakeLog struct {
	mu       sync.Mutex
	length   int64
	position int64
	holder   string
	expires  time.Time
	saves    []int64
	down     bool
}

var errDown = errors.New("database is away")

func (l *fakeLog) Lead(_ context.Context, holder string, lease time.Duration) (int64, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.down {
		return 0, false, errDown
	}

	if l.holder != holder && time.Now().Before(l.expires) {
		return 0, false, nil
	}

	l.holder, l.expires = holder, time.Now().Add(lease)

	return l.position, true, nil
}

func (l *fakeLog) Advance(
	_ context.Context,
	holder string,
	position int64,
	lease time.Duration,
) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.down {
		return false, errDown
	}

	if l.holder != holder {
		return false, nil
	}

	l.position, l.expires = max(l.position, position), time.Now().Add(lease)
	l.saves = append(l.saves, position)

	return true, nil
}

func (l *fakeLog) Resign(_ context.Context, holder string) error {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.holder == holder {
		l.expires = time.Time{}
	}

	return nil
}

func (l *fakeLog) Read(_ context.Context, position int64, limit int) ([]entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.down {
		return nil, errDown
	}

	var page []entry
	for seq := position + 1; seq <= l.length && len(page) < limit; seq++ {
		page = append(page, entry{seq: seq})
	}

	return page, nil
}

func (l *fakeLog) add(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.length += n
}

func (l *fakeLog) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

func (l *fakeLog) saved() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.position
}

// fakeBroker records the sent events and answers on request, or at once.
type fakeBroker struct {
	mu      sync.Mutex
	sent    []int64
	stored  []int64
	pending []func(error)
	hold    bool
	fail    error
	refuse  bool
	refused int
	never   int64 // the event that is too large
}

func (b *fakeBroker) Send(_ context.Context, e entry, done func(error)) {
	b.mu.Lock()
	defer b.mu.Unlock()

	if b.refuse {
		b.refused++
		done(broker.ErrUnavailable)

		return
	}

	b.sent = append(b.sent, e.seq)
	switch {
	case e.seq == b.never && b.hold:
		go done(broker.ErrRefused)
	case e.seq == b.never:
		done(broker.ErrRefused)
	case b.fail != nil:
		go done(b.fail)
	case b.hold:
		b.pending = append(b.pending, func(err error) {
			if err == nil {
				b.set(func() { b.stored = append(b.stored, e.seq) })
			}

			done(err)
		})
	default:
		b.stored = append(b.stored, e.seq)

		go done(nil)
	}
}

func (b *fakeBroker) set(change func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change()
}

func (b *fakeBroker) seen() []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()

	return slices.Clone(b.sent)
}

func (b *fakeBroker) answer(i int, err error) {
	b.mu.Lock()
	done := b.pending[i]
	b.mu.Unlock()
	done(err)
}

func limits() relay.Limits {
	return relay.Limits{
		Lease:       3 * time.Second,
		Standby:     500 * time.Millisecond,
		Save:        200 * time.Millisecond,
		SaveRows:    1000,
		Poll:        100 * time.Millisecond,
		PageRows:    10,
		WindowRows:  16,
		WindowBytes: 1 << 20,
		Stuck:       30 * time.Second,
	}
}

// start runs a relay in the bubble and returns a function that stops it.
func start(
	t *testing.T,
	holder string,
	log relay.Log[int64, entry],
	to relay.Publisher[entry],
	l relay.Limits,
) (r *relay.Relay[int64, entry], stop func()) {
	t.Helper()
	r = relay.New(
		l,
		relay.Dependencies[int64, entry]{
			Log:       log,
			Publisher: to,
			Compare:   cmp.Compare[int64],
			Holder:    holder,
			Logger:    slog.New(slog.DiscardHandler),
			Now:       time.Now,
		},
	)

	return r, running(t, r)
}

// running runs the relay and returns a function that stops it.
func running(t *testing.T, r *relay.Relay[int64, entry]) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())

	var runs sync.WaitGroup
	runs.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); runs.Wait() })
	t.Cleanup(stop)

	return stop
}

func upTo(n int64) []int64 {
	var list []int64
	for i := int64(1); i <= n; i++ {
		list = append(list, i)
	}

	return list
}

func TestTheLogInMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	relaytest.Suite(t, 3, 7, func(*testing.T) relaytest.Lease[int64] { return &fakeLog{} })
}

func TestEverythingIsSentInOrderAndSaved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{length: 95}, &fakeBroker{}
		r, _ := start(t, "a", log, broker, limits())
		time.Sleep(time.Second)

		if got := broker.seen(); !slices.Equal(got, upTo(95)) || log.saved() != 95 {
			t.Fatalf("sent %v, saved %d; want 1 to 95", got, log.saved())
		}

		log.add(1)
		r.Wake()
		synctest.Wait()

		if got := broker.seen(); len(got) != 96 {
			t.Fatalf("%d sent right after the signal, want 96", len(got))
		}

		log.add(1)
		time.Sleep(limits().Poll)
		synctest.Wait()

		if got := broker.seen(); len(got) != 97 {
			t.Fatalf("%d sent after a poll, want 97", len(got))
		}
	})
}

func TestThePositionCoversOnlyTheConfirmedPrefix(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{length: 5}, &fakeBroker{hold: true}
		r, _ := start(t, "a", log, broker, limits())
		time.Sleep(time.Second)

		for _, step := range []struct {
			answer int
			want   int64
		}{{2, 0}, {1, 0}, {0, 3}, {4, 3}, {3, 5}} {
			broker.answer(step.answer, nil)
			time.Sleep(limits().Save)
			synctest.Wait()

			if got := log.saved(); got != step.want || r.Status().Position != step.want {
				t.Fatalf(
					"after the answer for %d the position is %d, want %d",
					step.answer+1,
					got,
					step.want,
				)
			}
		}
	})
}

func TestTheWindowBoundsWhatIsUnderWay(t *testing.T) {
	t.Parallel()

	for name, change := range map[string]func(*relay.Limits){
		"rows":  func(*relay.Limits) {},
		"bytes": func(l *relay.Limits) { l.WindowRows, l.WindowBytes = 1000, 16*512+100 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				log, broker := &fakeLog{length: 1000}, &fakeBroker{hold: true}
				l := limits()
				change(&l)
				r, _ := start(t, "a", log, broker, l)
				time.Sleep(time.Second)

				if got := len(broker.seen()); got != 16 || r.Status().InFlight != 16 {
					t.Fatalf("%d under way, want 16", got)
				}

				broker.answer(0, nil)
				synctest.Wait()

				if got := len(broker.seen()); got != 17 {
					t.Fatalf("%d sent after one answer, want 17", got)
				}
			})
		})
	}
}

func TestAFailureStartsAgainAtTheConfirmedPosition(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{length: 4}, &fakeBroker{hold: true}
		r, _ := start(t, "a", log, broker, limits())
		time.Sleep(time.Second)
		broker.answer(0, nil)
		broker.answer(2, nil)
		broker.set(func() { broker.hold = false })
		broker.answer(1, errors.New("timeout"))
		time.Sleep(time.Second)

		if got := broker.seen(); !slices.Equal(got, []int64{1, 2, 3, 4, 2, 3, 4}) ||
			log.saved() != 4 {
			t.Fatalf("sent %v, saved %d; want 2 to 4 again", got, log.saved())
		}

		broker.answer(3, nil) // late, for the previous term

		if got := r.Status(); got.Trouble != nil || !got.Leading {
			t.Fatalf("status %+v, want a calm leader", got)
		}
	})
}

func TestABrokerThatIsAwayIsTriedAgainAndToldOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{length: 4}, &fakeBroker{fail: errors.New("no broker")}
		r, _ := start(t, "a", log, broker, limits())
		time.Sleep(20 * time.Second)

		if r.Status().Trouble == nil || log.saved() != 0 {
			t.Fatalf("status %+v, saved %d; want trouble and no progress", r.Status(), log.saved())
		}

		if n := len(broker.seen()); n > 4*40 {
			t.Fatalf("%d attempts in 20 s: too eager", n)
		}

		broker.set(func() { broker.fail = nil })
		time.Sleep(2 * time.Second)

		if r.Status().Trouble != nil || log.saved() != 4 {
			t.Fatalf(
				"status %+v, saved %d; want all published soon after the broker is back",
				r.Status(),
				log.saved(),
			)
		}
	})
}

// Events in flight are not sent again while the broker refuses new ones: they may still be
// confirmed.
func TestARefusalDisturbsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{length: 3}, &fakeBroker{hold: true}
		r, _ := start(t, "a", log, broker, limits())
		time.Sleep(time.Second)
		broker.set(func() { broker.refuse = true })
		log.add(3)
		time.Sleep(10 * time.Second)

		if got := r.Status(); got.Trouble == nil || got.InFlight != 3 || !got.Leading {
			t.Fatalf("status %+v, want a leader with 3 under way that reports its trouble", got)
		}

		broker.set(func() { broker.refuse, broker.hold = false, false })

		for i := range 3 {
			broker.answer(i, nil)
		}

		time.Sleep(time.Second)

		if got := broker.seen(); !slices.Equal(got, upTo(6)) || log.saved() != 6 ||
			r.Status().Trouble != nil {
			t.Fatalf("sent %v, saved %d, %+v; want each once", got, log.saved(), r.Status())
		}

		if broker.refused > 120 {
			t.Fatalf("asked %d times in 10 s: too eager", broker.refused)
		}
	})
}

func TestAStandstillStartsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{length: 2}, &fakeBroker{hold: true}
		start(t, "a", log, broker, limits())
		time.Sleep(20 * time.Second)
		broker.set(func() { broker.hold = false })
		time.Sleep(15 * time.Second)

		if got := broker.seen(); !slices.Equal(got, []int64{1, 2, 1, 2}) || log.saved() != 2 {
			t.Fatalf(
				"sent %v, saved %d; want them sent again after the standstill",
				got,
				log.saved(),
			)
		}
	})
}

func TestOneRelaysAndTheOtherTakesOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{length: 10}
		first := &fakeBroker{}
		second := &fakeBroker{}
		a, stop := start(t, "a", log, first, limits())
		time.Sleep(time.Second)
		b, _ := start(t, "b", log, second, limits())
		log.add(10)
		time.Sleep(10 * time.Second)

		if !a.Status().Leading || b.Status().Leading || len(first.seen()) != 20 ||
			len(second.seen()) != 0 {
			t.Fatalf(
				"a %+v sent %d, b %+v sent %d; want a alone",
				a.Status(),
				len(first.seen()),
				b.Status(),
				len(second.seen()),
			)
		}

		stop()
		log.add(5)
		time.Sleep(limits().Standby + limits().Poll)
		synctest.Wait()

		if got := second.seen(); !slices.Equal(got, []int64{21, 22, 23, 24, 25}) {
			t.Fatalf("after a clean stop b sent %v, want 21 to 25 at once", got)
		}
	})
}

func TestAKilledHolderIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{
			length:  3,
			holder:  "killed",
			expires: time.Now().Add(limits().Lease),
		}, &fakeBroker{}
		start(t, "b", log, broker, limits())
		time.Sleep(limits().Lease - limits().Standby)

		if got := broker.seen(); len(got) != 0 {
			t.Fatalf("sent %v while the lease was another's", got)
		}

		time.Sleep(2 * limits().Standby)
		synctest.Wait()

		if got := broker.seen(); len(got) != 3 {
			t.Fatalf("sent %v after the lease ended, want all", got)
		}
	})
}

func TestADeposedHolderStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{length: 3}, &fakeBroker{}
		r, _ := start(t, "a", log, broker, limits())
		time.Sleep(time.Second)
		log.set(func() { log.holder, log.expires = "b", time.Now().Add(time.Hour) })
		time.Sleep(5 * time.Second)
		log.add(3)
		time.Sleep(time.Second)

		if r.Status().Leading || len(broker.seen()) != 3 {
			t.Fatalf("status %+v, sent %v; want it to stand by", r.Status(), broker.seen())
		}
	})
}

func TestADatabaseThatComesBackIsGoneOnWith(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{length: 3}, &fakeBroker{}
		r, _ := start(t, "a", log, broker, limits())
		time.Sleep(time.Second)
		log.set(func() { log.down = true })
		time.Sleep(time.Minute)

		if r.Status().Trouble == nil {
			t.Fatal("nothing is reported about the database")
		}

		log.set(func() { log.down, log.length = false, 6 })
		time.Sleep(2 * time.Second)

		if log.saved() != 6 || r.Status().Trouble != nil {
			t.Fatalf("saved %d, %+v; want 6", log.saved(), r.Status())
		}
	})
}

func TestStoppingSavesWhatIsConfirmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, broker := &fakeLog{length: 5}, &fakeBroker{hold: true}
		_, stop := start(t, "a", log, broker, limits())
		time.Sleep(time.Second)
		time.AfterFunc(100*time.Millisecond, func() {
			for i := range 5 {
				broker.answer(i, nil)
			}
		})
		stop()

		if got := log.saved(); got != 5 || !log.expires.IsZero() {
			t.Fatalf("saved %d, lease until %v; want 5 and a free lease", got, log.expires)
		}
	})
}
