package querytest

import (
	"errors"
	"slices"
	"testing"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/payout"
)

// Suite tests the contracts of the read ports. open returns an empty world.
func Suite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"an empty store has nothing":          nothing,
		"commissions, newest first":           commissions,
		"commissions by their change":         changedCommissions,
		"payouts, newest first":               payouts,
		"payouts by their change":             changedPayouts,
		"batches, newest first":               batches,
		"the audit, newest first":             audit,
		"the ledger, newest first":            transfers,
		"balances by user and currency":       balanced,
		"liabilities by currency":             liabilities,
		"what is pending by bucket":           ages,
		"what waits for a person":             waiting,
		"payments of commissions":             payments,
		"payouts of a commission":             shares,
		"items of payouts":                    items,
		"parts that do not adjoin":            apart,
		"payouts that adjoin":                 adjoining,
		"items in their order":                itemsInOrder,
		"the newest payouts lose their cover": coverage,
		"statements have sums":                statements,
		"statements have lines":               lines,
		"rules have revisions":                revisions,
		"a subject has a history":             histories,
		"a user has known events":             knownEvents,
		"an adjustment follows from":          derivations,
		"summaries have groups":               summaries,
		"days of summaries have a zone":       summarizedDays,
		"a decision is its owner's":           decisions,
		"the zero owner sees nothing":         strangers,
		"rows of others are not found":        foreign,
		"a row may be added while paging":     growing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// wantPages reads a list to its end, two rows at a time, and checks the names of its rows.
func wantPages[T any](
	t *testing.T,
	what string,
	read func(limit int, after *T) ([]T, error),
	name func(T) string,
	want ...string,
) {
	t.Helper()

	const limit = 2

	var (
		got  []string
		last *T
	)

	for range len(want) + limit {
		page, err := read(limit, last)
		if err != nil || len(page) > limit {
			t.Fatalf("%s: %d rows, %v", what, len(page), err)
		}

		if len(page) == 0 {
			break
		}

		for _, row := range page {
			got = append(got, name(row))
		}

		last = &page[len(page)-1]
	}

	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func nothing(t *testing.T, w World) {
	w.wantCommissions(t, "of nothing", everyone(), query.CommissionFilter{})
	w.wantPayouts(t, "of nothing", everyone(), query.PayoutFilter{})
	w.wantBatches(t, "of nothing", query.BatchFilter{})
	w.wantAudit(t, "of nothing", query.AuditFilter{})
	w.wantTransfers(t, "of nothing", everyone(), query.LedgerFilter{})
	w.wantBalances(t, "of nothing", everyone(), query.BalanceFilter{})
	w.wantLiabilities(t, "of nothing", "", noon())
	w.wantAges(t, "of nothing", "", noon())
	w.wantSummary(t, "of nothing", everyone(), query.CommissionFilter{}, grouped())

	if found, err := w.Balance.Balances(t.Context(), only("u")); len(found) > 0 || err != nil {
		t.Errorf("balances of u: %+v, %v", found, err)
	}
}

func foreign(t *testing.T, w World) {
	w.asked(t)

	earned := w.Earn(t, "u", "e1")

	if found, err := w.Reader.Commission(t.Context(), only("u"), earned.ID); err != nil ||
		found != earned {
		t.Errorf("%+v, %v", found, err)
	}

	for name, owner := range map[string]query.Owner{"v": only("v"), "nobody": {}} {
		_, ofCommission := w.Reader.Commission(t.Context(), owner, earned.ID)
		_, ofDecision := w.Reader.Decision(t.Context(), owner, "e1")
		_, ofPayout := w.Payout.Payout(t.Context(), owner, id(21))
		wantHidden(t, "to "+name, ofCommission, ofDecision, ofPayout)
	}

	for _, unknown := range []string{id(99), "x", ""} {
		_, ofCommission := w.Reader.Commission(t.Context(), everyone(), unknown)
		_, ofDecision := w.Reader.Decision(t.Context(), everyone(), unknown)
		_, ofPayout := w.Payout.Payout(t.Context(), everyone(), unknown)
		wantHidden(t, "of "+unknown, ofCommission, ofDecision, ofPayout)
	}
}

func wantHidden(t *testing.T, what string, ofCommission, ofDecision, ofPayout error) {
	t.Helper()

	if !errors.Is(ofCommission, commission.ErrNotFound) {
		t.Errorf("commission %s: %v", what, ofCommission)
	}

	if !errors.Is(ofDecision, decision.ErrNotFound) {
		t.Errorf("decision %s: %v", what, ofDecision)
	}

	if !errors.Is(ofPayout, payout.ErrNotFound) {
		t.Errorf("payout %s: %v", what, ofPayout)
	}
}

func strangers(t *testing.T, w World) {
	w.asked(t)
	w.earned(t)

	var stranger query.Owner

	w.wantCommissions(t, "to a stranger", stranger, query.CommissionFilter{})
	w.wantPayouts(t, "to a stranger", stranger, query.PayoutFilter{})
	w.wantTransfers(t, "to a stranger", stranger, query.LedgerFilter{})
	w.wantBalances(t, "to a stranger", stranger, query.BalanceFilter{})
	w.wantSummary(t, "to a stranger", stranger, query.CommissionFilter{}, grouped())
}
