package wire

import (
	"fmt"
	"time"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/platform/money"
)

// Adjustment is the origin of an adjustment.
type Adjustment struct {
	Origin     string      `json:"origin" enum:"hand,replay" doc:"hand: made by an operator. replay: made by a replay."`
	Actor      string      `json:"actor,omitempty" doc:"Who made it, or requested the replay. Absent for partners." example:"operator1"`
	Reason     string      `json:"reason,omitempty" doc:"The reason in words. Absent for partners." example:"wrong rate"`
	At         time.Time   `json:"at" doc:"When it was made."`
	Replay     string      `json:"replay,omitempty" format:"uuid" doc:"The id of the replay that made it."`
	Comparison *Comparison `json:"comparison,omitempty" doc:"For an adjustment by a replay, the difference that it corrects."`
}

// Comparison is what an event earns by the rules of a replay, and what was posted for it before.
type Comparison struct {
	Posted            []Posting     `json:"booked" doc:"What was posted for the event, including reversals and earlier adjustments, without rejected rows."`
	PostedBefore      string        `json:"booked_before" doc:"The sum of booked."`
	PostedBeforeMinor int64         `json:"booked_before_minor" doc:"booked_before in minor units." example:"1000"`
	Rejected          bool          `json:"rejected,omitempty" doc:"The event's commission was rejected by an operator: it earns nothing."`
	Decisions         []Explanation `json:"decisions,omitempty" doc:"The decisions by the rules about the event and its reversals, as explanations of their own."`
	Expected          string        `json:"expected" doc:"The sum of the amounts of decisions in the currency."`
	ExpectedMinor     int64         `json:"expected_minor" doc:"expected in minor units." example:"1000"`
	Difference        string        `json:"difference" doc:"Expected less booked, which is the amount of the adjustment." example:"0.00"`
	DifferenceMinor   int64         `json:"difference_minor" doc:"difference in minor units." example:"0"`
}

// Posting is a row that was posted for the event.
type Posting struct {
	CommissionID string `json:"commission_id" doc:"The id of the commission."`
	EventID      string `json:"event_id" doc:"The event of the commission; empty for an adjustment by an operator." example:"event789"`
	Kind         string `json:"kind" doc:"The kind of commission." example:"earning"`
	Amount       string `json:"amount" doc:"The amount in major units." example:"10.00"`
	AmountMinor  int64  `json:"amount_minor" doc:"amount in minor units." example:"1000"`
}

const (
	byHand  = "an adjustment by an operator follows from no rule and cannot be recomputed"
	tooWide = "the rule has tiers or a cap, and the user's history is too long to be read for " +
		"an explanation: a dry run of a replay over the day of the event recomputes the decision"
)

func (out *Explanation) adjustment(e query.Explained) {
	s := e.Commission
	out.Currency = s.Amount.Currency().String()
	out.Amount = s.Amount.String()
	out.Minor = s.Amount.Minor()

	out.Adjustment = &Adjustment{Origin: "hand", Reason: s.Reason, At: s.CreatedAt}
	if len(e.History) > 0 {
		out.Adjustment.Actor = e.History[0].Actor
	}

	c := e.Comparison
	if c == nil {
		out.NotAgain = byHand
		return
	}

	out.Adjustment.Origin, out.Adjustment.Comparison = "replay", comparisonOf(*c, *s)
	out.Adjustment.Actor = c.Replay.Actor
	out.Adjustment.Replay = c.Replay.ID

	for _, related := range c.Related {
		if related.ID() == s.EventID {
			out.Event = new(eventOf(related))
		}
	}

	out.Verified = c.Agrees(s.Amount)
	if c.TooWide {
		out.NotAgain = tooWide
	}
}

func comparisonOf(c query.Comparison, adjustment commission.Snapshot) *Comparison {
	out := &Comparison{
		Posted:            []Posting{},
		PostedBefore:      c.PostedSum.String(),
		PostedBeforeMinor: c.PostedSum.Minor(),
		Rejected:          c.Manual.Rejected[adjustment.EventID],
	}
	for _, b := range c.Posted {
		s := b
		out.Posted = append(out.Posted, Posting{
			CommissionID: s.ID,
			EventID:      s.EventID,
			Kind:         string(s.Kind),
			Amount:       s.Amount.String(),
			AmountMinor:  s.Amount.Minor(),
		})
	}

	for _, x := range c.Decisions {
		var part Explanation
		part.decision(x)
		out.Decisions = append(out.Decisions, part)
	}

	if difference, err := c.Difference(); err == nil && !c.TooWide {
		out.Expected, out.ExpectedMinor = c.Expected.String(), c.Expected.Minor()
		out.Difference, out.DifferenceMinor = difference.String(), difference.Minor()
	}

	return out
}

// CheckAdjustment recomputes the decisions about an adjusted event and compares their amounts with
// what was posted. It returns the difference in minor units, and a line for each member that
// differs. An error means that nothing can be recomputed.
func (x Explanation) CheckAdjustment() (difference int64, lines []string, err error) {
	if x.NotAgain != "" {
		return 0, nil, fmt.Errorf("%s", x.NotAgain)
	}

	c := x.Adjustment.Comparison
	if c == nil {
		return 0, nil, errNoEvent
	}

	var expected, posted int64
	for i, part := range c.Decisions {
		made, differences, err := part.Check()
		if err != nil {
			return 0, nil, err
		}

		for _, line := range differences {
			lines = append(lines, fmt.Sprintf("decisions.%d.%s", i, line))
		}

		if made.Outcome == decision.Commissioned && made.Currency.String() == x.Currency &&
			!c.Rejected {
			expected += made.Amount.Minor()
		}
	}

	for _, b := range c.Posted {
		posted += b.AmountMinor
	}

	lines = append(lines, x.adjustmentDifferences(expected, posted)...)

	return expected - posted, lines, nil
}

func (x Explanation) adjustmentDifferences(expected, posted int64) []string {
	currency, err := money.ParseCurrency(x.Currency)
	if err != nil {
		return []string{"currency: is not an active ISO 4217 code"}
	}

	c := x.Adjustment.Comparison
	text := func(minor int64) string { return money.FromMinor(minor, currency).String() }

	return differing([]compared{
		{"expected", text(expected), c.Expected},
		{"expected_minor", expected, c.ExpectedMinor},
		{"booked_before", text(posted), c.PostedBefore},
		{"booked_before_minor", posted, c.PostedBeforeMinor},
		{"difference", text(expected - posted), c.Difference},
		{"difference_minor", expected - posted, c.DifferenceMinor},
		{"amount", text(expected - posted), x.Amount},
		{"amount_minor", expected - posted, x.Minor},
	})
}
