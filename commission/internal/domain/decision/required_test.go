package decision_test

import (
	"strings"
	"testing"

	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/event"
	"tributary/contracts/eventtype"
)

func happened(t *testing.T, snapshot event.Snapshot) event.Event {
	t.Helper()

	snapshot.UserID = "u"
	snapshot.OccurredAt = epoch()

	e, err := event.New(snapshot)
	if err != nil {
		t.Fatal(err)
	}

	return e
}

// loaded returns accounts in which all that the events require was looked for and not found, apart
// from what is skipped.
func loaded(t *testing.T, events []event.Event, skipped string) *decision.Accounts {
	t.Helper()

	accounts, required := decision.NewAccounts(len(events)), decision.Require(events)
	if skipped != "decisions" {
		accounts.LoadDecided(required, nil)
	}

	if skipped != "originals" {
		accounts.LoadOriginals(required, nil)
	}

	if skipped != "parked" {
		accounts.LoadParked(required, nil)
	}

	for key := range accounts.RequiredUsage(events, tieredRules(t)) {
		if skipped != "usage" {
			accounts.LoadUsage(key, decision.Usage{})
		}
	}

	return accounts
}

// A decision that depends on what was not loaded is an error: it may stand at anything.
func TestWhatWasNotLoadedIsNotRead(t *testing.T) {
	t.Parallel()

	sale := happened(t, event.Snapshot{
		ID:      "s",
		Type:    eventtype.Sale,
		Amount:  "10",
		OrderID: "o",
	})
	plain := happened(t, event.Snapshot{
		ID:   "v",
		Type: eventtype.View,
	})
	refund := happened(t, event.Snapshot{
		ID:         "r",
		Type:       eventtype.Refund,
		OriginalID: "x",
	})
	returned := happened(t, event.Snapshot{
		ID:      "r",
		Type:    eventtype.Refund,
		OrderID: "o",
	})

	for name, c := range map[string]struct {
		event   event.Event
		skipped string
		missing string
	}{
		"nothing":                       {sale, "", ""},
		"nothing of a refund":           {refund, "", ""},
		"nothing of a return":           {returned, "", ""},
		"no original of a sale alone":   {plain, "originals", ""},
		"decisions":                     {plain, "decisions", "whether event v has a decision"},
		"the order of a sale":           {sale, "originals", "the sales of order o"},
		"the original of a refund":      {refund, "originals", "event x of user u"},
		"the order of a refund":         {returned, "originals", "the sales of order o"},
		"refunds that wait for a sale":  {sale, "parked", "the parked reversals of event s"},
		"refunds that wait for a click": {plain, "parked", "the parked reversals of event v"},
		"the account of tiers":          {sale, "usage", "the account of user u by rule graduated"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			events, decided := []event.Event{c.event}, 0
			err := loaded(t, events, c.skipped).Decide(
				events,
				tieredRules(t),
				func(decision.Decision, bool) error {
					decided++
					return nil
				},
			)

			if c.missing == "" {
				if err != nil || decided != 1 {
					t.Errorf("%d decided, %v", decided, err)
				}

				return
			}

			if err == nil || !strings.Contains(err.Error(), "not loaded: "+c.missing) {
				t.Errorf("%v; want %q", err, c.missing)
			}
		})
	}
}
