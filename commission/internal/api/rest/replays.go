package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"tributary/commission/internal/api/wire"
	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/replay"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
	"tributary/platform/money"
)

type replayInput struct {
	ChangeHeaders
	Body struct {
		From   time.Time `json:"from" doc:"Start of the period in which the events occurred, inclusive."`
		To     time.Time `json:"to" doc:"Exclusive."`
		DryRun bool      `json:"dry_run,omitempty" doc:"Only report the differences."`
		Reason string    `json:"reason,omitempty" maxLength:"500" doc:"Kept with the adjustments." example:"agreed in March"`
	}
}

// replayBody is the outcome of a replay. The same input has the same bytes.
type replayBody struct {
	From        time.Time        `json:"from" doc:"Inclusive."`
	To          time.Time        `json:"to" doc:"Exclusive."`
	DryRun      bool             `json:"dry_run" doc:"Whether nothing was posted."`
	Events      int              `json:"events" doc:"The number of events that were decided again." example:"1000"`
	Users       int              `json:"users" doc:"The number of their users." example:"25"`
	Differences []differenceBody `json:"differences" doc:"By user, then by time of the event. Posted as adjustments unless it is a dry run."`
	Totals      []totalBody      `json:"totals" doc:"The sums of the differences, one for each currency."`
	SHA256      string           `json:"sha256" doc:"The SHA-256 hash of the differences."`
}

type differenceBody struct {
	UserID          string    `json:"user_id" doc:"The user who earns." example:"user123"`
	EventID         string    `json:"event_id" doc:"The id of the event." example:"event789"`
	OccurredAt      time.Time `json:"occurred_at" doc:"When the event occurred."`
	Currency        string    `json:"currency" doc:"ISO 4217." example:"USD"`
	Expected        string    `json:"expected" doc:"What the event earns by the rules, in major units." example:"10.00"`
	ExpectedMinor   int64     `json:"expected_minor" doc:"expected in minor units." example:"1000"`
	Booked          string    `json:"booked" doc:"What is posted for the event, in major units." example:"10.00"`
	BookedMinor     int64     `json:"booked_minor" doc:"booked in minor units." example:"1000"`
	Difference      string    `json:"difference" doc:"The difference in major units." example:"0.00"`
	DifferenceMinor int64     `json:"difference_minor" doc:"difference in minor units." example:"0"`
}

type totalBody struct {
	Currency        string          `json:"currency" doc:"ISO 4217." example:"USD"`
	Difference      string          `json:"difference" doc:"The difference in major units." example:"0.00"`
	DifferenceMinor httpapi.Integer `json:"difference_minor" doc:"difference in minor units." example:"0"`
}

type whatIfInput struct {
	Body struct {
		Rule wire.Draft `json:"rule" doc:"The rule as it would be published. effective_from is the start of the period if absent."`
		Days int        `json:"days" minimum:"1" maximum:"366" doc:"The number of past days to decide."`
	}
}

type whatIfAnswer struct {
	Body struct {
		From   time.Time   `json:"from" doc:"Inclusive."`
		To     time.Time   `json:"to" doc:"Exclusive."`
		Users  []trialBody `json:"users" doc:"The users for whom the rule would make a difference."`
		Totals []totalBody `json:"totals" doc:"The sums of the differences, one for each currency."`
	}
}

type trialBody struct {
	UserID          string          `json:"user_id" doc:"The user who earns." example:"user123"`
	Currency        string          `json:"currency" doc:"ISO 4217." example:"USD"`
	PresentMinor    httpapi.Integer `json:"present_minor" doc:"What the user earns by the present rules, in minor units." example:"1000"`
	TrialMinor      httpapi.Integer `json:"trial_minor" doc:"What the user earns with the new rule, in minor units." example:"1200"`
	Difference      string          `json:"difference" doc:"The difference in major units." example:"0.00"`
	DifferenceMinor httpapi.Integer `json:"difference_minor" doc:"difference in minor units." example:"0"`
}

