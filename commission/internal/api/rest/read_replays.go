package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/replay"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
)

type replayResource struct {
	ID              string      `json:"id" format:"uuid" doc:"The id of the replay."`
	Status          string      `json:"status" enum:"running,completed,cancelled,failed" doc:"running: it continues, also after an interruption. completed: all users are done. cancelled and failed: it has ended early; what it has posted remains."`
	Failure         *string     `json:"failure" doc:"The code of the error with which it has failed. Null otherwise." example:"replay_rules_changed"`
	From            time.Time   `json:"from" doc:"Start of the period in which the events occurred, inclusive."`
	To              time.Time   `json:"to" doc:"Exclusive."`
	DryRun          bool        `json:"dry_run" doc:"Whether nothing is posted."`
	Reason          string      `json:"reason" doc:"Kept with the adjustments." example:"agreed in March"`
	RequestedBy     string      `json:"requested_by" doc:"Who requested it." example:"admin1"`
	RequestedAt     time.Time   `json:"requested_at" doc:"When it was requested."`
	RulesRevision   int64       `json:"rules_revision" doc:"The revision of the rules by which it decides. The replay fails if the rules change." example:"7"`
	TotalUsers      *int64      `json:"total_users" doc:"The number of users with events in the period. Null until they are counted." example:"2500"`
	TotalEvents     *int64      `json:"total_events" doc:"The number of events in the period. Null until they are counted." example:"1000000"`
	Users           int64       `json:"users" doc:"The number of users that are done." example:"25"`
	Events          int64       `json:"events" doc:"The number of events of the period, of these users, that were decided again." example:"1000"`
	DifferenceCount int64       `json:"difference_count" doc:"The number of differences that were found, which are adjustments unless it is a dry run. GET /replays/{id}/differences lists them." example:"12"`
	Totals          []totalBody `json:"totals" doc:"The sums of these differences, one for each currency."`
	UpdatedAt       time.Time   `json:"updated_at" doc:"When it last went on."`
	EndedAt         *time.Time  `json:"ended_at" doc:"When it ended. Null before."`
}

func replayResourceOf(s replay.Snapshot) replayResource {
	body := replayResource{
		ID:              s.ID,
		Status:          string(s.Status),
		Failure:         optional(s.Failure),
		From:            s.Period.From,
		To:              s.Period.To,
		DryRun:          s.DryRun,
		Reason:          s.Reason,
		RequestedBy:     s.Actor,
		RequestedAt:     s.RequestedAt,
		RulesRevision:   s.Revision,
		Users:           s.Progress.Done.Users,
		Events:          s.Progress.Done.Events,
		DifferenceCount: s.Progress.Differences,
		Totals:          totalsOf(s.Progress.Sums),
		UpdatedAt:       s.ChangedAt,
		EndedAt:         optionalTime(s.EndedAt),
	}
	if total := s.Progress.Total; total != nil {
		body.TotalUsers = &total.Users
		body.TotalEvents = &total.Events
	}

	return body
}

type ReplayID struct {
	ID resourceID `path:"id" maxLength:"64" doc:"The id of the replay."`
}

type differencesInput struct {
	ReplayID
	httpapi.ListInput
}

type differenceCursor struct {
	Next int64 `json:"next"`
}

type (
	oneReplay      struct{ Body replayResource }
	replayList     struct{ Body httpapi.Page[replayResource] }
	differenceList struct{ Body httpapi.Page[differenceBody] }
)

func registerReadReplays(api huma.API, uses UseCases) {
	huma.Register(api, staffOperation(huma.Operation{
		OperationID: "list-replays",
		Path:        "/replays",
		Summary:     "List replays",
		Description: "Returns the newest first, with dry runs.",
		Tags:        []string{"Replays"},
	}), func(ctx context.Context, in *httpapi.ListInput) (*replayList, error) {
		var cursor timeCursor
		if err := in.After("", &cursor); err != nil {
			return nil, err
		}

		rows, err := uses.Replays.List(ctx, callerOf(ctx), in.Limit+1, query.Position(cursor))
		if err != nil {
			return nil, err
		}

		bodies := bodiesOf(rows, replayResourceOf)

		return &replayList{Body: httpapi.NewPage(in, bodies, func(b replayResource) timeCursor {
			return timeCursor{b.RequestedAt, b.ID}
		})}, nil
	})
	huma.Register(api, staffOperation(huma.Operation{
		OperationID: "get-replay",
		Path:        "/replays/{id}",
		Summary:     "Get a replay",
		Description: "Returns how far the replay has come, and what it has found.",
		Tags:        []string{"Replays"},
		Errors:      []int{http.StatusNotFound},
	}), func(ctx context.Context, in *ReplayID) (*oneReplay, error) {
		found, err := uses.Replays.Get(ctx, callerOf(ctx), string(in.ID))
		if err != nil {
			return nil, err
		}

		return &oneReplay{Body: replayResourceOf(found)}, nil
	})
	registerDifferences(api, uses)
}

func registerDifferences(api huma.API, uses UseCases) {
	huma.Register(api, staffOperation(huma.Operation{
		OperationID: "list-replay-differences",
		Path:        "/replays/{id}/differences",
		Summary:     "List the differences of a replay",
		Description: "Returns what the replay has found so far, by user, then by time of the event. " +
			"They are posted as adjustments unless it is a dry run.",
		Tags:   []string{"Replays"},
		Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *differencesInput) (*differenceList, error) {
		cursor := differenceCursor{Next: 1}
		if err := in.After("", &cursor); err != nil {
			return nil, err
		}

		found, err := uses.Replays.Differences(
			ctx,
			callerOf(ctx),
			string(in.ID),
			cursor.Next,
			in.Limit+1,
		)
		if err != nil {
			return nil, err
		}

		next := differenceCursor{Next: cursor.Next + int64(in.Limit)}

		return &differenceList{Body: httpapi.NewPage(
			&in.ListInput,
			differencesOf(found),
			func(differenceBody) differenceCursor { return next },
		)}, nil
	})
}

type cancelReplayInput struct {
	ChangeHeaders
	ReplayID
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"The reason, kept in the audit log." example:"wrong period"`
	}
}

func registerCancelReplay(api huma.API, cancel *command.CancelReplay, clock func() time.Time) {
	op := changeOperation(huma.Operation{
		OperationID: "cancel-replay",
		Path:        "/replays/{id}/cancel",
		Summary:     "Cancel a replay",
		Description: "Ends a running replay after its present step. What it has posted remains; " +
			"another replay of the period posts the rest.",
		Tags:   []string{"Replays"},
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, auth.Admin)
	huma.Register(
		api,
		op,
		func(ctx context.Context, in *cancelReplayInput) (*answered[replayResource], error) {
			asked := in.asks(op.OperationID, in.Body.Reason, []any{in.ID, in.Body})

			return changing(
				ctx,
				clock,
				asked,
				replayResourceOf,
				func(r change.Request) (replay.Snapshot, error) {
					return cancel.Handle(ctx, r, string(in.ID))
				},
			)
		},
	)
}
