package rest_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/contracts/eventtype"
	"tributary/platform/money"
)

// drawn draws the members of an event, each of them also empty.
type drawn struct{ t *rapid.T }

func (d drawn) text(name string) string {
	return rapid.OneOf(
		rapid.Just(""),
		rapid.SampledFrom([]string{`"`, `\`, "\u2028", "<&>", "\x7f", "a\tb", "日本"}),
		rapid.String(),
	).Draw(d.t, name)
}

func (d drawn) number(name string) int { return rapid.IntRange(0, 3).Draw(d.t, name) }

func (d drawn) time(name string) time.Time {
	micros := rapid.OneOf(rapid.Int64Range(0, 1e16), rapid.Just(int64(0))).Draw(d.t, name)
	if micros == 0 {
		return time.Time{}
	}

	return time.UnixMicro(micros).UTC()
}

func (d drawn) currency(name string) money.Currency {
	code := rapid.SampledFrom([]string{"", "USD", "JPY", "KWD"}).Draw(d.t, name)
	currency, _ := money.ParseCurrency(code)

	return currency
}

func (d drawn) amount(name string, currency money.Currency) money.Amount {
	return money.FromMinor(rapid.Int64().Draw(d.t, name), currency)
}

func (d drawn) rule(name string) rule.Ref {
	return rule.Ref{ID: d.text(name), Version: d.number(name + " version")}
}

func (d drawn) decision() *query.Decided {
	currency := d.currency("currency")

	return &query.Decided{
		Decision: decision.Decision{
			Event: event.Restore(event.Snapshot{
				ID:         d.text("event"),
				UserID:     d.text("user"),
				Type:       eventtype.Type(d.text("type")),
				OccurredAt: d.time("occurred"),
				OriginalID: d.text("original sent"),
			}),
			Outcome:      decision.Outcome(d.text("outcome")),
			Reason:       decision.RuleApplied,
			Rule:         d.rule("rule"),
			Currency:     currency,
			Base:         d.amount("base", currency),
			OriginalID:   d.text("original"),
			OrderTakenBy: d.text("taken"),
			Unrounded:    d.text("unrounded"),
			Amount:       d.amount("amount", currency),
			AvailableAt:  d.time("available"),
		},
		CommissionID: d.text("commission"),
		DecidedAt:    d.time("decided"),
		ResolvedAt:   d.time("resolved"),
	}
}

func (d drawn) commission() *commission.Snapshot {
	currency := d.currency("currency of the commission")

	return &commission.Snapshot{
		ID:          d.text("id"),
		EventID:     d.text("event of the commission"),
		UserID:      d.text("user of the commission"),
		CampaignID:  d.text("campaign"),
		ProductID:   d.text("product"),
		OrderID:     d.text("order"),
		EventType:   eventtype.Type(d.text("type of the commission")),
		Kind:        commission.Kind(d.text("kind")),
		Status:      commission.Status(d.text("status")),
		Base:        d.amount("base of the commission", currency),
		Rate:        d.text("rate"),
		Amount:      d.amount("amount of the commission", currency),
		Rule:        d.rule("rule of the commission"),
		ReversesID:  d.text("reverses"),
		Reason:      d.text("reason"),
		AvailableAt: d.time("available of the commission"),
		OccurredAt:  d.time("occurred of the commission"),
		CreatedAt:   d.time("created"),
		UpdatedAt:   d.time("updated"),
		Version:     d.number("version"),
	}
}

// Topic and feed have the same bytes, although a decision is not rendered by reflection.
func TestADecisionIsRenderedLikeEverythingElse(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		d := drawn{t}
		e := eventlog.Event{
			Place:    eventlog.Position{Seq: rapid.Int64Range(1, 1<<50).Draw(t, "seq")},
			At:       d.time("at"),
			Type:     effect.DecisionMade,
			UserID:   d.text("user of the event"),
			Sequence: rapid.Int64().Draw(t, "sequence"),
			Cause: change.Cause{
				Kind:  change.ByEvent,
				ID:    d.text("cause"),
				Actor: d.text("actor"),
			},
			Decision:       d.decision(),
			PreviousStatus: d.text("previous"),
		}

		if rapid.Bool().Draw(t, "commissioned") {
			e.Commission = d.commission()
		}

		want, err := rest.ReflectedEvent(e)
		if err != nil {
			t.Fatal(err)
		}

		got, err := rest.MarshalEvent(e)
		if err != nil || string(got) != string(want) {
			t.Fatalf("%v: rendered\n%s\nwant\n%s", err, got, want)
		}
	})
}
