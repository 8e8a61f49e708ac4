package commandtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/event"
	"tributary/contracts/eventtype"
)

// DecisionsSuite tests the contract of command.Decisions. open returns an empty world.
func DecisionsSuite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, World){
		"an event is decided once":                    decidedOnce,
		"concurrent batches decide an event once":     decidedOnceByMany,
		"a reversal finds what it reverses":           reversals,
		"a reversal finds the sale of its order":      orderReversals,
		"a parked reversal waits for its original":    parkedReversals,
		"a parked reversal waits for its order":       parkedOrders,
		"accounts of tiers and caps are loaded":       usageAccounts,
		"a rejected earning is no usage":              rejectedUsage,
		"the rules in force are loaded":               decisionRules,
		"an error stores no decision":                 decisionErrors,
		"content that cannot be stored is refused":    unstorableEvents,
		"writers of the same users do not interleave": decisionTurns,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			w := open(t)
			if err := w.publish(t.Context(), by("operator"), id(1), version("", "0.1")); err != nil {
				t.Fatal(err)
			}

			test(t, w)
		})
	}
}

// sale returns a sale of u over 100.00 USD at noon.
func sale(eventID string) event.Snapshot {
	return event.Snapshot{
		ID:         eventID,
		UserID:     "u",
		Type:       eventtype.Sale,
		OccurredAt: noon(),
		ReceivedAt: noon(),
		Amount:     "100.00",
	}
}

// ordered returns the sale with an order.
func ordered(eventID, order string) event.Snapshot {
	e := sale(eventID)
	e.OrderID = order

	return e
}

// refund returns a refund of an event, or with "" of an order, over the amount or with "" over
// what is left.
func refund(eventID, original, order, amount string) event.Snapshot {
	return event.Snapshot{
		ID:         eventID,
		UserID:     "u",
		Type:       eventtype.Refund,
		OccurredAt: noon().Add(time.Hour),
		ReceivedAt: noon().Add(time.Hour),
		OriginalID: original,
		OrderID:    order,
		Amount:     amount,
	}
}

func events(snapshots []event.Snapshot) []event.Event {
	list := make([]event.Event, len(snapshots))
	for i, snapshot := range snapshots {
		list[i] = event.Restore(snapshot)
	}

	return list
}

// watched keeps the changes that Decide stored last.
type watched struct {
	command.Decisions

	stored command.DecisionChanges
}

func (w *watched) Decide(
	ctx context.Context,
	events []event.Event,
	decide func(command.DecisionState) (command.DecisionChanges, error),
) error {
	return w.Decisions.Decide(
		ctx,
		events,
		func(state command.DecisionState) (changes command.DecisionChanges, err error) {
			w.stored, err = decide(state)
			return w.stored, err
		},
	)
}

// consume decides the events. The ids of commissions begin at the number.
func (w World) consume(
	ctx context.Context,
	number int,
	snapshots ...event.Snapshot,
) (command.DecisionChanges, []command.RefusedEvent, error) {
	var made atomic.Int64

	decisions := &watched{Decisions: w.Decisions}
	handler := command.NewConsumeEvents(decisions, noon, func() string {
		return id(number + int(made.Add(1)) - 1)
	})
	refused, err := handler.Handle(ctx, events(snapshots))

	return decisions.stored, refused, err
}

// wantDecided decides the events, and checks the decisions: event, reason and amount, and the same
// of those that were parked. The ids of commissions begin at the number.
func (w World) wantDecided(t *testing.T, want string, number int, snapshots ...event.Snapshot) {
	t.Helper()

	changes, refused, err := w.consume(t.Context(), number, snapshots...)
	if err != nil || len(refused) > 0 {
		t.Fatalf("refused %v, %v", refused, err)
	}

	if got := texts(changes); got != want {
		t.Errorf("decided %q, want %q", got, want)
	}
}

// texts returns the decisions: event, reason and amount.
func texts(changes command.DecisionChanges) string {
	var list []string

	for _, d := range changes.Decisions {
		list = append(list, fmt.Sprint(d.Event.ID(), " ", d.Reason, " ", d.Amount.Minor()))
	}

	for _, d := range changes.Resolved {
		list = append(list, fmt.Sprint("parked ", d.Event.ID(), " ", d.Reason, " ", d.Amount.Minor()))
	}

	return strings.Join(list, "; ")
}

// wantKnown checks whether the event has a decision.
func (w World) wantKnown(t *testing.T, want bool, eventID string) {
	t.Helper()

	err := w.Decisions.Decide(
		t.Context(),
		events([]event.Snapshot{sale(eventID)}),
		func(state command.DecisionState) (command.DecisionChanges, error) {
			if got := state.Accounts.Decided(eventID); got != want {
				t.Errorf("event %s is decided: %t", eventID, got)
			}

			return command.DecisionChanges{}, errStop
		},
	)
	if !errors.Is(err, errStop) {
		t.Errorf("the error of decide became %v", err)
	}
}

// given decides from a state and stores nothing.
type given command.DecisionState

// Decide implements command.Decisions.
func (g given) Decide(
	_ context.Context,
	_ []event.Event,
	decide func(command.DecisionState) (command.DecisionChanges, error),
) error {
	_, err := decide(command.DecisionState(g))
	return err
}

// changes returns what the decisions about the events change. Ids of commissions begin at 11.
func (g given) changes(
	ctx context.Context,
	snapshots ...event.Snapshot,
) (command.DecisionChanges, error) {
	changes, _, err := World{Decisions: g}.consume(ctx, 11, snapshots...)
	return changes, err
}
