package faults_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tributary/devstack"
	"tributary/e2e/stacktest"
)

// replicated starts further instances of the service, up to n including the stack's own. They end
// with the test.
func replicated(t *testing.T, service string, n int) (parts devstack.Config, names []string) {
	t.Helper()

	parts, ok := stack.Parts.(devstack.Config)
	if !ok {
		t.Fatal("the stack is not a private one")
	}

	names = []string{service}

	port := map[string]int{"tracking": parts.Ports.Tracking, "commission": parts.Ports.Commission}[service]
	for i := 2; i <= n; i++ {
		port = freePort(t, port)
		name := fmt.Sprintf("%s-%d", service, i)
		names = append(names, name)
		parts.Replicas = append(
			slices.Clip(parts.Replicas),
			devstack.Replica{Service: service, Name: name, Port: port},
		)
	}

	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())

		errs := []error{parts.Start(ctx, service)}
		for _, name := range names[1:] {
			errs = append(errs, parts.Stop(ctx, name))
		}

		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
	})

	for _, name := range names[1:] {
		started(t, parts, name)
	}

	return parts, names
}

func started(t *testing.T, parts devstack.Config, name string) {
	t.Helper()

	if err := parts.Start(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

// freePort returns the next free port above, below the range that the kernel assigns to outgoing
// connections.
func freePort(t *testing.T, above int) int {
	t.Helper()

	var lc net.ListenConfig
	for port := above + 1; port < 32768; port++ {
		if listener, err := lc.Listen(
			t.Context(),
			"tcp",
			fmt.Sprint("127.0.0.1:", port),
		); err == nil {
			_ = listener.Close()
			return port
		}
	}

	t.Fatal("there is no free port")

	return 0
}

// takesPart waits until the instance has consumed messages of the topic since it started.
func takesPart(t *testing.T, parts devstack.Config, name, topic string) {
	t.Helper()
	stacktest.Await(
		t,
		stacktest.Patience,
		name+" to consume "+topic,
		func(ctx context.Context) error {
			answer, err := stacktest.Send(ctx, stacktest.Request{URL: parts.URL(name) + "/metrics"})
			if err != nil {
				return err
			}

			for line := range strings.Lines(answer.Body) {
				value := strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:])
				if n, err := strconv.ParseFloat(
					value,
					64,
				); err == nil && n > 0 && strings.HasPrefix(line, "broker_messages_total{") &&
					strings.Contains(line, `outcome="consumed"`) &&
					strings.Contains(line, "/"+topic+`"`) {
					return nil
				}
			}

			return errors.New("it has consumed none")
		},
	)
}

// crowd is a careful client of several users: each request has one event of each user, and is sent
// when the previous request is acknowledged.
type crowd struct {
	*client

	campaign string
	users    []string
	sent     []string // ids of requests in their order; the worker's until it has stopped
}

func (c *crowd) eventID(request string, user int) string {
	return fmt.Sprintf("%s-%d", request, user)
}

func (c *crowd) post(ctx context.Context, id string) (stacktest.Answer, error) {
	if len(c.sent) == 0 || c.sent[len(c.sent)-1] != id {
		c.sent = append(c.sent, id)
	}

	var events []string
	for i, user := range c.users {
		events = append(
			events,
			fmt.Sprintf(
				`{"event_id":%q,"user_id":%q,"event_type":"purchase","campaign_id":%q,"metadata":{"amount":10.00}}`,
				c.eventID(id, i),
				user,
				c.campaign,
			),
		)
	}

	answer, err := stacktest.Send(
		ctx,
		stacktest.Request{
			URL:  stack.Tracking + "/api/v1/tracking/events/batch",
			Body: `{"events":[` + strings.Join(events, ",") + `]}`,
		},
	)
	if err == nil && answer.Status == http.StatusOK &&
		strings.Count(answer.Body, `"recorded"`)+strings.Count(answer.Body, `"duplicate"`) != len(events) {
		answer.Status = http.StatusServiceUnavailable // not all of them: the same request again
	}

	return answer, err
}

