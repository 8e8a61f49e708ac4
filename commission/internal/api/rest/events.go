package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"tributary/commission/internal/api/wire"
	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/domain/effect"
	"tributary/platform/auth"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
)

// eventBody is a change, in the feed and as a message of the topic.
type eventBody struct {
	ID            string        `json:"id" format:"uuid" doc:"The id of the event, a UUIDv7. An event that comes again has the same id."`
	Sequence      int64         `json:"sequence" minimum:"1" doc:"Counts the events of the user, or of the rule, from 1 and without gaps." example:"17"`
	Type          string        `json:"type" enum:"decision.made,commission.approved,commission.held,commission.released,commission.rejected,commission.reversed,commission.adjusted,payout.requested,payout.rejected,payout.completed,payout.failed,payout.cancelled,payout.updated,rule.published,rule.retired" doc:"What happened."`
	SchemaVersion string        `json:"schema_version" enum:"v1" doc:"The version of this form."`
	UserID        string        `json:"user_id,omitempty" doc:"The user whose money it is about. Absent from events of rules." example:"user123"`
	OccurredAt    time.Time     `json:"occurred_at" doc:"When the change was made."`
	CausedBy      eventCause    `json:"caused_by" doc:"What caused the change."`
	Data          eventData     `json:"data" doc:"What the event is about, as it was after the change."`
	Previous      eventPrevious `json:"previous" doc:"What it was before. Empty for something new."`
}

type eventCause struct {
	Kind  string `json:"kind" enum:"event,operator,clock,replay,payment_request" doc:"event: a tracking event. operator: a request to the API. clock: time has passed. replay: a replay of past events. payment_request: a partner's request."`
	ID    string `json:"id" doc:"The id of the event, request or command; for the clock, what ended." example:"event789"`
	Actor string `json:"actor,omitempty" doc:"The person, if there is one. Absent for partners." example:"operator1"`
}

type eventData struct {
	Decision   *decisionBody  `json:"decision,omitempty" doc:"The decision about an event."`
	Commission *CommissionRow `json:"commission,omitempty" doc:"The commission. How far it is paid follows from the payouts."`
	Payout     *PayoutRow     `json:"payout,omitempty" doc:"The payout."`
	Rule       *wire.Rule     `json:"rule,omitempty" doc:"The version of the rule; if the rule is retired, the last one."`
}

type eventPrevious struct {
	Status  string `json:"status,omitempty" doc:"The status before." example:"pending"`
	Version int    `json:"version,omitzero" doc:"The version before." example:"1"`
}

const eventSchema = "v1"

func eventBodyOf(e eventlog.Event) eventBody {
	b := eventBody{
		ID:            e.ID(),
		Sequence:      e.Sequence,
		Type:          string(e.Type),
		SchemaVersion: eventSchema,
		UserID:        e.UserID,
		OccurredAt:    e.At,
		CausedBy: eventCause{
			Kind:  string(e.Cause.Kind),
			ID:    e.Cause.ID,
			Actor: e.Cause.Actor,
		},
		Previous: eventPrevious{Status: e.PreviousStatus, Version: e.PreviousVersion},
	}

	if e.Decision != nil {
		b.Data.Decision = new(decisionBodyOf(*e.Decision))
	}

	if e.Commission != nil {
		b.Data.Commission = new(commissionRowOf(*e.Commission))
	}

	if e.Payout != nil {
		b.Data.Payout = new(payoutRowOf(*e.Payout))
	}

	if e.Rule != nil {
		b.Data.Rule = new(wire.RuleOf(*e.Rule))
	}

	return b
}

// MarshalEvent returns the event as the topic has it.
func MarshalEvent(e eventlog.Event) ([]byte, error) {
	if e.Decision != nil {
		return decisionMessage(e), nil
	}

	return json.Marshal(eventBodyOf(e))
}

