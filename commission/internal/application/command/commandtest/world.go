package commandtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// World is the repositories over one empty store.
type World struct {
	Payouts     command.Payouts
	Batches     command.Batches
	Commissions command.Commissions
	Decisions   command.Decisions
	Rules       command.Rules
	Journal     change.Journal
	// Published reads the rules.
	Published query.RuleReader
	// Earn stores a pending earning of 1000 minor units of USD for an event of the user.
	Earn func(t *testing.T, user, eventID string) commission.Snapshot
	// TakeBack stores the clawback of a half of the earning.
	TakeBack func(t *testing.T, earning commission.Snapshot)
	// Records returns the audit's records of the subject, the oldest first.
	Records func(t *testing.T, subjectID string) []change.Record
}

// errStop is returned by a function that only looks.
var errStop = errors.New("stop")

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func usd(minor int64) money.Amount { return money.FromMinor(minor, money.USD()) }

func id(n int) string { return fmt.Sprintf("019ab2c3-4d5e-7f60-8a7b-%012d", n) }

// by returns the request of an actor, without a key.
func by(actor string) change.Request {
	return change.Request{
		Actor:     actor,
		RequestID: "request",
		Reason:    "checked",
		Now:       noon(),
		Render:    func(result any) ([]byte, error) { return fmt.Appendf(nil, `"%v"`, result), nil },
	}
}

// keyed returns the request of an actor with a key and the hash of its content.
func keyed(actor string, content byte) change.Request {
	request := by(actor)
	request.Key = "key"
	request.Hash = [32]byte{content}

	return request
}

// fund adds to what the user has available.
func (w World) fund(t *testing.T, n int, user string, minor int64) {
	t.Helper()

	if err := w.adjust(t.Context(), by("operator"), n, user, minor); err != nil {
		t.Fatal(err)
	}
}

func (w World) adjust(
	ctx context.Context,
	request change.Request,
	n int,
	user string,
	minor int64,
) error {
	made, caused, err := commission.NewAdjustment(
		commission.Wanted{UserID: user, Amount: usd(minor), Reason: "goodwill"},
		commission.Origin{ID: id(n), Now: noon()},
	)
	if err != nil {
		return err
	}

	outcome, err := outcomeOf(request, "adjust", "commission", id(n), caused)
	if err != nil {
		return err
	}

	return w.Commissions.Add(ctx, request, made.Snapshot(), outcome)
}

// outcomeOf returns the outcome of an action on the subject, whose answer is "made".
func outcomeOf(
	request change.Request,
	action, subjectType, subjectID string,
	caused effect.Effect,
) (change.Outcome, error) {
	record := change.Record{
		Action:      action,
		SubjectType: subjectType,
		SubjectID:   subjectID,
		Before:      "{}",
		After:       "{}",
	}

	return request.Outcome(record, caused, "made")
}

// commission returns the commission as it is stored.
func (w World) commission(t *testing.T, id string) commission.Commission {
	t.Helper()

	var found commission.Commission

	err := w.Commissions.Update(
		t.Context(),
		by("reader"),
		id,
		func(c *commission.Commission) (change.Outcome, error) {
			found = *c
			return change.Outcome{}, errStop
		},
	)
	if !errors.Is(err, errStop) {
		t.Fatalf("commission %s: %v", id, err)
	}

	return found
}

// payout returns the payout as it is stored.
func (w World) payout(t *testing.T, id string) payout.Snapshot {
	t.Helper()

	var found payout.Snapshot

	err := w.Payouts.Update(
		t.Context(),
		by("reader"),
		id,
		func(p *payout.Payout, _ *batch.Batch) (change.Outcome, error) {
			found = p.Snapshot()
			return change.Outcome{}, errStop
		},
	)
	if !errors.Is(err, errStop) {
		t.Fatalf("payout %s: %v", id, err)
	}

	return found
}

// checkKeys checks that the change is made once for its key. made returns how often it was made.
func checkKeys(t *testing.T, try func(request change.Request) error, made func() int) {
	t.Helper()

	if err := try(keyed("operator", 1)); err != nil || made() != 1 {
		t.Errorf("first: %v, made %d times", err, made())
	}

	var replayed *change.ReplayedError
	if err := try(keyed("operator", 1)); !errors.As(err, &replayed) ||
		string(replayed.Body) != `"made"` || made() != 1 {
		t.Errorf("again: %v, made %d times", err, made())
	}

	if err := try(keyed("operator", 2)); !errors.Is(err, fault.ErrKeyReused) || made() != 1 {
		t.Errorf("other content: %v, made %d times", err, made())
	}

	if err := try(keyed("another", 2)); errors.Is(err, fault.ErrKeyReused) {
		t.Errorf("another caller's key: %v", err)
	}
}

// checkRecord checks that the subject has one record of the action, completed by the request.
func (w World) checkRecord(t *testing.T, action, subject string) {
	t.Helper()

	records := slices.DeleteFunc(w.Records(t, subject), func(r change.Record) bool {
		return r.Action != action
	})
	if len(records) != 1 || records[0].Actor != "operator" || records[0].Reason != "checked" ||
		records[0].RequestID != "request" || !records[0].At.Equal(noon()) {
		t.Errorf("%s of %s: %+v", action, subject, records)
	}
}
