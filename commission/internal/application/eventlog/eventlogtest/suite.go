package eventlogtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/effect"
)

// Ports is the ports of the log. The first three methods are those of its relay.
type Ports interface {
	Lead(
		ctx context.Context,
		holder string,
		lease time.Duration,
	) (position eventlog.Position, leads bool, err error)
	Advance(
		ctx context.Context,
		holder string,
		position eventlog.Position,
		lease time.Duration,
	) (leads bool, err error)
	Read(ctx context.Context, after eventlog.Position, limit int) ([]eventlog.Event, error)
	eventlog.Reader
	eventlog.Heads
	eventlog.Partitions
}

// World is a log without events of users.
type World struct {
	Log Ports
	// From is the position before the first event of a user.
	From eventlog.Position
	// Write writes that an event of the user was decided.
	Write func(t *testing.T, userID, eventID string)
	// Hold writes that the commission of the event is held.
	Hold func(t *testing.T, userID, eventID string)
	Now  func() time.Time
	// Age makes everything that is written a month older.
	Age func(t *testing.T)
}

// Suite tests the contracts of the log's ports but for the lease, which relaytest tests. open
// returns a new world.
func Suite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"the log is read in order":        order,
		"the feed of all has all":         feedOfAll,
		"the feed of a user is its own":   feedOfUser,
		"a filter selects types":          filters,
		"those who wait see the heads":    heads,
		"only old, published parts go":    expiry,
		"a cursor into what is gone ends": expiredCursors,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func everyone() query.Owner { return query.Everything().Owner() }

func only(user string) query.Owner { return query.OneUser(user).Owner() }

// written writes five events of two users, and waits until readers see them.
func (w World) written(t *testing.T) {
	t.Helper()
	w.Write(t, "u", "e1")
	w.Write(t, "v", "e2")
	w.Write(t, "u", "e3")
	w.Hold(t, "u", "e1")
	w.Write(t, "u", "e4")
	w.wait(t, 5)
}

// wait waits until readers see the number of events after From.
func (w World) wait(t *testing.T, number int) {
	t.Helper()

	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()

	deadline := time.After(time.Minute)

	for {
		list, err := w.Log.Heads(t.Context(), w.From, 100)
		if err != nil || len(list) > number {
			t.Fatalf("%d events, %v", len(list), err)
		}

		if len(list) == number {
			return
		}

		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("%d events within a minute, want %d", len(list), number)
		}
	}
}

// text returns user, number and type of an event.
func text(e eventlog.Event) string { return fmt.Sprint(e.UserID, e.Sequence, " ", e.Type) }

func all() []string {
	return []string{
		"u1 decision.made",
		"v1 decision.made",
		"u2 decision.made",
		"u3 commission.held",
		"u4 decision.made",
	}
}

func order(t *testing.T, w World) {
	w.written(t)

	var got []string

	after := w.From

	for range 4 {
		page, err := w.Log.Read(t.Context(), after, 2)
		if err != nil || len(page) > 2 {
			t.Fatal(len(page), err)
		}

		for _, e := range page {
			if eventlog.Compare(e.Position(), after) <= 0 {
				t.Errorf("%+v follows %+v", e.Position(), after)
			}

			got = append(got, text(e))
			after = e.Position()
		}
	}

	if !slices.Equal(got, all()) {
		t.Errorf("%q, want %q", got, all())
	}
}