// crowds starts a number of clients, each of a number of users.
func crowds(t *testing.T, campaign string, clients, users int) []*crowd {
	t.Helper()

	var all []*crowd
	for range clients {
		c := &crowd{campaign: campaign}
		for range users {
			c.users = append(c.users, stacktest.Unique("user"))
		}

		c.client = run(t, 1, c.post)
		all = append(all, c)
	}

	return all
}

// goOn waits until each client has received 20 more acknowledgements.
func goOn(t *testing.T, all []*crowd) {
	t.Helper()

	for _, c := range all {
		c.goesOn(t, 20)
	}
}

// hold keeps every instance from writing to a table, and so from committing what it has decided.
type hold struct{ tx pgx.Tx }

func holdWriters(t *testing.T, table string) hold {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), stack.CommissionDB)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })

	tx, err := conn.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), "LOCK TABLE "+table+" IN SHARE ROW EXCLUSIVE MODE")
	}

	if err != nil {
		t.Fatal(err)
	}

	return hold{tx}
}

// waits returns when at least the given number of transactions wait: to write, or for a user whom
// one of these has locked, like an instance that was just assigned the other's partition.
func (h hold) waits(t *testing.T, writers int) {
	t.Helper()
	stacktest.Await(
		t,
		stacktest.Patience,
		"transactions that wait",
		func(ctx context.Context) error {
			var n int

			err := h.tx.QueryRow(
				ctx,
				"SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted",
			).Scan(&n)
			if err == nil && n < writers {
				err = fmt.Errorf("%d of %d", n, writers)
			}

			return err
		},
	)
}

