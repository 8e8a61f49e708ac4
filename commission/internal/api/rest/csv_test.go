package rest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/platform/httpapi"
	"tributary/platform/money"
)

// sink receives an answer: it counts, measures the heap from time to time, and may hang up.
type sink struct {
	header      http.Header
	lines, size int
	hangsUp     int // after this number of bytes; 0 never
	looked      int
	most        int // of live heap, in bytes
}

var errGone = errors.New("the client is gone")

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(int)     {}

func (s *sink) Write(p []byte) (int, error) {
	if s.hangsUp > 0 && s.size > s.hangsUp {
		return 0, errGone
	}

	s.lines += bytes.Count(p, []byte("\n"))

	s.size += len(p)
	if s.size >= s.looked+1<<20 {
		s.looked = s.size
		s.most = max(s.most, liveHeap())
	}

	return len(p), nil
}

func liveHeap() int {
	runtime.GC()

	var m runtime.MemStats
	runtime.ReadMemStats(&m)

	return int(m.HeapAlloc)
}

// many stores a number of commissions at once, bypassing the use cases: only the rows matter.
func (s service) many(t *testing.T, rows int) {
	t.Helper()

	s.unguarded(t, `
INSERT INTO commissions (id, event_id, user_id, campaign_id, event_type, kind, status,
    base_minor, rate, amount_minor, currency, rule_id, rule_version, available_at, occurred_at,
        created_at)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'event-' || n,
    'user-' || n % 500, 'campaign-' || n % 20, 'purchase', 'earning', 'approved', n * 10, '0.1',
        n, 'USD',
       '00000000-0000-7000-8000-000000000001', 1, $2, $2, $2
FROM generate_series(1, $1) AS n`, rows, start())
}

// unguarded runs a statement past the guards of the database, which let no commission in without
// its transfer.
func (s service) unguarded(t *testing.T, sql string, args ...any) {
	t.Helper()

	conn, err := pgx.Connect(t.Context(), s.db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = conn.Close(t.Context()) }()

	if _, err := conn.Exec(t.Context(), "SET session_replication_role = replica"); err != nil {
		t.Fatal(err)
	}

	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func export(ctx context.Context, t *testing.T, url string) *http.Request {
	t.Helper()

	r, err := http.NewRequestWithContext(
		ctx,
		http.MethodGet,
		url+rest.Base+"/commissions",
		http.NoBody,
	)
	if err != nil {
		t.Fatal(err)
	}

	r.Header.Set("Accept", "text/csv")

	return r
}

//nolint:paralleltest // it measures the process's memory
func TestCSVTakesOnePageOfMemory(t *testing.T) {
	const rows = 200_000
	s := setup(t)
	s.many(t, rows)
	get := func(to *sink) (pages int64) {
		to.header = http.Header{}
		before := s.db.Pool.Stat().AcquireCount()
		s.handler.ServeHTTP(to, export(t.Context(), t, ""))

		return (s.db.Pool.Stat().AcquireCount() - before) / 2 // the rows, and their payments
	}
	liveHeap() // the second one frees what set-up has left in pools
	before := liveHeap()

	whole := &sink{}
	if pages := get(whole); whole.lines != rows+1 || whole.size < 40<<20 || pages < 200 {
		t.Errorf("%d lines of %d bytes in %d pages", whole.lines, whole.size, pages)
	}

	t.Logf(
		"%d bytes written; the live heap was %d bytes before, and at most %d meanwhile",
		whole.size,
		before,
		whole.most,
	)

	if whole.most == 0 || whole.most-before > 3<<20 {
		t.Errorf("the live heap grew by %d bytes", whole.most-before)
	}

	gone := &sink{hangsUp: 1 << 20}
	if pages := get(gone); gone.size > 2<<20 || pages > 10 {
		t.Errorf("%d pages were read for a client that hung up after %d bytes", pages, gone.size)
	}

	if n := s.db.Pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections are still in use", n)
	}
}

// The query waits for a lock when the client leaves.
func TestAQueryEndsWithItsClient(t *testing.T) {
	t.Parallel()
	s := setup(t)
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)

	owner, err := pgx.Connect(t.Context(), s.db.OwnerURL)
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = owner.Close(context.WithoutCancel(t.Context())) })

	lock, err := owner.Begin(t.Context())
	if err == nil {
		_, err = lock.Exec(t.Context(), "LOCK TABLE commissions")
	}

	if err != nil {
		t.Fatal(err)
	}

	waiting := func(want int) {
		t.Helper()

		var (
			n    int
			used int32
		)
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
			if err := lock.QueryRow(
				t.Context(),
				"SELECT count(*) FROM pg_locks WHERE relation = 'commissions'::regclass AND NOT granted",
			).Scan(&n); err != nil {
				t.Fatal(err)
			}

			if used = s.db.Pool.Stat().AcquiredConns(); n == want && int(used) == want {
				return
			}
		}

		t.Fatalf("%d queries wait, %d connections are in use, want %d", n, used, want)
	}

	ctx, goAway := context.WithCancel(t.Context())
	defer goAway()

	request, ended := export(ctx, t, server.URL), make(chan error, 1)
	go func() {
		answer, err := server.Client().Do(request)
		if err == nil {
			err = answer.Body.Close()
		}

		ended <- err
	}()
	waiting(1)
	goAway()
	waiting(0)

	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the client got %v", err)
	}
}

