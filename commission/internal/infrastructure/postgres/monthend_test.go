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
