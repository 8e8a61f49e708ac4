package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/infrastructure/postgres"
)

// The cost of a page depends on its rows only, however many there are: an index has them in the
// order of the list.
func TestListsNeverSort(t *testing.T) {
	t.Parallel()
	f := setup(t)

	record := &transcript{}
	store := postgres.New(f.traced(t, record))
	f.owned(t, "SET enable_sort = off") // it is still done if no index has the order

	for name, filter := range map[string]query.CommissionFilter{
		"all": {}, "user": {UserID: "u"}, "campaign": {CampaignID: "c"}, "product": {ProductID: "p"}, "status": {Status: "held"}, "kind": {Kind: "clawback"},
		"changes": {Updated: query.Updated{From: time.Unix(0, 0)}},
	} {
		for _, after := range []string{"", uuid.NewString()} {
			if _, err := store.List(
				t.Context(),
				owned(t, filter.UserID),
				filter,
				query.Slice{Limit: 10, After: after},
			); err != nil {
				t.Fatal(err)
			}

			f.unsorted(t, "commissions of "+name, record)
		}
	}

	for name, filter := range map[string]query.PayoutFilter{
		"all": {}, "user": {UserID: "u"}, "changes": {Updated: query.Updated{To: time.Unix(0, 0)}},
	} {
		for _, after := range []query.Position{{}, {At: time.Unix(0, 0), ID: uuid.NewString()}} {
			if _, err := store.Payouts().Payouts(t.Context(), owned(t, filter.UserID), filter, 10, after); err != nil {
				t.Fatal(err)
			}

			f.unsorted(t, "payouts of "+name, record)
		}
	}

	for name, filter := range map[string]query.LedgerFilter{
		"all": {}, "time": {From: time.Unix(0, 0)},
	} {
		for _, after := range []query.Position{{}, {At: time.Unix(0, 0), ID: "1"}} {
			if _, err := store.Transfers(t.Context(), owned(t, filter.UserID), filter, 10, after); err != nil {
				t.Fatal(err)
			}

			f.unsorted(t, "ledger of "+name, record)
		}
	}

	for name, filter := range map[string]query.AuditFilter{
		"all": {}, "actor": {Actor: "a"}, "action": {Action: "a"}, "time": {From: time.Unix(0, 0)},
	} {
		for _, after := range []query.Position{{}, {At: time.Unix(0, 0), ID: "1"}} {
			if _, err := store.Audit(t.Context(), filter, 10, after); err != nil {
				t.Fatal(err)
			}

			f.unsorted(t, "audit of "+name, record)
		}
	}
}

// unsorted checks the plan of the last statement.
func (f fixture) unsorted(t *testing.T, name string, record *transcript) {
	t.Helper()

	statements := record.taken()
	last := statements[len(statements)-1]

	rows, err := f.owner.Query(t.Context(), "EXPLAIN "+last.sql, last.args...)
	if err != nil {
		t.Fatal(err)
	}

	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}

	if plan := strings.Join(lines, "\n"); strings.Contains(plan, "Sort  (cost") ||
		!strings.Contains(plan, "Index") {
		t.Errorf("%s:\n%s", name, plan)
	}
}
