package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/event"
	"tributary/contracts/eventtype"
)

// textOf returns what an event says about a decision or a commission.
func textOf(e eventlog.Event) string {
	var text strings.Builder
	fmt.Fprint(&text, e.Sequence, " ", e.Type, " ", e.Cause.Kind, " ", e.Cause.ID, ":")

	if d := e.Decision; d != nil {
		fmt.Fprint(&text, " ", d.Event.ID(), " ", d.Outcome, " ", d.Reason)
	}

	if c := e.Commission; c != nil {
		fmt.Fprint(&text, " ", c.Kind, " ", c.Amount.Minor(), " ", c.Status, c.Version, c.Reason)
	}

	if e.PreviousStatus != "" {
		fmt.Fprint(&text, " after ", e.PreviousStatus, e.PreviousVersion)
	}

	return text.String()
}

// The cause of an event is that of its fact, whatever the log has before it.
func TestTheCauseOfAnEventDoesNotDependOnItsNeighbours(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.1", "hold_days", "30")
	from := f.firstRules(t)

	f.handler = f.deciding(commandtest.Interrupted{
		Decisions: f.store,
		After: func(changes *command.DecisionChanges) error {
			slices.Reverse(changes.Facts)
			return nil
		},
	})
	f.decide(
		t,
		purchase("e1", "u", "100"),
		refund("r1", "u", "e1", ""),
		purchase("e2", "u", "100"),
	)

	want := []string{
		"decision.made by event e2",
		"commission.approved by event r1",
		"commission.reversed by event r1",
		"decision.made by event r1",
		"decision.made by event e1",
	}

	var got []string
	for _, e := range f.read(t, from, len(want)) {
		got = append(got, fmt.Sprintf("%s by %s %s", e.Type, e.Cause.Kind, e.Cause.ID))
	}

	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Everything that happens to decisions and commissions is written, in the order in which it does,
// with its cause and with what was there before.
func TestDecisionsAndCommissionsWriteTheLog(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.rule(t, 1, 1, "0.1", "hold_days", "30")
	from := f.firstRules(t)

	lead := event.Snapshot{
		ID:         "lead",
		UserID:     "u",
		Type:       eventtype.Lead,
		OccurredAt: start(),
		ReceivedAt: start(),
	}

	f.decide(t, refund("r0", "u", "e1", "10"), lead)
	f.decide(t, purchase("e1", "u", "100"), refund("r1", "u", "e1", ""))
	f.decide(t, purchase("e2", "u", "50"), purchase("e3", "u", "70"))
	f.act(t, "e2", commission.Hold)
	f.act(t, "e2", commission.Release)
	f.act(t, "e3", commission.Reject)
	f.rule(t, 1, 2, "0.2", "hold_days", "30")
	f.replay(t)
	replayed := f.one(t, `SELECT id FROM replays`)

	if n, err := f.approveDue(t.Context(), start().AddDate(0, 0, 30), 10); n != 1 || err != nil {
		t.Fatalf("UpdateDue = %d, %v", n, err)
	}

	if err := f.adjust(t.Context(), "u", "-1"); err != nil {
		t.Fatal(err)
	}

	want := []string{
		"1 decision.made event r0: r0 parked original_unknown",
		"2 decision.made event lead: lead not_commissioned no_rule",
		"3 decision.made event e1: e1 commissioned rule_applied earning 1000 pending1",
		"4 decision.made event r0: r0 commissioned clawed_back clawback -100 pending1 after parked0",
		"5 decision.made event r1: r1 commissioned clawed_back clawback -900 pending1",
		"6 commission.reversed event r1: earning 1000 reversed2 after pending1",
		"7 commission.approved event r1: clawback -100 approved2 after pending1",
		"8 commission.approved event r1: clawback -900 approved2 after pending1",
		"9 decision.made event e2: e2 commissioned rule_applied earning 500 pending1",
		"10 decision.made event e3: e3 commissioned rule_applied earning 700 pending1",
		"11 commission.held operator request: earning 500 held2 after pending1",
		"12 commission.released operator request: earning 500 pending3 after held2",
		"13 commission.rejected operator request: earning 700 rejected2 after pending1",
		"14 commission.adjusted replay " + replayed + ": adjustment 500 pending1",
		"15 commission.approved clock hold_period: earning 500 approved4 after pending3",
		"16 commission.approved clock hold_period: adjustment 500 approved2 after pending1",
		"17 commission.adjusted operator request: adjustment -100 approved1",
	}

	var got []string
	for _, e := range f.read(t, from, len(want)) {
		got = append(got, textOf(e))
	}

	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