type listEventsInput struct {
	httpapi.ListInput
	UserID string   `query:"user_id" maxLength:"128" doc:"Only events of this user." example:"user123"`
	Type   []string `query:"type" maxItems:"15" enum:"decision.made,commission.approved,commission.held,commission.released,commission.rejected,commission.reversed,commission.adjusted,payout.requested,payout.rejected,payout.completed,payout.failed,payout.cancelled,payout.updated,rule.published,rule.retired" doc:"Only events of these types, separated by commas."`
	Wait   string   `query:"wait" pattern:"^([0-9]|[12][0-9]|30)s$" doc:"How long to wait for an event if there is none yet, at most 30s." example:"20s"`
}

// types returns the types that are asked for.
func (in *listEventsInput) types() []effect.Type {
	var out []effect.Type
	for _, name := range in.Type {
		out = append(out, effect.Type(name))
	}

	return out
}

type eventCursor struct {
	Tx       uint64 `json:"tx"`
	Seq      int64  `json:"seq"`
	Sequence int64  `json:"sequence"`
}

type eventList struct {
	Body httpapi.Page[eventBody]
}

var errTooManyWait = fault.Define(
	fault.Unavailable,
	"feed_no_room",
	"Too many requests wait for events at this replica, of any caller or of this one. Ask without "+
		"wait, or retry after the time in Retry-After.",
)

const (
	// longPolls is how many requests may wait at once; each takes some 40 KiB.
	longPolls = 500
	pollAgain = 5 * time.Second
)

func registerEvents(api huma.API, feed *eventlog.Feed) {
	room := httpapi.NewShares(longPolls)
	huma.Register(
		api,
		readOperation(huma.Operation{
			OperationID: "list-events",
			Path:        "/events",
			Summary:     "Read the feed of changes",
			Description: "Returns every change of commissions, payouts and rules, the oldest first, as the " +
				"topic commission-events has them. The feed never ends: an empty page has the cursor to " +
				"come back with, and with wait the answer comes as soon as there is an event. A page may " +
				"be empty while has_more is true, if few events match. A partner sees its own.",
			Tags:   []string{"Events"},
			Errors: []int{http.StatusConflict, http.StatusServiceUnavailable},
		}),
		func(ctx context.Context, in *listEventsInput) (*eventList, error) {
			if err := checkIDs("user_id", in.UserID); err != nil {
				return nil, err
			}

			var cursor eventCursor
			if err := openCursor(ctx, &in.ListInput, in.UserID, &cursor); err != nil {
				return nil, err
			}

			wait, _ := time.ParseDuration(in.Wait) // the pattern is checked
			if wait > 0 {
				caller := httpapi.Caller(ctx)
				if !room.Take(caller, 1) {
					return nil, errTooManyWait.New(
						"Too many requests wait for events, of all callers or of you.",
					).RetryIn(pollAgain)
				}

				defer room.Release(caller, 1)
			}

			page, err := feed.Handle(ctx, callerOf(ctx), eventlog.Question{
				Filter: eventlog.Filter{UserID: in.UserID, Types: in.types()},
				After: eventlog.Cursor{
					Position: eventlog.Position{Tx: cursor.Tx, Seq: cursor.Seq},
					Sequence: cursor.Sequence,
				},
				Limit: in.Limit,
				Wait:  wait,
			}, httpapi.Stopping(ctx))
			if err != nil {
				return nil, err
			}

			return &eventList{Body: httpapi.FeedOf(
				&in.ListInput,
				eventsFor(ctx, page.Events),
				page.More,
				eventCursor{
					Tx:       page.Next.Position.Tx,
					Seq:      page.Next.Position.Seq,
					Sequence: page.Next.Sequence,
				},
			)}, nil
		},
	)
}

// eventsFor leaves out what is not for the caller. An operator's reason is in no event.
func eventsFor(ctx context.Context, events []eventlog.Event) []eventBody {
	bodies := make([]eventBody, len(events))
	for i, e := range events {
		if !auth.SeesAll(ctx) {
			e.Cause = causeForPartners(e.Cause)
		}

		bodies[i] = eventBodyOf(e)
	}

	return bodies
}

// causeForPartners does not say who made a change, nor by which request.
func causeForPartners(c change.Cause) change.Cause {
	if c.Kind == change.ByOperator || c.Kind == change.ByReplay {
		c.ID = string(c.Kind)
	}

	c.Actor = ""

	return c
}
