package goldentest_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/api/events"
	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/rule"
	"tributary/commission/internal/goldentest"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/broker"
)

// world is the service from the message to the database, with a clock that stands still.
type world struct {
	store    *postgres.Store
	replica  *postgres.Store // another one, which has decided nothing
	owner    *pgx.Conn
	tracking *events.Tracking
}

func newWorld(t *testing.T, dead events.DeadLetters) *world {
	t.Helper()
	db := migrationstest.New(t, migrations.Commission())

	owner, err := pgx.Connect(t.Context(), db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = owner.Close(context.WithoutCancel(t.Context())) })
	w := &world{store: postgres.New(db.Pool), replica: postgres.New(db.Pool), owner: owner}
	handler := command.NewConsumeEvents(
		w.store,
		goldentest.Now,
		func() string { return uuid.Must(uuid.NewV7()).String() },
	)
	w.tracking = events.NewTracking(handler, dead, slog.New(slog.DiscardHandler))

	return w
}

// noLetters refuses every letter: no case contains poison.
type noLetters struct{}

func (noLetters) Put(_ context.Context, m broker.Received, reason string) error {
	return fmt.Errorf("dead letter %s: %s", m.Payload, reason)
}

// group is cases that share their rules. Each has its own users, events and orders, separated by
// its prefix.
type group struct {
	number int
	cases  []goldentest.Case
}

func (g group) prefix(i int) string { return fmt.Sprintf("%d.%d.", g.number, i) }

// groups groups cases with the same rules, except those whose rules name users.
func groups(cases []goldentest.Case) []group {
	var out []group

	known := map[string]int{}
	for _, c := range cases {
		rules := fmt.Sprint(c.Rules)

		i, found := known[rules]
		if !found || c.PerUser() {
			i = len(out)
			known[rules] = i
			out = append(out, group{number: i})
		}

		out[i].cases = append(out[i].cases, c)
	}

	return out
}

// messages returns the events of all the cases, one of each case in turn, as tracking would publish
// them.
func (g group) messages(t *testing.T) []broker.Message {
	t.Helper()

	var out []broker.Message

	longest := 0
	for _, c := range g.cases {
		longest = max(longest, len(c.Events))
	}

	for n := range longest {
		for i, c := range g.cases {
			if n >= len(c.Events) {
				continue
			}

			payload, err := goldentest.Message(c.Events[n], g.prefix(i))
			if err != nil {
				t.Fatal(err)
			}

			out = append(
				out,
				broker.Message{Key: g.prefix(i) + c.Events[n].Get("user"), Payload: payload},
			)
		}
	}

	return out
}

// publish replaces the rules by those of the group. Earlier decisions remain: a repeated message
// finds its decision.
func (w *world) publish(t *testing.T, g group) {
	t.Helper()

	if _, err := w.owner.Exec(
		t.Context(),
		`SET session_replication_role = replica; TRUNCATE rules; SET session_replication_role = DEFAULT`,
	); err != nil {
		t.Fatal(err)
	}

	ids := map[string]string{}
	for _, l := range g.cases[0].Rules {
		w.publishLine(t, g, l, ids)
	}
}

// publishLine publishes a version when it takes effect; ids maps the rules' names to their ids.
func (w *world) publishLine(t *testing.T, g group, l goldentest.Line, ids map[string]string) {
	t.Helper()

	made, err := goldentest.Rule(l, g.prefix(0))
	if err != nil {
		t.Fatal(err)
	}

	snapshot := made.Snapshot()

	if ids[l.ID] == "" {
		ids[l.ID] = fmt.Sprintf("00000000-0000-7000-8000-%06d%06d", g.number, len(ids))
	}

	snapshot.ID = ids[l.ID]
	snapshot.PublishedAt = snapshot.EffectiveFrom

	request := change.Request{Now: snapshot.EffectiveFrom, Actor: "golden", Reason: "golden"}
	if err := w.store.PublishRule(
		t.Context(),
		request,
		func(*rule.Set) (rule.Rule, change.Outcome, error) {
			valid, err := rule.New(snapshot)

			return valid, change.Outcome{}, err
		},
	); err != nil {
		t.Fatalf("%s: %v", g.cases[0].Name, err)
	}
}

// parts cuts messages into parts of the size, or into single ones if something is to be rejected in
// between.
func (g group) parts(messages []broker.Message, size int) [][]broker.Message {
	if len(g.rejected()) > 0 {
		size = 1
	}

	return slices.Collect(slices.Chunk(messages, size))
}

