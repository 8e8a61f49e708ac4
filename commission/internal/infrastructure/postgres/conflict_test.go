package postgres_test

import (
	"strings"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// A command that comes again with its id and asks for something else moves nothing, and the payout
// says so. Only the first of them is noted.
func TestAnotherRequestWithAKnownIDIsNoted(t *testing.T) {
	t.Parallel()

	first := strings.Repeat("1", 64)
	second := strings.Repeat("2", 64)
	third := strings.Repeat("3", 64)

	for name, c := range map[string]struct {
		hashes []string // of the requests, a minute after each other
		noted  int      // which of them is noted, 0 for none
	}{
		"a repetition":          {[]string{first, first}, 0},
		"another request":       {[]string{first, second}, 1},
		"two others":            {[]string{first, second, third}, 1},
		"a repetition between":  {[]string{first, first, second, first}, 2},
		"by one key":            {[]string{"k1:" + first, "k1:" + second}, 1},
		"by different keys":     {[]string{"k1:" + first, "k2:" + second}, 0},
		"with and without key":  {[]string{first, "k2:" + second}, 0},
		"the first had no hash": {[]string{"", second}, 0},
		"the second had none":   {[]string{first, ""}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)

			if err := f.adjust(t.Context(), "u", "100"); err != nil {
				t.Fatal(err)
			}

			wanted := payoutOf("u", 1000)

			var last payout.Snapshot
			for i, hash := range c.hashes {
				wanted.RequestHash = hash
				wanted.RequestedAt = start().Add(time.Duration(i) * time.Minute)
				wanted.Amount = money.FromMinor(int64(1000+i), money.USD())

				var err error
				if last, err = f.request(t.Context(), wanted); err != nil {
					t.Fatal(err)
				}
			}

			stored, err := f.store.Payouts().Payout(t.Context(), owned(t, "u"), wanted.ID)
			if err != nil {
				t.Fatal(err)
			}

			at := time.Time{}
			version := 1

			if c.noted > 0 {
				at = start().Add(time.Duration(c.noted) * time.Minute)
				version = 2
			}

			if stored != last || !stored.ConflictedAt.Equal(at) || stored.Version != version {
				t.Errorf("stored %+v, returned %+v, want a conflict at %v", stored, last, at)
			}

			if stored.Amount.Minor() != 1000 || stored.Status != payout.Requested ||
				!stored.RequestedAt.Equal(start()) {
				t.Errorf("the payout became %+v", stored)
			}

			if moved := f.one(t, `SELECT sum(amount_minor) FROM ledger
    WHERE payout_id IS NOT NULL`); moved != "1000" {
				t.Errorf("%s are set aside, want 1000", moved)
			}
		})
	}
}

// A payout that has ended notes another request too, and one that has noted it can still be closed.
func TestConflictsAreNotedInEveryStatus(t *testing.T) {
	t.Parallel()
	f := setup(t)

	if err := f.adjust(t.Context(), "u", "100"); err != nil {
		t.Fatal(err)
	}

	complete := func(id string, version int) payout.Snapshot {
		t.Helper()

		done, err := command.NewClosePayout(f.store.Payouts()).Handle(
			t.Context(),
			change.Request{Actor: "boss", Reason: "paid", Now: start()},
			command.Closing{ID: id, Version: version, To: payout.Completed},
		)
		if err != nil {
			t.Fatal(err)
		}

		return done
	}
	request := func(wanted payout.Wanted, hash string) payout.Snapshot {
		t.Helper()
		wanted.RequestHash = strings.Repeat(hash, 64)

		made, err := f.request(t.Context(), wanted)
		if err != nil {
			t.Fatal(err)
		}

		return made
	}

	before := payoutOf("u", 1000)
	after := payoutOf("u", 1000)
	refused := payoutOf("u", 100000000)
	request(before, "1")
	request(before, "2")
	request(after, "1")
	complete(after.ID, 1)
	request(refused, "1")

	for name, s := range map[string]payout.Snapshot{
		"closed after it":  complete(before.ID, 2),
		"closed before it": request(after, "2"),
		"rejected":         request(refused, "2"),
	} {
		if s.ConflictedAt.IsZero() {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
