package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	domain "tributary/commission/internal/domain/replay"
)

// midnight is a store that lets a month end, and be closed, before it posts anything for the user.
type midnight struct {
	replay.Store

	userID string
	passes func()
}

func (m midnight) Post(
	ctx context.Context,
	claim replay.Claim,
	users []string,
	fn func(*domain.Replay, []replay.History) (replay.Posting, error),
) ([]commission.Snapshot, error) {
	if slices.Contains(users, m.userID) {
		m.passes()
	}

	return m.Store.Post(ctx, claim, users, fn)
}

// closing returns what is reported of November, when it is over.
func (f fixture) closing(t *testing.T) string {
	t.Helper()

	from, until := november().From, november().To
	text := ""

	for _, user := range []string{"u", "v"} {
		accounts, err := f.store.Statements().Accounts(
			t.Context(),
			owned(t, user),
			query.Period{From: from, To: until, Until: until},
		)
		mustAll(t, err)

		lines, err := f.store.Statements().Lines(
			t.Context(),
			owned(t, user),
			query.Period{From: from, To: until, Until: until},
			10,
			query.LinePosition{},
		)
		mustAll(t, err)

		text += fmt.Sprintln(user, accounts[0].Closing.Minor(), len(lines))
	}

	owed, err := f.store.Liabilities().Liabilities(t.Context(), "USD", until)
	mustAll(t, err)

	return text + owed[0].Available.Minor()
}

// A replay that runs over the end of a month posts each adjustment at its own time, so a month that
// was closed meanwhile stays as it was.
func TestAReplayLeavesAClosedMonthAsItIs(t *testing.T) {
	t.Parallel()
	f := setup(t)

	var sales []event.Snapshot
	for _, user := range []string{"u", "v"} {
		sales = append(sales, purchase("e-"+user, user, "100"))
	}

	f.decide(t, sales...)
	f.rule(t, 1, 1, "0.2", "", "")
	f.now.Store(november().To.Add(-time.Second).UnixMicro())

	var closed string

	_, err := f.start(t, midnight{apart{f.store}, "v", func() {
		f.now.Store(november().To.Add(time.Second).UnixMicro())
		closed = f.closing(t)
	}}, november())
	mustAll(t, err)

	if want := "u 2000 2\nv 1000 1\n3000"; closed != want {
		t.Errorf("November was closed with\n%s, want\n%s", closed, want)
	}

	if got := f.closing(t); got != closed {
		t.Errorf("November was closed with\n%s, and is now\n%s", closed, got)
	}

	if got := f.balance(t, "v"); got != "0/2000/0/0" {
		t.Errorf("what is owed now: %s", got)
	}
}

// lingering is a store that lets a month end, once, while a user is posted for in parts.
type lingering struct {
	replay.Store

	passes func()
}

func (l lingering) PostInParts(
	ctx context.Context,
	claim replay.Claim,
	user string,
	dryRun bool,
	fn func(*domain.Replay, replay.History, replay.Writer) error,
) error {
	return l.Store.PostInParts(ctx, claim, user, dryRun, func(
		r *domain.Replay,
		history replay.History,
		write replay.Writer,
	) error {
		return fn(r, history, func(part replay.Posting) error {
			l.passes()
			return write(part)
		})
	})
}

// A step that takes longer than the month posts nothing into it. It begins again, and belongs to
// the new month.
func TestALongStepLeavesAClosedMonthAsItIs(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.inMemory = 1
	f.decide(t, purchase("e1", "u", "100"), purchase("e2", "u", "50"), purchase("e3", "v", "10"))
	f.rule(t, 1, 1, "0.2", "", "")
	f.now.Store(november().To.Add(-time.Second).UnixMicro())

	var closed string

	found, err := f.start(t, lingering{f.store, func() {
		if closed == "" {
			f.now.Store(november().To.Add(time.Minute).UnixMicro())
			closed = f.closing(t)
		}
	}}, november())
	if err != nil || found.Complete || found.Replay.Progress.Differences != 0 {
		t.Fatalf("Start = %+v, %v; want it to go on later", found, err)
	}

	f.replays(f.store).Work(t.Context())

	if got := f.closing(t); closed == "" || got != closed {
		t.Errorf("November was closed with\n%s, and is now\n%s", closed, got)
	}

	if got := f.balance(t, "u"); got != "0/3000/0/0" {
		t.Errorf("what is owed now: %s", got)
	}
}