// Texts that callers chose are no formulas in a spreadsheet; our numbers stay numbers.
func TestCSVIsHarmless(t *testing.T) {
	t.Parallel()
	s := setup(t)

	evil := []string{
		`=1+1,"x"`, "+1", "-2+3", "@user", "\tx", "\rx", "\nx", " =1+1", "\u00a0\u200b=1", "＝1+1", "＋1",
		"－1", "＠x", "x;=1+2", "x; @y", "x\t=1", "x\n=1", "a-b=c; d",
	}
	harmless := map[string]string{
		"x;=1+2": "x;'=1+2", "x; @y": "x;' @y", "x\t=1": "x\t'=1", "x\n=1": "x\n'=1",
		"a-b=c; d": "a-b=c; d",
	}

	for i, text := range evil {
		s.unguarded(t, `
INSERT INTO commissions (id, event_id, user_id, campaign_id, product_id, order_id, kind, status,
    base_minor, amount_minor, currency, reason, available_at, occurred_at, created_at)
VALUES ($1, $2, $2, $2, $2, $2, 'adjustment', 'approved', -1234, -567, 'USD', $2, $3, $3, $3)`, fmt.Sprintf("00000000-0000-7000-8000-%012d", len(evil)-i), text, start())
	}

	a := s.call(t, "GET", "/commissions", "", "Accept", "text/csv").want(t, 200)
	if kind := a.header.Get("Content-Type"); kind != "text/csv; charset=utf-8; header=present" {
		t.Errorf("type %s", kind)
	}

	rows, err := csv.NewReader(strings.NewReader(a.text)).ReadAll()
	if err != nil || len(rows) != len(evil)+1 {
		t.Fatalf("%v: %d rows in %s", err, len(rows), a.text)
	}

	for i, text := range evil {
		exported := cmp.Or(harmless[text], "'"+text)
		for column, want := range map[string]string{
			"event_id": exported, "user_id": exported, "campaign_id": exported, "product_id": exported, "order_id": exported, "reason": exported,
			"base_amount": "-12.34", "base_amount_minor": "-1234", "amount": "-5.67", "amount_minor": "-567",
		} {
			if got := rows[i+1][slices.Index(rows[0], column)]; got != want {
				t.Errorf("%s of %q is %q, want %q", column, text, got, want)
			}
		}
	}

	if b := s.call(
		t,
		"GET",
		"/commissions",
		"",
		"Accept",
		"application/json, text/csv",
	); !strings.HasPrefix(b.header.Get("Content-Type"), "application/json") {
		t.Errorf("JSON first: %s", b.header)
	}
}

// endless is a store whose lists never return a second page.
type endless struct {
	query.CommissionReader
	query.PaymentReader

	reading chan struct{}
}

func (e endless) List(
	ctx context.Context,
	_ query.Owner,
	_ query.CommissionFilter,
	slice query.Slice,
) ([]commission.Snapshot, error) {
	if slice.After == "" {
		usd, err := money.ParseCurrency("USD")
		row := commission.Snapshot{
			ID:     "id",
			Base:   money.FromMinor(1, usd),
			Amount: money.FromMinor(1, usd),
		}

		return slices.Repeat([]commission.Snapshot{row}, slice.Limit), err
	}

	e.reading <- struct{}{}
	<-ctx.Done()

	return nil, ctx.Err()
}

func (endless) Payments(
	context.Context,
	query.Owner,
	[]string,
) (map[string]query.Payment, error) {
	return nil, nil
}

// The exports of one slow caller are bounded, and do not affect other callers.
func TestSlowReadersAreBoundedByCaller(t *testing.T) {
	t.Parallel()

	type user struct{}
	store := endless{reading: make(chan struct{})}
	api := httpapi.New(httpapi.Config{
		Service:    "commission",
		Title:      "Commission",
		Version:    "test",
		HealthPath: "/health",
		Health:     httpapi.NewHealth("commission"),
		Logger:     slog.New(slog.DiscardHandler),
		Metrics:    prometheus.NewRegistry(),
		Now:        time.Now,
		Caller:     func(ctx context.Context) string { name, _ := ctx.Value(user{}).(string); return name },
	})
	rest.Register(api.Huma, rest.UseCases{
		ListCommissions: query.NewListCommissions(store),
		GetPayments:     query.NewGetPayments(store),
		Now:             time.Now,
	})

	ctx, leave := context.WithCancel(t.Context())
	defer leave()

	statuses := make(chan int, 200)
	begin := func(name string) {
		w := httptest.NewRecorder()
		r := export(context.WithValue(ctx, user{}, name), t, "")

		go func() {
			defer func() { // the stream is aborted
				_ = recover()
				statuses <- w.Code
			}()

			api.Router.ServeHTTP(w, r)
		}()
	}

	for range 100 {
		begin("slow")
	}

	for range 12 {
		<-store.reading
	}

	begin("other")
	<-store.reading

	got := map[int]int{}

	for range 100 - 12 {
		got[<-statuses]++
	}

	if got[http.StatusServiceUnavailable] != 100-12 {
		t.Errorf("the lists too many are answered %v", got)
	}

	leave()

	for range 12 + 1 {
		<-statuses
	}
}
