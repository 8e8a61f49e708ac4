package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	client "github.com/prometheus/client_golang/prometheus"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
	domain "tributary/commission/internal/domain/replay"
	"tributary/commission/internal/infrastructure/postgres"
	"tributary/commission/internal/infrastructure/prometheus"
	"tributary/contracts/eventtype"
	"tributary/migrations"
	"tributary/migrations/migrationstest"
	"tributary/platform/money"
)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func start() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func clock() time.Time { return start() }

// figures returns all series that are not 0, one on a line.
func figures(t *testing.T, registry *client.Registry) []string {
	t.Helper()

	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}

	var lines []string
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}

			name := strings.TrimSuffix(
				strings.TrimPrefix(family.GetName(), "commission_"),
				"_total",
			)
			if h := m.GetHistogram(); h != nil {
				lines = append(
					lines,
					fmt.Sprintf("%s %d %g", name, h.GetSampleCount(), h.GetSampleSum()),
				)

				continue
			}

			lines = append(
				lines,
				fmt.Sprintf("%s %s %g", name, strings.Join(labels, " "), m.GetCounter().GetValue()),
			)
		}
	}

	return lines
}

func expect(t *testing.T, registry *client.Registry, want ...string) {
	t.Helper()

	got := slices.DeleteFunc(figures(t, registry), func(line string) bool {
		return line == "replayed_events  0"
	})
	if !slices.Equal(got, want) {
		t.Fatalf("figures\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// service is the use cases over a counted database.
type service struct {
	registry    *client.Registry
	store       *postgres.Store
	consume     *command.ConsumeEvents
	adjust      *command.Adjust
	commissions command.Commissions
	request     *command.RequestPayout
	closing     *command.ClosePayout
}

func setup(t *testing.T) service {
	t.Helper()
	s := service{
		registry: client.NewRegistry(),
		store:    postgres.New(migrationstest.New(t, migrations.Commission()).Pool),
	}
	counted := prometheus.New(s.registry, clock)
	s.consume = command.NewConsumeEvents(counted.Decisions(s.store), clock, newID)
	s.request = command.NewRequestPayout(counted.Payouts(s.store.Payouts()), nil, clock)
	s.closing = command.NewClosePayout(counted.Payouts(s.store.Payouts()))
	s.commissions = counted.Commissions(s.store.Commissions())
	s.adjust = command.NewAdjust(s.commissions, newID, nil)

	return s
}

func (s service) decide(t *testing.T, snapshots ...event.Snapshot) {
	t.Helper()

	var events []event.Event
	for _, f := range snapshots {
		f.UserID = "u"
		f.OccurredAt = start().Add(-time.Hour)
		f.ReceivedAt = start().Add(-2 * time.Second)

		e, err := event.New(f)
		if err != nil {
			t.Fatal(err)
		}

		events = append(events, e)
	}

	if refused, err := s.consume.Handle(t.Context(), events); err != nil || len(refused) > 0 {
		t.Fatalf("Handle = %v, %v", refused, err)
	}
}

// A repetition is counted once, and the labels are the words of the database.
func TestWhatIsCommittedIsCountedOnce(t *testing.T) {
	t.Parallel()
	s := setup(t)
	early := event.Snapshot{ID: "r", Type: eventtype.Refund, OriginalID: "p"}
	sale := event.Snapshot{ID: "p", Type: eventtype.Purchase, Amount: "100"}
	lead := event.Snapshot{ID: "l", Type: eventtype.Lead}
	s.decide(t, early, lead)
	s.decide(t, early, lead, lead)
	expect(
		t,
		s.registry,
		"decision_lag_seconds 2 4",
		"decisions not_commissioned no_rule 1",
		"decisions parked original_unknown 1",
	)
	s.decide(t, sale, early, sale)
	s.decide(t, sale, early, lead)
	decided := []string{
		"decision_lag_seconds 3 6",
		"decisions commissioned clawed_back 1",
		"decisions commissioned rule_applied 1",
		"decisions not_commissioned no_rule 1",
		"decisions parked original_unknown 1",
	}
	expect(
		t,
		s.registry,
		append(
			[]string{
				"commissions clawback approved 1",
				"commissions earning approved 1",
				"commissions earning reversed 1",
			},
			decided...)...)

	request := change.Request{
		Actor:  "a",
		Reason: "r",
		Now:    start(),
		Key:    "k",
		Render: func(any) ([]byte, error) { return []byte("{}"), nil },
	}
	for range 2 {
		_, err := s.adjust.Handle(
			t.Context(),
			request,
			command.Adjustment{UserID: "u", Amount: "5", Currency: "USD"},
		)

		var replayed *change.ReplayedError
		if err != nil && !errors.As(err, &replayed) {
			t.Fatal(err)
		}
	}

	paid, refused := newID(), newID()
	for range 2 {
		for id, minor := range map[string]int64{paid: 500, refused: 1_000_000} {
			if _, err := s.request.Handle(
				t.Context(),
				payout.Wanted{
					ID:          id,
					UserID:      "u",
					Amount:      money.FromMinor(minor, money.USD()),
					Method:      "paypal",
					RequestedAt: start(),
				},
			); err != nil {
				t.Fatal(err)
			}
		}

		_, err := s.closing.Handle(
			t.Context(),
			change.Request{Actor: "a", Reason: "r", Now: start()},
			command.Closing{ID: paid, To: payout.Completed},
		)
		if err != nil && !strings.Contains(err.Error(), "transition_refused") {
			t.Fatal(err)
		}
	}

	expect(t, s.registry, slices.Concat(
		[]string{
			"commissions adjustment approved 1",
			"commissions clawback approved 1",
			"commissions earning approved 1",
			"commissions earning reversed 1",
		},
		decided,
		[]string{"payouts completed 1", "payouts rejected 1", "payouts requested 1"},
	)...)
}

// The broken stores store nothing.
type (
	brokenInbox   struct{ command.Decisions } // and decides twice
	brokenRows    struct{ command.Commissions }
	brokenPayouts struct{ command.Payouts }
	brokenReplays struct{ replay.Store }
)

var errBroken = errors.New("database away")

func (brokenInbox) Decide(
	_ context.Context,
	_ []event.Event,
	decide func(command.DecisionState) (command.DecisionChanges, error),
) error {
	for range 2 {
		if _, err := decide(command.DecisionState{}); err != nil {
			return err
		}
	}

	return errBroken
}

func (brokenRows) Update(
	context.Context,
	change.Request,
	string,
	func(*commission.Commission) (change.Outcome, error),
) error {
	return errBroken
}

func (brokenRows) UpdateDue(
	context.Context,
	time.Time,
	int,
	func(*commission.Commission) (effect.Effect, error),
) (int, error) {
	return 3, errBroken
}

func (brokenPayouts) Update(
	context.Context,
	change.Request,
	string,
	func(*payout.Payout, *batch.Batch) (change.Outcome, error),
) error {
	return errBroken
}

func (brokenReplays) Post(
	_ context.Context,
	_ replay.Claim,
	_ []string,
	fn func(*domain.Replay, []replay.History) (replay.Posting, error),
) ([]commission.Snapshot, error) {
	posting, err := fn(&domain.Replay{}, nil)
	if err == nil {
		err = errBroken
	}

	return posting.Adjustments, err
}

func TestWhatIsNotCommittedIsNotCounted(t *testing.T) {
	t.Parallel()
	registry := client.NewRegistry()
	m := prometheus.New(registry, clock)
	made := []commission.Snapshot{
		{Kind: commission.Adjustment, Status: commission.Approved},
	}
	results := map[string]error{
		"decide": m.Decisions(brokenInbox{}).Decide(
			t.Context(),
			nil,
			func(command.DecisionState) (command.DecisionChanges, error) {
				return command.DecisionChanges{
					Decisions:   make([]command.Decided, 1),
					Commissions: made,
				}, nil
			},
		),
	}
	results["act"] = m.Commissions(brokenRows{}).Update(t.Context(), change.Request{}, "c", nil)
	_, results["approve"] = m.Commissions(brokenRows{}).UpdateDue(t.Context(), start(), 10, nil)
	results["close"] = m.Payouts(brokenPayouts{}).Update(t.Context(), change.Request{}, "p", nil)

	_, results["replay"] = m.Replaying(brokenReplays{}).Post(
		t.Context(),
		replay.Claim{},
		[]string{"u"},
		func(*domain.Replay, []replay.History) (replay.Posting, error) {
			return replay.Posting{Adjustments: made}, nil
		},
	)
	for _, name := range slices.Sorted(maps.Keys(results)) {
		if !errors.Is(results[name], errBroken) {
			t.Errorf("%s: %v", name, results[name])
		}
	}

	expect(t, registry, "decision_lag_seconds 0 0")
}

// Changes by an operator and by the clock count by the resulting status.
func TestChangesOfStatusAreCounted(t *testing.T) {
	t.Parallel()
	registry := client.NewRegistry()
	m := prometheus.New(registry, clock)

	counted := m.Commissions(working{})
	act := command.NewActOnCommission(counted)

	for action, from := range map[commission.Action]commission.Status{
		commission.Hold:    commission.Pending,
		commission.Release: commission.Held,
		commission.Reject:  commission.Held,
	} {
		request := change.Request{Actor: "operator", Reason: "r"}
		if _, err := act.Handle(
			t.Context(),
			request,
			command.Action{ID: string(from), Action: action},
		); err != nil {
			t.Fatal(err)
		}
	}

	for range 2 {
		if _, err := counted.UpdateDue(t.Context(), start(), 7, mature); err != nil {
			t.Fatal(err)
		}
	}

	if err := counted.UpdateSelected(
		t.Context(),
		change.Request{},
		command.Selection{},
		func(selected []commission.Commission) (change.Outcome, error) {
			_, err := selected[0].Act(commission.Approve, "r", start())
			return change.Outcome{}, err
		},
	); err != nil {
		t.Fatal(err)
	}

	expect(
		t,
		registry,
		"commissions earning approved 15",
		"commissions earning held 1",
		"commissions earning pending 1",
		"commissions earning rejected 1",
		"decision_lag_seconds 0 0",
	)
}

// The adjustments of a replay count by their stored status.
func TestAdjustmentsOfReplaysAreCounted(t *testing.T) {
	t.Parallel()

	registry := client.NewRegistry()
	if _, err := prometheus.New(
		registry,
		clock,
	).Replaying(replays{}).Post(t.Context(), replay.Claim{}, []string{"u"}, nil); err != nil {
		t.Fatal(err)
	}

	expect(t, registry, "commissions adjustment pending 1", "decision_lag_seconds 0 0")
}

type replays struct{ replay.Store }

func (replays) Post(
	context.Context,
	replay.Claim,
	[]string,
	func(*domain.Replay, []replay.History) (replay.Posting, error),
) ([]commission.Snapshot, error) {
	return []commission.Snapshot{
		{Kind: commission.Adjustment, Status: commission.Pending},
	}, nil
}

func mature(c *commission.Commission) (effect.Effect, error) {
	caused, _, err := c.Mature(start())
	return caused, err
}

// working has one commission of each status, whose id is its status.
type working struct{ command.Commissions }

func one(status commission.Status) commission.Commission {
	return commission.Restore(commission.Snapshot{
		ID:      string(status),
		UserID:  "u",
		EventID: "e",
		Kind:    commission.Earning,
		Status:  status,
		Amount:  money.FromMinor(1, money.USD()),
		Version: 1,
	})
}

func (working) Update(
	_ context.Context,
	_ change.Request,
	id string,
	fn func(*commission.Commission) (change.Outcome, error),
) error {
	c := one(commission.Status(id))
	_, err := fn(&c)

	return err
}

func (working) UpdateSelected(
	_ context.Context,
	_ change.Request,
	_ command.Selection,
	fn func([]commission.Commission) (change.Outcome, error),
) error {
	_, err := fn([]commission.Commission{one(commission.Pending)})

	return err
}

func (working) UpdateDue(
	_ context.Context,
	_ time.Time,
	limit int,
	fn func(*commission.Commission) (effect.Effect, error),
) (int, error) {
	for range limit {
		c := one(commission.Pending)
		if _, err := fn(&c); err != nil {
			return 0, err
		}
	}

	return limit, nil
}
