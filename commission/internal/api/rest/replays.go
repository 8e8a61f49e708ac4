package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"tributary/commission/internal/application/change"
	application "tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/replay"
	"tributary/platform/auth"
	"tributary/platform/fault"
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

// replayAnswer has the result as its body, or the replay if there is none yet.
type replayAnswer struct {
	Status   int
	Location string `header:"Location"`
	Replayed string `header:"Idempotency-Replayed"`
	Body     any
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
	Posted          string    `json:"booked" doc:"What is posted for the event, in major units." example:"10.00"`
	PostedMinor     int64     `json:"booked_minor" doc:"booked in minor units." example:"1000"`
	Difference      string    `json:"difference" doc:"The difference in major units." example:"0.00"`
	DifferenceMinor int64     `json:"difference_minor" doc:"difference in minor units." example:"0"`
}

type totalBody struct {
	Currency        string          `json:"currency" doc:"ISO 4217." example:"USD"`
	Difference      string          `json:"difference" doc:"The difference in major units." example:"0.00"`
	DifferenceMinor httpapi.Integer `json:"difference_minor" doc:"difference in minor units." example:"0"`
}

func registerReplays(api huma.API, handler *application.Handler, clock func() time.Time) {
	op := changeOperation(huma.Operation{
		OperationID: "create-replay",
		Path:        "/replays",
		Summary:     "Decide a period again",
		Description: "Decides the events by the current rules, in the order in which they occurred. Differences to " +
			"what is posted become adjustments; nothing is edited. A second replay changes nothing. " +
			"A replay of at most 50,000 events and 10,000 differences is answered with its result. " +
			"Any other continues in the background and is answered with 202: Location names it.",
		Tags: []string{"Replays"},
	}, auth.Admin)
	op.Errors = []int{http.StatusConflict}

	schemas := api.OpenAPI().Components.Schemas
	result := schemas.Schema(reflect.TypeFor[replayBody](), true, "ReplayResult")
	resource := schemas.Schema(reflect.TypeFor[replayResource](), true, "Replay")
	location := map[string]*huma.Param{
		"Location": {
			Description: "The path of the replay.",
			Schema:      &huma.Schema{Type: huma.TypeString},
		},
	}
	op.Responses = map[string]*huma.Response{
		"200": {
			Description: "The replay is completed",
			Headers:     location,
			Content:     map[string]*huma.MediaType{"application/json": {Schema: result}},
		},
		"202": {
			Description: "The replay goes on",
			Headers:     location,
			Content:     map[string]*huma.MediaType{"application/json": {Schema: resource}},
		},
	}

	huma.Register(api, op, func(ctx context.Context, in *replayInput) (*replayAnswer, error) {
		period := replay.Period{
			From: in.Body.From.UTC().Truncate(time.Microsecond),
			To:   in.Body.To.UTC().Truncate(time.Microsecond),
		}

		reason := in.Body.Reason
		if strings.TrimSpace(reason) == "" {
			reason = "replay"
		}

		hash, err := hashOf(op.OperationID, in.Body)
		if err != nil {
			return nil, err
		}

		found, err := handler.Start(ctx, change.Request{
			Actor:     actor(ctx),
			RequestID: httpapi.RequestID(ctx),
			Reason:    reason,
			Now:       clock().UTC().Truncate(time.Microsecond),
			Key:       in.IdempotencyKey,
			Hash:      hash,
			Render: func(made any) ([]byte, error) {
				return json.Marshal(replayResourceOf(made.(replay.Snapshot)))
			},
		}, period, in.Body.DryRun)

		var repeated *change.ReplayedError
		if errors.As(err, &repeated) {
			return repeatedReplay(ctx, handler, repeated.Body)
		}

		if err != nil {
			return nil, err
		}

		return replayAnswerOf(found)
	})
}

// repeatedReplay answers a request that was made before as it was answered then.
func repeatedReplay(
	ctx context.Context,
	handler *application.Handler,
	first []byte,
) (*replayAnswer, error) {
	var resource replayResource
	if err := json.Unmarshal(first, &resource); err != nil {
		return nil, err
	}

	found, err := handler.Result(ctx, resource.ID)
	if err != nil {
		return nil, err
	}

	if s := found.Replay; s.AtOnce && s.Status == replay.Failed {
		for _, code := range fault.Defined() {
			if code.Name() == s.Failure {
				return nil, code
			}
		}
	}

	answer, err := replayAnswerOf(found)
	if err != nil {
		return nil, err
	}

	answer.Replayed = "true"
	if answer.Status == http.StatusAccepted {
		answer.Body = resource
	}

	return answer, nil
}

func replayAnswerOf(found application.Result) (*replayAnswer, error) {
	answer := &replayAnswer{
		Status:   http.StatusAccepted,
		Location: Base + "/replays/" + found.Replay.ID,
		Body:     replayResourceOf(found.Replay),
	}
	if !found.Complete {
		return answer, nil
	}

	body, err := replayBodyOf(found)
	answer.Status = http.StatusOK
	answer.Body = body

	return answer, err
}

func replayBodyOf(found application.Result) (replayBody, error) {
	s := found.Replay
	body := replayBody{
		From:        s.Period.From,
		To:          s.Period.To,
		DryRun:      s.DryRun,
		Events:      int(s.Progress.Done.Events),
		Users:       int(s.Progress.Done.Users),
		Differences: differencesOf(found.Differences),
		Totals:      totalsOf(s.Progress.Sums),
	}

	text, err := json.Marshal(body.Differences)
	hash := sha256.Sum256(text)
	body.SHA256 = hex.EncodeToString(hash[:])

	return body, err
}

func differencesOf(found []application.Difference) []differenceBody {
	out := make([]differenceBody, len(found))
	for i, d := range found {
		text := func(minor int64) string { return money.FromMinor(minor, d.Currency).String() }
		out[i] = differenceBody{
			UserID:          d.Event.UserID(),
			EventID:         d.Event.ID(),
			OccurredAt:      d.Event.OccurredAt(),
			Currency:        d.Currency.String(),
			Expected:        text(d.Expected),
			ExpectedMinor:   d.Expected,
			Posted:          text(d.Posted),
			PostedMinor:     d.Posted,
			Difference:      text(d.Expected - d.Posted),
			DifferenceMinor: d.Expected - d.Posted,
		}
	}

	return out
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
