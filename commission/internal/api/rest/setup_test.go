package rest_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/infrastructure/account"
	"tributary/commission/internal/infrastructure/payfile"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/contracts/eventtype"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/auth"
	"tributary/platform/auth/authtest"
	"tributary/platform/httpapi"
	"tributary/platform/money"
	"tributary/platform/sealed"
)

// service is the whole HTTP side over a database of its own, with a clock that stands still.
type service struct {
	handler http.Handler
	store   *postgres.Store
	consume *command.ConsumeEvents
	payouts *command.RequestPayout
	replay  *replay.Handler
	db      migrationstest.Database
	now     *atomic.Int64
	token   string // sent with every request unless empty
}

// newID returns increasing ids of the time at which the clock stands; the real time orders them.
func newID() string {
	id := uuid.Must(uuid.NewV7())
	order := binary.BigEndian.Uint64(id[:]) // 48 bits of time, 4 of the version, 12 more that rise
	binary.BigEndian.PutUint64(id[:], uint64(start().UnixMilli())<<16|7<<12)
	binary.BigEndian.PutUint64(id[8:], 1<<63|order>>16<<12|order&0xfff)

	return id.String()
}

// setup returns a service without authentication.
func setup(t *testing.T) service {
	t.Helper()
	return with(t, nil)
}

func with(t *testing.T, verifier *auth.Verifier) service {
	t.Helper()
	s := service{db: migrationstest.New(t, migrations.Commission()), now: &atomic.Int64{}}
	s.now.Store(start().UnixMicro())
	clock := func() time.Time { return time.UnixMicro(s.now.Load()) }
	s.store = postgres.New(s.db.Pool)
	s.consume = command.NewConsumeEvents(s.store, clock, newID)
	s.payouts = command.NewRequestPayout(s.store.Payouts(), nil, clock)

	s.replay = replay.New(replay.Dependencies{
		Store:   s.store,
		Replays: s.store.Replays(),
		Now:     clock,
		NewID:   newID,
		Logger:  slog.New(slog.DiscardHandler),
	})

	limit, err := money.ParseRate("999999")
	if err != nil {
		t.Fatal(err)
	}

	payer, faults := payfile.NewPayer("Müller & Söhne", "DE89 3704 0044 0532 0130 00", "COBADEFFXXX")
	if len(faults) > 0 {
		t.Fatal(faults)
	}

	api := httpapi.New(httpapi.Config{
		Service:    "commission",
		Title:      "Commission",
		Version:    "1",
		HealthPath: rest.Base + "/health",
		Health:     httpapi.NewHealth("commission"),
		Logger:     slog.New(slog.DiscardHandler),
		Metrics:    prometheus.NewRegistry(),
		Now:        clock,
		Middleware: []func(huma.Context, func(huma.Context)){auth.Middleware(verifier, auth.Limits{})},
	})
	rest.Register(api.Huma, rest.UseCases{
		GetCommission:   query.NewGetCommission(s.store),
		ListCommissions: query.NewListCommissions(s.store),
		GetDecision:     query.NewGetDecision(s.store),
		GetPayments:     query.NewGetPayments(s.store.Payments()),
		GetCoverage:     query.NewGetCoverage(s.store.Payments()),
		ListItems:       query.NewListPayoutItems(s.store.Payouts(), s.store.Payments()),
		ListShares:      query.NewListCommissionPayouts(s.store, s.store.Payments()),
		ActOnCommission: command.NewActOnCommission(s.store.Commissions()),
		ActInBulk:       command.NewActInBulk(s.store.Commissions(), s.store),
		Adjust:          command.NewAdjust(s.store.Commissions(), newID, &limit),
		ClosePayout:     command.NewClosePayout(s.store.Payouts()),
		ListPayouts:     query.NewListPayouts(s.store.Payouts()),
		GetPayout:       query.NewGetPayout(s.store.Payouts()),
		GetBalances:     query.NewGetBalances(s.store.Liabilities()),
		ListBalances:    query.NewListBalances(s.store.Liabilities()),
		Liabilities:     query.NewGetLiabilities(s.store.Liabilities(), clock),
		Statements:      query.NewStatements(s.store.Statements(), time.UTC, clock),
		ListLedger:      query.NewListLedger(s.store),
		ListAudit:       query.NewListAudit(s.store),
		Batches:         query.NewBatches(s.store.Batches()),
		CreateBatch:     command.NewCreateBatch(s.store.Batches(), newID, true),
		ApproveBatch:    command.NewApproveBatch(s.store.Batches(), true),
		SendBatch:       command.NewSendBatch(s.store.Batches()),
		CancelBatch:     command.NewCancelBatch(s.store.Batches()),
		CreateFile:      command.NewCreateFile(s.store.Batches(), payfile.Formats(payer, time.UTC), account.NewReader(ring(t).Open)),
		SettleBatch:     command.NewSettleBatch(s.store.Batches()),
		OpenAccount:     command.NewOpenAccount(s.store, account.NewReader(ring(t).Open)),
		Feed:            feedOf(t, s.store),
		PublishRule:     command.NewPublishRule(s.store, newID),
		RetireRule:      command.NewRetireRule(s.store),
		Rules:           query.NewRules(s.store),
		Explain:         query.NewExplain(s.store),
		Summarize:       query.NewSummarize(s.store),
		Replay:          s.replay,
		Replays:         query.NewReplays(s.store.Replays()),
		CancelReplay:    command.NewCancelReplay(s.store.Replays()),
		Zone:            berlin(t),
		Now:             clock,
	})
	s.handler = api.Router

	return s
}

