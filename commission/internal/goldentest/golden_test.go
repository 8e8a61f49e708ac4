package goldentest_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/consume"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/commission/internal/goldentest"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
)

// pure runs a case through the pure function, in the order of arrival.
func pure(t *testing.T, c goldentest.Case) map[string]string {
	t.Helper()
	var rules []rule.Rule
	for _, l := range c.Rules {
		r, err := goldentest.Rule(l, "")
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		rules = append(rules, r)
	}
	var events []event.Event
	for _, l := range c.Events {
		e, err := goldentest.Event(l, "")
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		events = append(events, e)
	}
	out := map[string]string{}
	for _, d := range decision.RunInOrder(events, rule.NewSet(1, rules), nil) {
		out[d.Event.ID()] = fmt.Sprintf("%s %s", d.Outcome, d.Reason)
		if d.Amount.Minor() != 0 {
			out[d.Event.ID()] += fmt.Sprintf(" %d", d.Amount.Minor())
		}
	}
	return out
}

func compare(t *testing.T, c goldentest.Case, got map[string]string) bool {
	t.Helper()
	ok := true
	for _, o := range c.Outcomes {
		if got[o.Event] != o.Text {
			ok = false
			t.Errorf("%s: %s gives %q, want %q", c.Name, o.Event, got[o.Event], o.Text)
		}
	}
	return ok
}

func TestTenThousandRandomCasesAgainstTheOracle(t *testing.T) {
	t.Parallel()
	failed := 0
	for seed := range uint64(10_000) {
		c := goldentest.Random(seed)
		goldentest.Solve(&c)
		if !compare(t, c, pure(t, c)) {
			if failed++; failed == 5 {
				t.Fatal("enough")
			}
		}
	}
}

// all gives the cases of the golden file as the generator and the oracle make them.
func all() []goldentest.Case {
	cases := goldentest.Matrix()
	for seed := range uint64(60) {
		cases = append(cases, goldentest.Random(1_000_000+seed))
	}
	for i := range cases {
		goldentest.Solve(&cases[i])
	}
	return cases
}

const header = `# Golden cases: rules, events in the order of their arrival, and what must come out. Made by the independent oracle of this package
# (UPDATE_GOLDEN=1 go test ./internal/goldentest) and read by people; the pure decision and the service over PostgreSQL are compared with it.
#   rule NAME EVENT_TYPE options   event ID TYPE options   gives EVENT outcome reason minor-units   earned USER CURRENCY minor-units

`

func TestTheFileIsWhatTheOracleSays(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	text.WriteString(header)
	for _, c := range all() {
		c.Write(&text)
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile("testdata/golden.txt", text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile("testdata/golden.txt")
	if err != nil || !bytes.Equal(stored, text.Bytes()) {
		t.Errorf("testdata/golden.txt is not what the oracle makes (%v): look at the difference, then run with UPDATE_GOLDEN=1", err)
	}
}

func golden(t *testing.T) []goldentest.Case {
	t.Helper()
	file, err := os.Open("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	cases, err := goldentest.Parse(file)
	if err != nil || len(cases) < 250 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	return cases
}

func TestGoldenCasesThroughThePureFunction(t *testing.T) {
	t.Parallel()
	for _, c := range golden(t) {
		compare(t, c, pure(t, c))
	}
}

// Every golden case through the service's own consumption on PostgreSQL, by turns one event at a time and all at once; the balances too.
func TestGoldenCasesThroughTheDatabase(t *testing.T) {
	t.Parallel()
	db := migrationstest.New(t, migrations.Commission())
	owner, err := pgx.Connect(t.Context(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Close(context.WithoutCancel(t.Context())) })
	for i, c := range golden(t) {
		stored(t, c, db, owner, i%2 == 0)
	}
}

// stored runs a case over a database that has been emptied by its owner, with the triggers out of the way for that moment.
func stored(t *testing.T, c goldentest.Case, db migrationstest.Database, owner *pgx.Conn, atOnce bool) {
	t.Helper()
	ctx := t.Context()
	_, err := owner.Exec(ctx, `SET session_replication_role = replica; TRUNCATE decisions, commissions, ledger, balances, usage, rules; SET session_replication_role = DEFAULT`)
	if err != nil {
		t.Fatal(err)
	}
	store := postgres.New(db.Pool)
	for i, l := range c.Rules {
		made, err := goldentest.Rule(l, "")
		if err != nil {
			t.Fatal(err)
		}
		def := made.Definition()
		def.ID = fmt.Sprintf("00000000-0000-7000-8000-%012d", i+1)
		request := change.Request{Now: def.EffectiveFrom, Actor: "golden", Reason: "golden"}
		if _, err := store.Publish(ctx, request, func(*rule.Set) (rule.Rule, error) { return rule.New(def) }); err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
	}
	handler := consume.New(store, time.Now, func() string { return uuid.Must(uuid.NewV7()).String() })
	var events []event.Event
	for _, l := range c.Events {
		e, err := goldentest.Event(l, "")
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	size := 1
	if atOnce {
		size = len(events)
	}
	for part := range slices.Chunk(events, size) {
		if refused, err := handler.Handle(ctx, part); err != nil || len(refused) > 0 {
			t.Fatalf("%s: %v, %v", c.Name, refused, err)
		}
	}
	got := map[string]string{}
	for _, o := range c.Outcomes {
		d, err := store.Decision(ctx, o.Event)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		got[o.Event] = fmt.Sprintf("%s %s", d.Outcome, d.Reason)
		if d.Amount.Minor() != 0 {
			got[o.Event] += fmt.Sprintf(" %d", d.Amount.Minor())
		}
	}
	compare(t, c, got)
	balances(t, c, owner)
}

func balances(t *testing.T, c goldentest.Case, owner *pgx.Conn) {
	t.Helper()
	rows, err := owner.Query(t.Context(), `SELECT user_id || ' ' || currency, (pending_minor + available_minor)::text FROM balances WHERE programme_minor <> 0`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	var key, minor string
	if _, err := pgx.ForEachRow(rows, []any{&key, &minor}, func() error {
		got[key] = minor
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, c.Balances) {
		t.Errorf("%s: earned %v, want %v", c.Name, got, c.Balances)
	}
}
