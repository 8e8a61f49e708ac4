package rest_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts"
	"tributary/contracts/contractstest"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

//nolint:gochecknoglobals // a flag of the test binary
var update = flag.Bool("update", false, "write the golden messages")

func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 123456000, time.UTC) }

const goldenID = "019abc00-0000-7000-8000-00000000000"

func goldenPurchase() query.Decided {
	return query.Decided{
		Decision: decision.Decision{
			Event: event.Restore(event.Snapshot{
				ID:         "event789",
				UserID:     "user123",
				Type:       eventtype.Purchase,
				OccurredAt: noon().Add(-time.Minute),
				ReceivedAt: noon().Add(-time.Second),
				CampaignID: "camp123",
				ProductID:  "prod456",
				OrderID:    "order789",
				Amount:     "100.00",
				Currency:   "USD",
			}),
			Outcome:   decision.Commissioned,
			Reason:    decision.RuleApplied,
			Currency:  money.USD(),
			Rule:      rule.Ref{ID: "00000000-0000-7000-8000-000000000001", Version: 1},
			Base:      money.FromMinor(10000, money.USD()),
			Amount:    money.FromMinor(1000, money.USD()),
			Unrounded: "10",

			AvailableAt: noon().Add(-time.Minute),
		},
		CommissionID: goldenID + "1",
		DecidedAt:    noon(),
	}
}

func goldenCommission(status commission.Status, version int) *commission.Snapshot {
	snapshot := goldenPurchase().Event.Snapshot()

	c := commission.Snapshot{
		ID:          goldenID + "1",
		EventID:     snapshot.ID,
		UserID:      snapshot.UserID,
		CampaignID:  snapshot.CampaignID,
		ProductID:   snapshot.ProductID,
		OrderID:     snapshot.OrderID,
		EventType:   snapshot.Type,
		Kind:        commission.Earning,
		Status:      status,
		Base:        money.FromMinor(10000, money.USD()),
		Rate:        "0.1",
		Amount:      money.FromMinor(1000, money.USD()),
		Rule:        rule.Ref{ID: "00000000-0000-7000-8000-000000000001", Version: 1},
		AvailableAt: snapshot.OccurredAt,
		OccurredAt:  snapshot.OccurredAt,
		CreatedAt:   noon(),
		UpdatedAt:   noon(),
		Version:     version,
	}

	return &c
}

func goldenPayout(status payout.Status, version int) *payout.Snapshot {
	p := payout.Snapshot{
		ID:          goldenID + "2",
		UserID:      "user123",
		Amount:      money.FromMinor(15000, money.USD()),
		Method:      "paypal",
		Status:      status,
		RequestedAt: noon().Add(-time.Hour),
		CreatedAt:   noon().Add(-time.Hour),
		UpdatedAt:   noon(),
		Version:     version,
	}

	switch status {
	case payout.Completed:
		p.ClosedAt = noon()
		p.PaidAt = noon()
		p.ExternalReference = "4711"
	case payout.Rejected:
		p.CreatedAt = noon()
		p.ClosedAt = noon()
		p.Reason = payout.ReasonBalance
	case payout.Requested, payout.Failed, payout.Cancelled:
	}

	return &p
}

func goldenRule(t *testing.T) *rule.Rule {
	t.Helper()

	rate, err := money.ParseRate("0.1")
	if err != nil {
		t.Fatal(err)
	}

	r := rule.Restore(rule.Snapshot{
		ID:            "00000000-0000-7000-8000-000000000001",
		Version:       1,
		Name:          "Purchase: 10 % of the amount",
		Scope:         rule.Scope{EventType: eventtype.Purchase},
		Formula:       rule.Percentage{Rate: rate},
		Rounding:      money.HalfEven,
		EffectiveFrom: noon().AddDate(-1, 0, 0),
		PublishedAt:   noon().AddDate(-1, 0, 0),
		RetiredAt:     noon(),
	})

	return &r
}

