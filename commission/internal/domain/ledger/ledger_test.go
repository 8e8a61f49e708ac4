package ledger_test

import (
	"errors"
	"math"
	"testing"

	"tributary/commission/internal/domain/ledger"
	"tributary/platform/money"
)

func accounts() []ledger.Account {
	return []ledger.Account{
		ledger.Programme,
		ledger.Pending,
		ledger.Available,
		ledger.InPayout,
		ledger.Paid,
	}
}

// A transfer exists only along the listed paths, and never with an amount that is not positive.
func TestTransfersAreBalancedAlongKnownPaths(t *testing.T) {
	t.Parallel()

	type maker func(id, user string, amount money.Amount, path ledger.Path) (ledger.Transfer, error)

	for name, c := range map[string]struct {
		paths    []ledger.Path
		make     maker
		negative bool // whether a negative amount moves in reverse
	}{
		"commission": {ledger.CommissionPaths(), ledger.ForCommission, true},
		"payout":     {ledger.PayoutPaths(), ledger.ForPayout, false},
	} {
		for _, from := range accounts() {
			for _, to := range accounts() {
				path := ledger.Path{From: from, To: to}

				known := false
				for _, p := range c.paths {
					known = known || p == path
				}

				for _, minor := range []int64{-5, 0, 5} {
					moved, err := c.make("id", "u", money.FromMinor(minor, money.USD()), path)

					want := known && (minor > 0 || minor < 0 && c.negative)
					if (err == nil) != want {
						t.Errorf("%s: %d from %s to %s: %v", name, minor, from, to, err)
						continue
					}

					if !want {
						continue
					}

					if minor < 0 {
						from, to = to, from
					}

					if moved.From() != from || moved.To() != to || moved.Amount().Minor() != 5 ||
						moved.UserID() != "u" {
						t.Errorf("%s: %d from %s to %s became %+v", name, minor, from, to, moved)
					}

					if minor < 0 {
						from, to = to, from
					}
				}
			}
		}
	}
}

func TestATransferBelongsToAUserAndASubject(t *testing.T) {
	t.Parallel()

	amount := money.FromMinor(1, money.USD())

	path := ledger.PayoutPaths()[0]
	for _, c := range []struct{ id, user string }{{"", "u"}, {"p", ""}} {
		if _, err := ledger.ForPayout(c.id, c.user, amount, path); err == nil {
			t.Errorf("a transfer of payout %q and user %q was made", c.id, c.user)
		}
	}

	moved, err := ledger.ForPayout("p", "u", amount, path)
	if err != nil || moved.PayoutID() != "p" || moved.CommissionID() != "" {
		t.Errorf("ForPayout = %+v, %v", moved, err)
	}
}

// Positions are counted on the side of the available account that a commission's money enters or
// leaves; payouts take intervals of them and have no side.
func TestCommissionsHaveASide(t *testing.T) {
	t.Parallel()

	for _, path := range ledger.CommissionPaths() {
		for _, minor := range []int64{5, -5} {
			moved, err := ledger.ForCommission("c", "u", money.FromMinor(minor, money.USD()), path)
			if err != nil {
				t.Fatal(err)
			}

			var want ledger.Side

			if moved.To() == ledger.Available {
				want = ledger.Credit
			} else if moved.From() == ledger.Available {
				want = ledger.Debit
			}

			if side, ok := moved.Side(); side != want || ok != (want != "") {
				t.Errorf("%d from %s to %s: %q, %t", minor, moved.From(), moved.To(), side, ok)
			}
		}
	}

	for _, path := range ledger.PayoutPaths() {
		moved, err := ledger.ForPayout("p", "u", money.FromMinor(5, money.USD()), path)
		if side, ok := moved.Side(); err != nil || ok || side != "" {
			t.Errorf("a payout from %s to %s: %q, %t, %v", path.From, path.To, side, ok, err)
		}
	}

	_, err := ledger.ForCommission(
		"c",
		"u",
		money.FromMinor(math.MinInt64, money.USD()),
		ledger.CommissionPaths()[0],
	)
	if !errors.Is(err, money.ErrOverflow) {
		t.Errorf("the smallest amount: %v", err)
	}
}

// A commission's first transfer comes from the programme, and a negative one goes there.
func TestTheFirstTransferOfACommissionOpens(t *testing.T) {
	t.Parallel()

	for _, path := range ledger.CommissionPaths() {
		for _, minor := range []int64{5, -5} {
			moved, err := ledger.ForCommission("c", "u", money.FromMinor(minor, money.USD()), path)
			if want := path.From == ledger.Programme; err != nil || moved.Opening() != want {
				t.Errorf("%d from %s to %s: %t, %v", minor, path.From, path.To, moved.Opening(), err)
			}
		}
	}

	for _, path := range ledger.PayoutPaths() {
		moved, err := ledger.ForPayout("p", "u", money.FromMinor(5, money.USD()), path)
		if err != nil || moved.Opening() {
			t.Errorf("a payout from %s to %s opens: %v", path.From, path.To, err)
		}
	}
}