func (h hold) commit(t *testing.T) {
	t.Helper()

	if err := h.tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Three instances share the partitions. While events of many users come in, partitions move to
// instances that start, and each instance in turn is killed, with batches in its hands that it has
// not stored, and comes back. Every event is decided once, and those of a user in the order in
// which they were sent: by the order of the ledger's rows, and by what each decision found: the
// volume of all purchases before it.
//
//nolint:paralleltest // it kills a service that all tests share
func TestThreeReplicasShareThePartitions(t *testing.T) {
	campaign := stacktest.Unique("campaign")
	stacktest.Want(
		t,
		http.StatusCreated,
		stacktest.Request{URL: stack.Commission + "/api/v1/commission/rules", Body: fmt.Sprintf(
			`{"name":"volume counts","event_type":"purchase","campaign_id":%q,"currency":"USD","effective_from":"2000-01-01T00:00:00Z",
		  "formula":{"kind":"graduated","period":"lifetime","tiers":[{"from":0,"rate":0.1}]}}`,
			campaign,
		)},
		nil,
	)
	load := crowds(t, campaign, 4, 10)
	goOn(t, load)

	parts, names := replicated(t, "commission", 3)
	for _, name := range names[1:] {
		takesPart(t, parts, name, stacktest.TrackingEvents)
	}

	for _, name := range names {
		held := holdWriters(t, "decisions")
		goOn(t, load)
		held.waits(t, len(names))

		if err := parts.Kill(t.Context(), name); err != nil {
			t.Fatal(err)
		}

		held.commit(t)
		goOn(t, load)
		started(t, parts, name)
		takesPart(t, parts, name, stacktest.TrackingEvents)
		goOn(t, load)
	}

	decidedInOrder(t, campaign, load)
}

// decidedInOrder stops the clients and compares the acknowledged events with the decided ones.
func decidedInOrder(t *testing.T, campaign string, load []*crowd) {
	t.Helper()

	want, events := map[string][]string{}, 0 // event ids by user
	for _, c := range load {
		c.stopped()

		if len(c.sent) != len(c.acknowledged) {
			t.Errorf("%d requests were acknowledged of %d", len(c.acknowledged), len(c.sent))
		}

		for i, user := range c.users {
			for _, id := range c.sent {
				want[user] = append(want[user], c.eventID(id, i))
				events++
			}
		}
	}

	took := stacktest.Await(
		t,
		stacktest.Patience,
		"all decisions",
		func(ctx context.Context) error {
			n, err := stacktest.Count(
				ctx,
				stack.CommissionDB,
				"SELECT count(*) FROM decisions WHERE campaign_id = $1",
				campaign,
			)
			if err == nil && n < int64(events) {
				err = fmt.Errorf("%d of %d", n, events)
			}

			return err
		},
	)
	got := ledgerOrder(t, campaign)

	var published map[string][]string
	for user, ids := range want {
		if slices.Equal(got[user], ids) {
			continue
		}

		if published == nil {
			published = firsts(t, campaign)
		}

		t.Errorf(
			"user %s: %d events acknowledged, %d in the ledger: %s; published: %s",
			user,
			len(ids),
			len(got[user]),
			runs(got[user], ids),
			runs(published[user], ids),
		)
	}

	n, err := stacktest.Count(
		t.Context(),
		stack.CommissionDB,
		"SELECT count(*) FROM decisions WHERE campaign_id = $1",
		campaign,
	)
	if err != nil || n != int64(events) || len(got) != len(want) {
		t.Errorf(
			"%d decisions about %d events, %d users of %d, %v",
			n,
			events,
			len(got),
			len(want),
			err,
		)
	}

	t.Logf(
		"%d events of %d users, each decided once and in order; the last decision came %s after the load",
		events,
		len(want),
		took.Round(time.Millisecond),
	)
}

// runs describes an order by the positions that the events have in another: "1-500 502-600 501".
func runs(order, other []string) string {
	places := make(map[string]int, len(other))
	for i, id := range other {
		places[id] = i + 1
	}

	var text []string
	for i := 0; i < len(order); {
		first := places[order[i]]

		n := 1
		for i+n < len(order) && places[order[i+n]] == first+n {
			n++
		}

		text = append(text, fmt.Sprintf("%d-%d", first, first+n-1))
		i += n
	}

	return strings.Join(text, " ")
}

// firsts returns the events of each user in the order in which they were published, each by its
// first message.
func firsts(t *testing.T, campaign string) map[string][]string {
	t.Helper()

	order, known := map[string][]string{}, map[string]bool{}
	for _, m := range stack.Messages(t, stacktest.TrackingEvents) {
		id := m.Properties["event_id"]
		if !strings.Contains(m.Payload, campaign) || known[id] {
			continue
		}

		known[id] = true
		order[m.Key] = append(order[m.Key], id)
	}

	return order
}

// ledgerOrder returns the events of each user in the order of the ledger. Its numbers are assigned
// under the user's lock, so they are the order of commit. decided_at is not: a batch shares one.
func ledgerOrder(t *testing.T, campaign string) map[string][]string {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), stack.CommissionDB)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()

	rows, err := conn.Query(t.Context(), `
SELECT d.user_id, d.event_id, coalesce(d.position_minor, 0), l.amount_minor
FROM decisions AS d JOIN commissions AS c USING (event_id) JOIN ledger AS l
    ON l.commission_id = c.id
WHERE d.campaign_id = $1 AND (l.from_account, l.to_account) = ('programme', 'available')
    ORDER BY l.id`, campaign)
	if err != nil {
		t.Fatal(err)
	}

	got := map[string][]string{}

	var (
		user, id         string
		position, amount int64
	)
	if _, err := pgx.ForEachRow(rows, []any{&user, &id, &position, &amount}, func() error {
		if before := int64(len(got[user])) * 1000; position != before || amount != 100 {
			t.Errorf(
				"event %s of user %s found a volume of %d and earned %d, want %d and 100",
				id,
				user,
				position,
				amount,
				before,
			)
		}

		got[user] = append(got[user], id)

		return nil
	}); err != nil {
		t.Fatal(err)
	}

	return got
}