func goldenEvents(t *testing.T) map[string]eventlog.Event {
	t.Helper()

	purchase := goldenPurchase()
	parked := query.Decided{
		Decision: decision.Decision{
			Event: event.Restore(event.Snapshot{
				ID:         "event790",
				UserID:     "user123",
				Type:       eventtype.Refund,
				OccurredAt: noon(),
				ReceivedAt: noon(),
				OriginalID: "event800",
			}),
			Outcome: decision.Parked,
			Reason:  decision.OriginalUnknown,
		},
		DecidedAt: noon(),
	}

	return map[string]eventlog.Event{
		"decision-commissioned.json": {
			Type:       effect.DecisionMade,
			UserID:     "user123",
			Sequence:   1,
			Cause:      change.Cause{Kind: change.ByEvent, ID: "event789"},
			Decision:   &purchase,
			Commission: goldenCommission(commission.Approved, 1),
		},
		"decision-parked.json": {
			Type:     effect.DecisionMade,
			UserID:   "user123",
			Sequence: 2,
			Cause:    change.Cause{Kind: change.ByEvent, ID: "event790"},
			Decision: &parked,
		},
		"commission-held.json": {
			Type:            effect.CommissionHeld,
			UserID:          "user123",
			Sequence:        3,
			Cause:           change.Cause{Kind: change.ByOperator, ID: "request-1", Actor: "operator1"},
			Commission:      goldenCommission(commission.Held, 2),
			PreviousStatus:  "pending",
			PreviousVersion: 1,
		},
		"payout-rejected.json": {
			Type:     effect.PayoutRejected,
			UserID:   "user123",
			Sequence: 4,
			Cause:    change.Cause{Kind: change.ByPaymentRequest, ID: goldenID + "2"},
			Payout:   goldenPayout(payout.Rejected, 1),
		},
		"payout-completed.json": {
			Type:            effect.PayoutCompleted,
			UserID:          "user123",
			Sequence:        5,
			Cause:           change.Cause{Kind: change.ByOperator, ID: "request-2", Actor: "finance1"},
			Payout:          goldenPayout(payout.Completed, 2),
			PreviousStatus:  "requested",
			PreviousVersion: 1,
		},
		"rule-retired.json": {
			Type:            effect.RuleRetired,
			Sequence:        2,
			Cause:           change.Cause{Kind: change.ByOperator, ID: "request-3", Actor: "admin1"},
			Rule:            goldenRule(t),
			PreviousVersion: 1,
		},
	}
}

// The service publishes exactly the golden messages from the same changes.
func TestEventsAreTheGoldenMessages(t *testing.T) {
	t.Parallel()

	golden, err := contracts.Golden(contracts.CommissionEventV1)
	if err != nil {
		t.Fatal(err)
	}

	events := goldenEvents(t)
	if len(golden) != len(events) && !*update {
		t.Errorf("%d golden messages, want %d", len(golden), len(events))
	}

	for name, e := range events {
		e.At = noon()
		e.Place = eventlog.Position{Tx: 7, Seq: e.Sequence}

		got, err := rest.MarshalEvent(e)
		if err != nil {
			t.Fatal(err)
		}

		contractstest.Check(t, contracts.CommissionEventV1, got)

		if *update {
			write(t, name, got)
			continue
		}

		if canonical(t, got) != canonical(t, golden[name]) {
			t.Errorf("%s: published\n%s\nwant\n%s", name, got, golden[name])
		}
	}
}

func write(t *testing.T, name string, message jsontext.Value) {
	t.Helper()

	if err := message.Indent(jsontext.WithIndent("  ")); err != nil {
		t.Fatal(err)
	}

	path := filepath.Join("../../../../contracts/golden", contracts.CommissionEventV1, name)
	if err := os.WriteFile(path, append(message, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

func canonical(t *testing.T, text []byte) string {
	t.Helper()

	v := jsontext.Value(slices.Clone(text))
	if err := v.Canonicalize(); err != nil {
		t.Fatal(err)
	}

	return string(v)
}
