package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/contracts/eventtype"
	"tributary/platform/auth"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/identifier"
	"tributary/tracking/internal/application/query"
)

type readInput struct {
	EventID string `path:"event_id" doc:"The id of the event." example:"event789"`
}

type readOutput struct{ Body Event }

func registerRead(api huma.API, log *query.Handler) {
	op := huma.Operation{
		OperationID: "get-event",
		Method:      http.MethodGet,
		Path:        path + "/{event_id}",
		Summary:     "Get an event",
		Description: "Returns the event as it was recorded.",
		Tags:        []string{tag},
		Security:    auth.Require(auth.Partner, auth.Operator, auth.Finance),
		Errors:      []int{http.StatusNotFound},
	}
	huma.Register(api, op, func(ctx context.Context, in *readInput) (*readOutput, error) {
		if !identifier.Readable(in.EventID) {
			return nil, query.ErrNotFound
		}

		entry, err := log.Event(ctx, in.EventID)
		if err != nil {
			return nil, err
		}

		if !auth.MaySee(ctx, entry.Event.Snapshot().UserID) {
			return nil, query.ErrNotFound
		}

		return &readOutput{Body: eventOf(entry)}, nil
	})
}

type listInput struct {
	httpapi.ListInput

	UserID       string    `query:"user_id" doc:"Only events of this user." example:"user123"`
	EventType    eventType `query:"event_type" doc:"Only events of this type."`
	CampaignID   string    `query:"campaign_id" doc:"Only events of this campaign."`
	OccurredFrom time.Time `query:"occurred_from" doc:"Inclusive."`
	OccurredTo   time.Time `query:"occurred_to" doc:"Exclusive."`
}

type listOutput struct{ Body httpapi.Page[Event] }

// place is the end of a page.
type place struct {
	Seq int64 `json:"seq"`
}

func registerList(api huma.API, log *query.Handler) {
	op := huma.Operation{
		OperationID: "list-events",
		Method:      http.MethodGet,
		Path:        path,
		Summary:     "List events",
		Tags:        []string{tag},
		Security:    auth.Require(auth.Partner, auth.Operator, auth.Finance),
		Description: "Returns events in the order in which they were recorded. Following next_cursor returns " +
			"every event once, even while events are being recorded. A page of large events has fewer than limit.",
	}
	huma.Register(api, op, func(ctx context.Context, in *listInput) (*listOutput, error) {
		filter, err := in.filter(ctx)
		if err != nil {
			return nil, err
		}

		var from place
		if err := in.After(filter.UserID, &from); err != nil {
			return nil, err
		}

		entries, more, err := log.Events(ctx, filter, from.Seq, in.Limit)
		if err != nil {
			return nil, err
		}

		events := make([]Event, len(entries))
		for i, entry := range entries {
			events[i] = eventOf(entry)
		}

		page := httpapi.PageOf(&in.ListInput, events, more, func(e Event) place {
			return place{Seq: e.seq}
		})

		return &listOutput{Body: page}, nil
	})
}

func (in *listInput) filter(ctx context.Context) (query.Filter, error) {
	var faults fault.Fields

	identifier.CheckOptional(&faults, "user_id", in.UserID)
	identifier.CheckOptional(&faults, "campaign_id", in.CampaignID)

	if !in.OccurredFrom.IsZero() && !in.OccurredTo.IsZero() &&
		!in.OccurredTo.After(in.OccurredFrom) {
		faults.Add("occurred_to", fault.ErrNotAfter, "must be after occurred_from")
	}

	if err := faults.Err(); err != nil {
		return query.Filter{}, err
	}

	user, err := auth.OwnUser(ctx, in.UserID)

	return query.Filter{
		UserID:     user,
		CampaignID: in.CampaignID,
		Type:       eventtype.Type(in.EventType),
		From:       in.OccurredFrom,
		To:         in.OccurredTo,
	}, err
}