func (g group) rejected() []string {
	var out []string
	for i, c := range g.cases {
		out = append(out, slices.Collect(maps.Keys(c.Rejected(g.prefix(i))))...)
	}

	return out
}

// reject rejects the commissions that exist by now and are to be rejected.
func (w *world) reject(t *testing.T, g group) {
	t.Helper()

	rows, err := w.owner.Query(t.Context(), `SELECT id::text FROM commissions
    WHERE event_id = ANY($1) AND status = 'pending'`, g.rejected())
	if err != nil {
		t.Fatal(err)
	}

	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}

	for _, id := range ids {
		request := change.Request{Now: goldentest.Now(), Actor: "golden", Reason: "golden"}
		if _, err := command.NewActOnCommission(w.store.Commissions()).Handle(
			t.Context(),
			request,
			command.Action{ID: id, Action: commission.Reject},
		); err != nil {
			t.Fatal(err)
		}
	}
}

// check compares everything that the database holds of the group.
func (w *world) check(t *testing.T, g group) {
	t.Helper()

	for i, c := range g.cases {
		compare(t, c, w.read(t, g.prefix(i)))
	}
}

const (
	selectAnswers = `
SELECT substr(d.event_id, $2), d.outcome, d.reason, coalesce(d.amount_minor, 0),
    coalesce(c.amount_minor, 0), coalesce(c.status, ''), coalesce(c.available_at, 'epoch')
FROM decisions AS d LEFT JOIN commissions AS c USING (event_id) WHERE starts_with(d.event_id, $1)`

	// Balances beside the sums of the rows of the ledger and of the commissions that are not
	// rejected, by user and currency of any of them.
	selectBalances = `
WITH moved AS (
    SELECT user_id, currency, account, sum(minor) AS minor
    FROM ledger, LATERAL (VALUES (from_account, -amount_minor), (to_account,
        amount_minor)) AS v (account, minor)
    WHERE starts_with(user_id, $1) GROUP BY user_id, currency, account
), posted AS (
    SELECT user_id, currency, array_agg(account || ' ' || minor
        ORDER BY account) FILTER (WHERE minor <> 0) AS accounts, sum(minor) AS total FROM moved
            GROUP BY user_id, currency
), kept AS (
    SELECT user_id, currency, pending_minor AS pending, available_minor AS available,
        pending_minor + available_minor + in_payout_minor + paid_minor AS earned,
           (SELECT array_agg(account || ' ' || minor ORDER BY account) FROM (VALUES ('programme',
               programme_minor), ('pending', pending_minor),
                ('available', available_minor), ('in_payout', in_payout_minor), ('paid',
                    paid_minor)) AS v (account, minor) WHERE minor <> 0) AS accounts
    FROM balances WHERE starts_with(user_id, $1)
), rows AS (
    SELECT user_id, currency, sum(amount_minor) AS earned,
        coalesce(sum(amount_minor) FILTER (WHERE status IN ('pending', 'held')), 0) AS pending
    FROM commissions WHERE starts_with(user_id, $1) AND status <> 'rejected' GROUP BY user_id,
        currency
)
SELECT substr(user_id, $2) || ' ' || currency, coalesce(k.earned, 0)::bigint, coalesce(k.pending,
    0)::bigint,
       concat_ws('; ', CASE WHEN k.accounts IS DISTINCT
           FROM b.accounts THEN 'kept ' || coalesce(k.accounts::text,
               'nothing') || ', posted ' || coalesce(b.accounts::text, 'nothing') END,
           CASE WHEN b.total IS DISTINCT FROM 0 THEN 'the ledger adds up to ' ||
               coalesce(b.total::text, 'nothing') END,
           CASE WHEN (k.earned, k.pending) IS DISTINCT FROM (r.earned,
               r.pending) THEN concat_ws(' ', 'commissions add up to', r.earned, 'and pending',
                   r.pending) END)
FROM kept AS k FULL JOIN posted AS b USING (user_id, currency) FULL
    JOIN rows AS r USING (user_id, currency)`
)