// wantFeed reads the feed to its end, two events at a time.
func (w World) wantFeed(
	t *testing.T,
	owner query.Owner,
	after eventlog.Cursor,
	types []effect.Type,
	want ...string,
) {
	t.Helper()

	var got []string

	question := eventlog.Question{After: after, Limit: 2}
	question.Filter.Types = types

	for more := true; more; {
		page, err := w.Log.Page(t.Context(), owner, question)
		if err != nil || len(page.Events) > 2 || page.More && page.Next == question.After {
			t.Fatalf("%+v, %v", page, err)
		}

		for _, e := range page.Events {
			got = append(got, text(e))
		}

		question.After = page.Next
		more = page.More
	}

	if page, err := w.Log.Page(t.Context(), owner, question); len(page.Events) > 0 ||
		page.More || page.Next != question.After || err != nil {
		t.Errorf("at the end: %+v, %v", page, err)
	}

	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func feedOfAll(t *testing.T, w World) {
	w.wantFeed(t, everyone(), eventlog.Cursor{Position: w.From}, nil)
	w.written(t)
	w.wantFeed(t, everyone(), eventlog.Cursor{Position: w.From}, nil, all()...)
}

func feedOfUser(t *testing.T, w World) {
	w.wantFeed(t, only("u"), eventlog.Cursor{}, nil)
	w.written(t)

	ofU := []string{"u1 decision.made", "u2 decision.made", "u3 commission.held", "u4 decision.made"}
	w.wantFeed(t, only("u"), eventlog.Cursor{}, nil, ofU...)
	w.wantFeed(t, only("u"), eventlog.Cursor{Sequence: 3}, nil, ofU[3:]...)
	w.wantFeed(t, only("v"), eventlog.Cursor{}, nil, "v1 decision.made")
	w.wantFeed(t, only("nobody"), eventlog.Cursor{}, nil)
	w.wantFeed(t, query.Owner{}, eventlog.Cursor{}, nil)
}

func filters(t *testing.T, w World) {
	w.written(t)

	held := []effect.Type{effect.CommissionHeld}
	w.wantFeed(t, everyone(), eventlog.Cursor{Position: w.From}, held, "u3 commission.held")
	w.wantFeed(t, only("u"), eventlog.Cursor{}, held, "u3 commission.held")
	w.wantFeed(t, only("v"), eventlog.Cursor{}, held)
}

func heads(t *testing.T, w World) {
	if latest, err := w.Log.Latest(t.Context()); latest != w.From || err != nil {
		t.Errorf("the newest event is at %+v, %v; want %+v", latest, err, w.From)
	}

	w.written(t)

	events, err := w.Log.Read(t.Context(), w.From, 10)
	if err != nil || len(events) != 5 {
		t.Fatal(len(events), err)
	}

	if latest, err := w.Log.Latest(t.Context()); latest != events[4].Place || err != nil {
		t.Errorf("the newest event is at %+v, %v; want %+v", latest, err, events[4].Place)
	}

	list, err := w.Log.Heads(t.Context(), events[1].Place, 2)
	if err != nil || len(list) != 2 {
		t.Fatal(len(list), err)
	}

	for i, head := range list {
		e := events[2+i]
		if want := (eventlog.Head{Place: e.Place, UserID: e.UserID, Type: e.Type}); head != want {
			t.Errorf("%+v, want %+v", head, want)
		}
	}
}

// publish notes that everything is published.
func (w World) publish(t *testing.T) {
	t.Helper()

	latest, err := w.Log.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}

	if _, leads, err := w.Log.Lead(t.Context(), "a", time.Hour); !leads || err != nil {
		t.Fatal(leads, err)
	}

	if leads, err := w.Log.Advance(t.Context(), "a", latest, time.Hour); !leads || err != nil {
		t.Fatal(leads, err)
	}
}

// expire drops what is older than a week, and reports whether it has dropped something.
func (w World) expire(t *testing.T) bool {
	t.Helper()

	dropped, err := w.Log.Expire(t.Context(), w.Now().AddDate(0, 0, -7))
	if err != nil {
		t.Fatal(err)
	}

	return dropped > 0
}

func (w World) prepare(t *testing.T) {
	t.Helper()

	if err := w.Log.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func expiry(t *testing.T, w World) {
	w.prepare(t)
	w.written(t)
	w.publish(t)

	if w.expire(t) {
		t.Error("new events were dropped")
	}

	w.Age(t)
	w.prepare(t)
	w.Write(t, "u", "e5") // of today
	w.wait(t, 6)

	if !w.expire(t) {
		t.Error("nothing was dropped")
	}

	w.wait(t, 1)

	page, err := w.Log.Read(t.Context(), eventlog.Position{}, 10)
	if err != nil || len(page) != 1 || text(page[0]) != "u5 decision.made" {
		t.Errorf("%+v, %v", page, err)
	}

	w.Age(t)
	w.prepare(t)

	if w.expire(t) {
		t.Error("an event was dropped that is not published")
	}
}

func expiredCursors(t *testing.T, w World) {
	w.written(t)
	w.publish(t)

	events, err := w.Log.Read(t.Context(), w.From, 10)
	if err != nil || len(events) != 5 {
		t.Fatal(len(events), err)
	}

	w.Age(t)
	w.prepare(t)
	w.expire(t)
	w.Write(t, "u", "e5")
	w.wait(t, 1)

	for name, c := range map[string]struct {
		owner query.Owner
		after eventlog.Cursor
		want  error
	}{
		"all, into what is gone":   {everyone(), eventlog.Cursor{Position: events[2].Place}, eventlog.ErrExpired},
		"all, after what is gone":  {everyone(), eventlog.Cursor{Position: events[4].Place}, nil},
		"all, from the beginning":  {everyone(), eventlog.Cursor{}, nil},
		"u, into what is gone":     {only("u"), eventlog.Cursor{Sequence: 3}, eventlog.ErrExpired},
		"u, after what is gone":    {only("u"), eventlog.Cursor{Sequence: 4}, nil},
		"u, from the beginning":    {only("u"), eventlog.Cursor{}, nil},
		"nobody, of whom is none":  {only("nobody"), eventlog.Cursor{Sequence: 4}, nil},
		"v, who has nothing after": {only("v"), eventlog.Cursor{Sequence: 1}, nil},
	} {
		question := eventlog.Question{After: c.after, Limit: 10}
		if _, err := w.Log.Page(t.Context(), c.owner, question); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	w.wantFeed(t, everyone(), eventlog.Cursor{}, nil, "u5 decision.made")
	w.wantFeed(t, only("u"), eventlog.Cursor{}, nil, "u5 decision.made")
}
