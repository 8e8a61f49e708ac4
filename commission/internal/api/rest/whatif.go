package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/api/wire"
	application "tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/replay"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
	"tributary/platform/money"
)

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

func registerWhatIf(api huma.API, uses UseCases) {
	handler, clock := uses.Replay, uses.Now

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
		snapshot, err := in.Body.Rule.Snapshot(uses.Zone)
		if err != nil {
			return nil, err
		}

		to := clock().UTC().Truncate(time.Microsecond)
		period := replay.Period{From: to.AddDate(0, 0, -in.Body.Days), To: to}

		trials, err := handler.WhatIf(ctx, period, snapshot)
		if err != nil {
			return nil, err
		}

		return whatIfAnswerOf(period, trials), nil
	})
}

func whatIfAnswerOf(period replay.Period, trials []application.Trial) *whatIfAnswer {
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