// read returns what the database holds for the prefix, and reports inconsistencies.
func (w *world) read(t *testing.T, prefix string) results {
	t.Helper()
	got := results{answers: map[string]answer{}, balances: map[string]string{}}

	rows, err := w.owner.Query(t.Context(), selectAnswers, prefix, len(prefix)+1)
	if err != nil {
		t.Fatal(err)
	}

	var (
		id, outcome, reason, status, key, faults string
		minor, row, pending                      int64
		available                                time.Time
	)
	if _, err := pgx.ForEachRow(
		rows,
		[]any{&id, &outcome, &reason, &minor, &row, &status, &available},
		func() error {
			a := answerOf(outcome, reason, minor)
			if a.status = status; status != "" {
				a.available = available.UTC().Format(time.RFC3339)
			}

			if _, twice := got.answers[id]; twice || minor != row {
				t.Errorf(
					"%s%s: more than one commission, or one of %d for a decision of %d",
					prefix,
					id,
					row,
					minor,
				)
			}

			got.answers[id] = a

			return nil
		},
	); err != nil {
		t.Fatal(err)
	}

	if rows, err = w.owner.Query(t.Context(), selectBalances, prefix, len(prefix)+1); err != nil {
		t.Fatal(err)
	}

	if _, err := pgx.ForEachRow(rows, []any{&key, &minor, &pending, &faults}, func() error {
		if got.balances[key] = balance(minor, pending); faults != "" {
			t.Errorf("%s%s: %s", prefix, key, faults)
		}

		return nil
	}); err != nil {
		t.Fatal(err)
	}

	return got
}

// nothingElse checks that the database holds the decisions and commissions of the groups and no
// others.
func (w *world) nothingElse(t *testing.T, all []group) {
	t.Helper()
	decisions := 0
	commissions := 0

	rejected := 0
	for _, g := range all {
		rejected += len(g.rejected())
		for _, c := range g.cases {
			decisions += len(c.Outcomes)
			commissions += len(
				slices.DeleteFunc(
					slices.Clone(c.Outcomes),
					func(o goldentest.Outcome) bool { return !strings.HasPrefix(o.Text, "commissioned") },
				),
			)
		}
	}

	var got string
	if err := w.owner.QueryRow(t.Context(), `SELECT concat_ws(' ', (SELECT count(*) FROM decisions),
    (SELECT count(*) FROM commissions), (SELECT count(*) FROM ledger))`).Scan(&got); err != nil {
		t.Fatal(err)
	}

	if want := fmt.Sprint(decisions, commissions, commissions+rejected); got != want {
		t.Errorf("%s rows of decisions, commissions and the ledger; want %s", got, want)
	}
}

// Every golden case from its messages to PostgreSQL, one message at a time, three and all at once
// in turn, with all accounts of the ledger, and what is published of them.
func TestGoldenCasesThroughTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noLetters{})

	published := w.publishedAlike(t, eventlog.Position{})

	all := groups(golden(t))
	for i, g := range all {
		w.publish(t, g)

		messages := g.messages(t)
		for _, part := range g.parts(messages, []int{1, 3, len(messages)}[i%3]) {
			var received []broker.Received
			for _, m := range part {
				received = append(received, broker.Received{Message: m})
			}

			if err := w.tracking.Handle(t.Context(), received); err != nil {
				t.Fatal(err)
			}

			w.reject(t, g)
		}

		w.check(t, g)
		published = w.publishedAlike(t, published)
	}

	w.nothingElse(t, all)
}

// A version that is published between the events meets earlier decisions. The results are those of
// the oracle, which has no accounts.
func TestVersionsThatComeBetweenTheEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, noLetters{})

	for seed := range uint64(60) {
		c := goldentest.Tangled(2_000_000 + seed)
		when := func(l goldentest.Line) string { return strings.TrimPrefix(l.Get("at"), "at=") }
		slices.SortStableFunc(c.Events, func(a, b goldentest.Line) int {
			return cmp.Or(cmp.Compare(when(a), when(b)), cmp.Compare(a.ID, b.ID))
		})
		goldentest.Solve(&c)

		g := group{number: int(seed), cases: []goldentest.Case{c}}
		later := slices.Clone(c.Rules)
		ids := map[string]string{}
		w.publish(t, group{number: g.number, cases: []goldentest.Case{{}}})

		for i, m := range g.messages(t) {
			later = slices.DeleteFunc(later, func(l goldentest.Line) bool {
				due := l.Get("from") <= when(c.Events[i])
				if due {
					w.publishLine(t, g, l, ids)
				}

				return due
			})

			if err := w.tracking.Handle(t.Context(), []broker.Received{{Message: m}}); err != nil {
				t.Fatal(err)
			}
		}

		w.check(t, g)
	}
}