func registerReplays(
	api huma.API,
	handler *replay.Handler,
	journal change.Journal,
	clock func() time.Time,
) {
	op := changeOperation(huma.Operation{
		OperationID: "create-replay",
		Path:        "/replays",
		Summary:     "Decide a period again",
		Description: "Decides the events by the current rules, in the order in which they occurred. Differences to " +
			"what is posted become adjustments; nothing is edited. A second replay changes nothing. " +
			"A period whose users have more than 1,000,000 events in all, or more than 10,000 " +
			"differences, is refused before anything is posted: choose a shorter one.",
		Tags: []string{"Replays"},
	}, auth.Admin)
	huma.Register(
		api,
		op,
		func(ctx context.Context, in *replayInput) (*answered[replayBody], error) {
			period := replay.Period{From: in.Body.From.UTC(), To: in.Body.To.UTC()}

			reason := in.Body.Reason
			if strings.TrimSpace(reason) == "" {
				reason = "replay"
			}

			asked := changeRequest{
				operation: op.OperationID,
				key:       in.IdempotencyKey,
				reason:    reason,
				content:   in.Body,
			}

			return changing(
				ctx,
				clock,
				asked,
				func(b replayBody) replayBody { return b },
				func(r change.Request) (replayBody, error) {
					if err := journal.Known(ctx, r); err != nil {
						return replayBody{}, err
					}

					report, err := handler.Replay(ctx, r, period, !in.Body.DryRun)
					if err != nil {
						return replayBody{}, err
					}

					body, err := replayBodyOf(report, in.Body.DryRun)
					if err != nil || (in.Body.DryRun && in.IdempotencyKey == "") {
						return body, err
					}

					return body, journal.Note(ctx, r, change.Record{
						Action:      "replay",
						SubjectType: "replay",
						SubjectID:   period.From.Format(time.RFC3339Nano) + "/" + period.To.Format(time.RFC3339Nano),
						After:       body.SHA256,
					}, body)
				},
			)
		},
	)
	trial := changeOperation(huma.Operation{
		OperationID: "try-rule",
		Path:        "/rules/what-if",
		Summary:     "Try a rule out",
		Description: "Decides the last days with and without a rule that is not published, and returns the " +
			"difference by user. Writes nothing.",
		Tags:   []string{"Replays"},
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, auth.Operator)
	huma.Register(api, trial, func(ctx context.Context, in *whatIfInput) (*whatIfAnswer, error) {
		def, err := in.Body.Rule.Definition()
		if err != nil {
			return nil, err
		}

		to := clock().UTC().Truncate(time.Microsecond)
		period := replay.Period{From: to.AddDate(0, 0, -in.Body.Days), To: to}

		trials, err := handler.WhatIf(ctx, period, def)
		if err != nil {
			return nil, err
		}

		return whatIfAnswerOf(period, trials), nil
	})
}

func replayBodyOf(r replay.Report, dryRun bool) (replayBody, error) {
	body := replayBody{
		From:        r.Period.From,
		To:          r.Period.To,
		DryRun:      dryRun,
		Events:      r.Events,
		Users:       r.Users,
		Differences: []differenceBody{},
	}

	sums := map[money.Currency]money.Total{}
	for _, d := range r.Differences {
		text := func(minor int64) string { return money.FromMinor(minor, d.Currency).String() }
		body.Differences = append(body.Differences, differenceBody{
			UserID:          d.Event.UserID(),
			EventID:         d.Event.ID(),
			OccurredAt:      d.Event.OccurredAt(),
			Currency:        d.Currency.String(),
			Expected:        text(d.Expected),
			ExpectedMinor:   d.Expected,
			Booked:          text(d.Booked),
			BookedMinor:     d.Booked,
			Difference:      text(d.Expected - d.Booked),
			DifferenceMinor: d.Expected - d.Booked,
		})
		addTo(sums, money.TotalOf(d.Expected-d.Booked, d.Currency))
	}

	body.Totals = totalsOf(sums)
	text, err := json.Marshal(body.Differences)
	hash := sha256.Sum256(text)
	body.SHA256 = hex.EncodeToString(hash[:])

	return body, err
}

func addTo(sums map[money.Currency]money.Total, t money.Total) {
	sum, ok := sums[t.Currency()]
	if !ok {
		sum = money.TotalOf(0, t.Currency())
	}

	sums[t.Currency()] = sum.Add(t)
}

func totalsOf(sums map[money.Currency]money.Total) []totalBody {
	out := []totalBody{}
	for currency, total := range sums {
		out = append(
			out,
			totalBody{
				Currency:        currency.String(),
				Difference:      total.String(),
				DifferenceMinor: httpapi.Integer(total.Minor()),
			},
		)
	}

	slices.SortFunc(
		out,
		func(a, b totalBody) int { return strings.Compare(a.Currency, b.Currency) },
	)

	return out
}

func whatIfAnswerOf(period replay.Period, trials []replay.Trial) *whatIfAnswer {
	answer := &whatIfAnswer{}
	answer.Body.From = period.From
	answer.Body.To = period.To
	answer.Body.Users = []trialBody{}

	sums := map[money.Currency]money.Total{}
	for _, t := range trials {
		difference := t.Trial.Sub(t.Present)
		addTo(sums, difference)

		answer.Body.Users = append(answer.Body.Users, trialBody{
			UserID:          t.UserID,
			Currency:        t.Currency.String(),
			PresentMinor:    httpapi.Integer(t.Present.Minor()),
			TrialMinor:      httpapi.Integer(t.Trial.Minor()),
			Difference:      difference.String(),
			DifferenceMinor: httpapi.Integer(difference.Minor()),
		})
	}

	answer.Body.Totals = totalsOf(sums)

	return answer
}
