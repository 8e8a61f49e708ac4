package faults_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tributary/e2e/stacktest"
)

// unavailable sends the request and expects a 503 problem with Retry-After, in time.
func unavailable(t *testing.T, request stacktest.Request, within time.Duration, codes ...string) {
	t.Helper()
	answer := stacktest.Do(t, request)
	p := answer.Problem(t)

	known := false
	for _, code := range codes {
		known = known || p.Code == code
	}

	if p.Status != 503 || !known || answer.Header.Get("Retry-After") == "" || answer.Took > within {
		t.Errorf(
			"%s = %d %s after %s with Retry-After %q, want 503 with one of %v and Retry-After within %s",
			request.URL,
			p.Status,
			p.Code,
			answer.Took.Round(time.Millisecond),
			answer.Header.Get("Retry-After"),
			codes,
			within,
		)
	}
}

// The broker goes away while events come in: intake goes on, /readyz tells, commands are refused in
// time, and everything is made good when it is back, without a restart.
//
//nolint:paralleltest // it stops the broker that all tests share
func TestBrokerAway(t *testing.T) {
	user := stacktest.Unique("user")
	load := purchases(t, user)
	load.goesOn(t, 100)
	stop(t, stack.Parts.Stop, "pulsar")
	notReady(t, stack.Tracking, "broker")
	notReady(t, stack.BFF, "broker")

	command := stacktest.Request{
		URL:   stack.BFF + "/api/v1/campaigns/camp123/accept",
		Body:  `{"accepted_terms": true}`,
		Token: stack.Token(t, user),
	}
	for range 3 {
		unavailable(t, command, 2*time.Second, "broker_unavailable", "publish_outcome_unknown")
	}

	load.goesOn(t, 300)
	stacktest.Want(t, 200, stacktest.Request{URL: stack.Tracking + "/api/v1/tracking/health"}, nil)
	stacktest.Want(
		t,
		200,
		stacktest.Request{URL: stack.Commission + "/api/v1/commission/commissions"},
		nil,
	)

	start(t, "pulsar")

	for _, url := range []string{stack.Tracking, stack.Commission, stack.BFF} {
		ready(t, url, stacktest.Patience)
	}

	stacktest.Want(t, 202, command, nil)

	if refused := load.refusals(); len(refused) > 0 {
		t.Errorf("tracking refused events while the broker was away, by status: %v", refused)
	}

	checkDecided(t, user, load)
}

//nolint:paralleltest // it stops a database that all tests share
func TestTrackingDatabaseAway(t *testing.T) {
	user := stacktest.Unique("user")
	load := purchases(t, user)
	load.goesOn(t, 100)
	stop(t, stack.Parts.Stop, "tracking-db")
	notReady(t, stack.Tracking, "database")
	unavailable(t, stacktest.Request{
		URL:  stack.Tracking + "/api/v1/tracking/events",
		Body: `{"user_id": "` + user + `-other", "event_type": "lead"}`,
	}, 5*time.Second, "database_unavailable", "outcome_unknown")
	unavailable(
		t,
		stacktest.Request{URL: stack.Tracking + "/api/v1/tracking/events/x"},
		5*time.Second,
		"database_unavailable",
	)
	unavailable(
		t,
		stacktest.Request{URL: stack.Tracking + "/api/v1/tracking/health"},
		5*time.Second,
		"not_ready",
	)
	stacktest.Want(t, 200, stacktest.Request{URL: stack.Tracking + "/livez"}, nil)
	stacktest.Want(t, 200, stacktest.Request{URL: stack.Commission + "/readyz"}, nil)

	start(t, "tracking-db")
	ready(t, stack.Tracking, 30*time.Second)
	load.goesOn(t, 100)
	checkDecided(t, user, load)
}

//nolint:paralleltest // it stops a database that all tests share
func TestCommissionDatabaseAway(t *testing.T) {
	user := stacktest.Unique("user")
	load := purchases(t, user)
	load.goesOn(t, 100)
	stop(t, stack.Parts.Stop, "commission-db")
	notReady(t, stack.Commission, "database")
	unavailable(
		t,
		stacktest.Request{URL: stack.Commission + "/api/v1/commission/commissions"},
		5*time.Second,
		"database_unavailable",
	)
	load.goesOn(t, 300)
	stacktest.Want(t, 200, stacktest.Request{URL: stack.Tracking + "/readyz"}, nil)

	start(t, "commission-db")
	ready(t, stack.Commission, 30*time.Second)

	if refused := load.refusals(); len(refused) > 0 {
		t.Errorf(
			"tracking refused events while the other database was away, by status: %v",
			refused,
		)
	}

	checkDecided(t, user, load)
}

//nolint:paralleltest // it kills services that all tests share
func TestServiceKilled(t *testing.T) {
	for _, name := range []string{"tracking", "commission"} {
		t.Run(name, func(t *testing.T) {
			user := stacktest.Unique("user")
			load := purchases(t, user)
			load.goesOn(t, 200)
			stop(t, stack.Parts.Kill, name)
			start(t, name)
			load.goesOn(t, 200)
			checkDecided(t, user, load)
		})
	}
}

// Whatever the tests before have done: the stack still does its job.
//
//nolint:paralleltest // it comes last
func TestStackHasRecovered(t *testing.T) {
	user := stacktest.Unique("user")
	begin := time.Now()
	stacktest.Want(t, 201, stacktest.Request{
		URL:  stack.Tracking + "/api/v1/tracking/events",
		Body: `{"user_id": "` + user + `", "event_type": "purchase", "metadata": {"amount": 100.0}}`,
	}, nil)
	stacktest.Await(t, 2*time.Second, "the commission", func(context.Context) error {
		//nolint:contextcheck // it uses the test's
		if rows := commissions(t, user); len(rows) != 1 || rows[0].AmountMinor != 1000 {
			return fmt.Errorf("rows %+v", rows)
		}

		return nil
	})
	t.Logf(
		"accepted and committed as a commission within %s",
		time.Since(begin).Round(time.Millisecond),
	)
}
