package rest_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/query"
	"tributary/platform/httpapi"
)

// A handler that reads is given queries, each of which takes its caller, and never a port: neither
// one of reading, which would leave ownership to the handler, nor one of writing.
func TestHandlersAreGivenNoPorts(t *testing.T) {
	t.Parallel()

	caller := reflect.TypeFor[query.Caller]()

	uses := reflect.TypeFor[rest.UseCases]()
	for i := range uses.NumField() {
		field := uses.Field(i)
		if field.Type.Kind() == reflect.Interface {
			t.Errorf("%s is a port", field.Name)
		}

		if field.Type.Kind() != reflect.Pointer || field.Type.Elem().PkgPath() != caller.PkgPath() {
			continue
		}

		for m := range field.Type.NumMethod() {
			method := field.Type.Method(m)

			reads := method.Type.NumIn() > 1 && method.Type.In(1) == reflect.TypeFor[context.Context]()
			if reads && (method.Type.NumIn() < 3 || method.Type.In(2) != caller) {
				t.Errorf("%s.%s does not take the caller after the context", field.Name, method.Name)
			}
		}
	}
}

// Every read of a route that forgets whose data it may read: it has no Owner but the zero one, and
// no Caller but the zero one, which see nothing.
func TestARouteThatForgetsOwnershipReadsNothing(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.decide(t, purchase("e", "u", "100"))
	id := s.call(t, "GET", "/commissions", "").str("data.0.id")
	payout := s.pay(t, "u", 100)

	for name, read := range s.reads(id, payout) {
		forgetful := s.route(t, func(ctx context.Context) (int, error) {
			return read(ctx, query.Owner{})
		})
		if forgetful != "0" && !strings.Contains(forgetful, "not_found") {
			t.Errorf("%s without an owner reads %s", name, forgetful)
		}

		for what, caller := range map[string]query.Caller{
			"nobody":  {},
			"another": query.OneUser("v"),
		} {
			got := s.route(t, func(ctx context.Context) (int, error) { return read(ctx, caller.Owner()) })
			if got != "0" && !strings.Contains(got, "not_found") {
				t.Errorf("%s for %s reads %s", name, what, got)
			}
		}

		for _, caller := range []query.Caller{query.OneUser("u"), query.Everything()} {
			got := s.route(t, func(ctx context.Context) (int, error) { return read(ctx, caller.Owner()) })
			if got != "1" {
				t.Errorf("%s for its owner reads %s", name, got)
			}
		}
	}
}

// reads calls the read ports for what u has: one commission with its decision, and one payout.
func (s service) reads(id, payout string) map[string]func(context.Context, query.Owner) (int, error) {
	at := func(_ any, err error) (int, error) { return 1, err }

	return map[string]func(context.Context, query.Owner) (int, error){
		"commission": func(ctx context.Context, o query.Owner) (int, error) {
			return at(s.store.Commission(ctx, o, id))
		},
		"decision": func(ctx context.Context, o query.Owner) (int, error) {
			return at(s.store.Decision(ctx, o, "e"))
		},
		"payout": func(ctx context.Context, o query.Owner) (int, error) {
			return at(s.store.Payouts().Payout(ctx, o, payout))
		},
		"commissions": func(ctx context.Context, o query.Owner) (int, error) {
			rows, err := s.store.List(ctx, o, query.CommissionFilter{UserID: "u"}, query.Slice{Limit: 9})
			return len(rows), err
		},
		"summary": func(ctx context.Context, o query.Owner) (int, error) {
			by := query.Grouping{By: []query.Dimension{query.ByCurrency}}
			groups, err := s.store.Summary(ctx, o, query.CommissionFilter{}, by, 9, nil)

			return len(groups), err
		},
		"payouts": func(ctx context.Context, o query.Owner) (int, error) {
			rows, err := s.store.Payouts().
				Payouts(ctx, o, query.PayoutFilter{}, 9, query.Position{})

			return len(rows), err
		},
		"balances": func(ctx context.Context, o query.Owner) (int, error) {
			rows, err := s.store.Liabilities().Balances(ctx, o)
			return len(rows), err
		},
		"all balances": func(ctx context.Context, o query.Owner) (int, error) {
			rows, err := s.store.Liabilities().
				ListBalances(ctx, o, query.BalanceFilter{}, 9, query.BalancePosition{})

			return len(rows), err
		},
		"payments": func(ctx context.Context, o query.Owner) (int, error) {
			rows, err := s.store.Payments().Payments(ctx, o, []string{id})
			return len(rows), err
		},
		"items": func(ctx context.Context, o query.Owner) (int, error) {
			rows, err := s.store.Payments().Items(ctx, o, payout, 9, query.ItemPosition{})
			return len(rows), err
		},
		"ledger": func(ctx context.Context, o query.Owner) (int, error) {
			filter := query.LedgerFilter{CommissionID: id}
			rows, err := s.store.Transfers(ctx, o, filter, 9, query.Position{})

			return len(rows), err
		},
		"shares": func(ctx context.Context, o query.Owner) (int, error) {
			rows, err := s.store.Payments().Shares(ctx, o, id, 9, query.Position{})
			return len(rows), err
		},
	}
}