// berlin is the programme's zone, although statements are tested in UTC.
func berlin(t *testing.T) *time.Location {
	t.Helper()

	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}

	return zone
}

// feedOf returns the feed, whose notifier runs until the test ends.
func feedOf(t *testing.T, store *postgres.Store) *eventlog.Feed {
	t.Helper()

	logger := slog.New(slog.DiscardHandler)
	notifier := eventlog.NewNotifier(store.EventLog(), 10*time.Millisecond, logger)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))

	var running sync.WaitGroup
	running.Go(func() { _ = notifier.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})

	return eventlog.NewFeed(store.EventLog(), notifier)
}

// ring returns the keys of account details.
func ring(t *testing.T) *sealed.Ring {
	t.Helper()

	keys, err := sealed.Load(sealed.Config{Keys: "k:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="})
	if err != nil {
		t.Fatal(err)
	}

	return keys
}

// secured returns a service that requires tokens.
func secured(t *testing.T) service {
	t.Helper()

	verifier, err := auth.New(
		t.Context(),
		auth.Config{
			Secret:            authtest.Secret,
			Algorithm:         "HS256",
			RequireValidation: true,
			Issuer:            "test-issuer",
			Audience:          "test-audience",
			Leeway:            30 * time.Second,
		},
		auth.Dependencies{Now: time.Now, Logger: slog.New(slog.DiscardHandler)},
	)
	if err != nil {
		t.Fatal(err)
	}

	return with(t, verifier)
}

// tokenOf returns a token of the user with the roles.
func tokenOf(t *testing.T, user string, roles ...string) string {
	t.Helper()

	claims := authtest.Claims(time.Now(), user)
	claims["roles"] = roles

	return authtest.HS256(t, authtest.Secret, claims)
}

// answer is a response; body is the decoded JSON.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

func (s service) call(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()

	r := httptest.NewRequestWithContext(
		t.Context(),
		method,
		rest.Base+path,
		strings.NewReader(body),
	)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}

	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}

	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}

	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)

	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	if strings.Contains(w.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(w.Body.Bytes(), &a.body); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, a.text)
		}
	}

	return a
}

// serve returns the body of the answer.
func (s service) serve(r *http.Request) string {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)

	return w.Body.String()
}

// want fails the test unless the status is as expected, and returns the answer.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()

	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.text)
	}

	return a
}

// str returns a member of the body, which may be nested: "data.0.id".
func (a answer) str(path string) string {
	var at any = a.body
	for step := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[step]
		case []any:
			if n := int(step[0] - '0'); n < len(v) {
				at = v[n]
			} else {
				at = nil
			}
		}
	}

	switch v := at.(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		text, _ := json.Marshal(v)
		return string(text)
	}
}

// decide passes events on as the consumer does.
func (s service) decide(t *testing.T, snapshots ...event.Snapshot) {
	t.Helper()

	var events []event.Event
	for _, f := range snapshots {
		if f.OccurredAt.IsZero() {
			f.OccurredAt = start().Add(-time.Hour)
		}

		f.ReceivedAt = start()

		e, err := event.New(f)
		if err != nil {
			t.Fatal(err)
		}

		events = append(events, e)
	}

	refused, err := s.consume.Handle(context.WithoutCancel(t.Context()), events)
	if err != nil || len(refused) > 0 {
		t.Fatalf("Handle: %v, %v", refused, err)
	}
}

func purchase(id, user, amount string) event.Snapshot {
	return event.Snapshot{ID: id, UserID: user, Type: eventtype.Purchase, Amount: amount}
}

func start() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