// route adds a read route to an API of its own, and returns what it answers.
func (s service) route(t *testing.T, read func(context.Context) (int, error)) string {
	t.Helper()

	type answer struct {
		Body struct {
			Rows int `json:"rows"`
		}
	}

	api := httpapi.New(httpapi.Config{
		Service:    "commission",
		Title:      "Commission",
		Version:    "1",
		HealthPath: rest.Base + "/health",
		Health:     httpapi.NewHealth("commission"),
		Logger:     slog.New(slog.DiscardHandler),
		Metrics:    prometheus.NewRegistry(),
		Now:        time.Now,
	})
	huma.Register(
		api.Huma,
		huma.Operation{OperationID: "new", Method: http.MethodGet, Path: rest.Base + "/new"},
		func(ctx context.Context, _ *struct{}) (*answer, error) {
			rows, err := read(ctx)
			a := &answer{}
			a.Body.Rows = rows

			return a, err
		},
	)

	s.handler = api.Router

	got := s.call(t, "GET", "/new", "")
	if got.status != http.StatusOK {
		return got.text
	}

	return fmt.Sprint(got.body["rows"])
}

// A cursor belongs to whose rows the list has: a partner does not go on with an operator's.
func TestACursorIsOfOneOwner(t *testing.T) {
	t.Parallel()
	s := secured(t)
	s.token = tokenOf(t, "staff", "operator")

	s.decide(t, purchase("e1", "u", "100"), purchase("e2", "u", "100"), purchase("e3", "v", "100"))

	first := s.pay(t, "u", 400)
	s.pay(t, "u", 400)
	both := s.pay(t, "u", 700)
	items := s.call(t, "GET", "/payouts/"+first+"/items", "").want(t, 200)

	for _, path := range []string{
		"/commissions?limit=1",
		"/commissions/" + items.str("data.0.commission_id") + "/payouts?limit=1",
		"/payouts?limit=1",
		"/payouts/" + both + "/items?limit=1",
		"/ledger?limit=1",
		"/balances?limit=1",
		"/events?limit=1",
		"/summary?limit=1&group_by=user_id",
	} {
		s.token = tokenOf(t, "staff", "operator")

		cursor := s.call(t, "GET", path, "").want(t, 200).str("next_cursor")
		if cursor == "" {
			t.Fatalf("%s has no second page", path)
		}

		next := path + "&cursor=" + url.QueryEscape(cursor)
		s.call(t, "GET", next, "").want(t, 200)

		s.token = tokenOf(t, "u", "partner")
		s.call(t, "GET", path, "").want(t, 200)

		if a := s.call(t, "GET", next, ""); a.str("code") != "cursor_invalid" {
			t.Errorf("%s: %s", path, a.text)
		}
	}
}
