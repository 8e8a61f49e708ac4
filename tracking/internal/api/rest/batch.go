package rest

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"tributary/platform/auth"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/tracking/internal/application/command"
)

const (
	maxBatch    = 1000
	maxReported = 1000 // faults listed in a batch; beyond it, only the first of each item
)

// BatchResults is the answer to a batch.
type BatchResults struct {
	Results []BatchResult `json:"results" doc:"One result for each item, in order."`
}

// BatchResult is the answer to one item of a batch.
type BatchResult struct {
	Index   int        `json:"index" doc:"Position of the item, from 0."`
	EventID string     `json:"event_id,omitempty" doc:"The id of the event; absent if a rejected item has no valid one." example:"event789"`
	Status  string     `json:"status" enum:"recorded,duplicate,rejected" doc:"Outcome of the item."`
	Error   *ItemError `json:"error,omitempty" doc:"Why the item was rejected."`
}

// ItemError says why an item was rejected, as a problem document would.
type ItemError struct {
	Code   string                 `json:"code" doc:"Stable code, as in problem documents."`
	Detail string                 `json:"detail" doc:"What happened and what to do next, for people." example:"The request is invalid; errors lists each fault."`
	Errors []httpapi.ProblemField `json:"errors,omitempty" doc:"Every fault of the item; fields are relative to it. At most 100 of an item and some 1000 of the batch are listed; more_faults reports that there are more."`
}

func registerBatch(api huma.API, in *command.Handler) {
	op := huma.Operation{
		OperationID: "record-events",
		Method:      http.MethodPost,
		Path:        path + "/batch",
		Summary:     "Record up to 1000 events",
		Tags:        []string{tag},
		Security:    auth.Require(auth.Operator),
		Description: "Every item gets its own result, in order; an invalid item does not affect the " +
			"others. An item that repeats an earlier one of the same batch is a duplicate. " + aboutClouds,
		RequestBody: &huma.RequestBody{
			Required: true,
			Content:  content(api, mediaJSON, reflect.TypeFor[BatchRequest](), "BatchRequest"),
		},
		Parameters: []*huma.Param{idempotencyKey()},
	}
	clouds := content(api, mediaClouds, reflect.TypeFor[[]CloudEventRequest](), "CloudEventsRequest")
	op.RequestBody.Content[mediaClouds] = clouds[mediaClouds]
	op.Responses = map[string]*huma.Response{
		"200": {
			Description: "One result for each item",
			Content:     content(api, mediaJSON, reflect.TypeFor[BatchResults](), "BatchResults"),
			Headers:     replayedHeader(),
		},
	}
	handle(api, op, func(c call) error { return recordBatch(c, in) })
}

func recordBatch(c call, in *command.Handler) error {
	body, err := c.body()
	if err != nil {
		return err
	}

	from, err := c.origin(body)
	if err != nil {
		return err
	}

	cloud := c.media() == mediaClouds

	var (
		items  []command.Item
		faults fault.Fields
	)
	read(body, func(r *reader) {
		if cloud {
			items = r.cloudEvents(&faults)
		} else {
			items = r.events(&faults)
		}
	})

	if err := faults.Err(); err != nil {
		return err
	}

	results, err := in.RecordBatch(c.ctx.Context(), from, items)
	if err != nil {
		return err
	}

	answer := BatchResults{Results: make([]BatchResult, len(results))}

	replayed := false
	for i, result := range results {
		answer.Results[i] = batchResult(i, result, cloud)
		replayed = replayed || result.Replayed
	}

	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}

	if replayed {
		c.ctx.SetHeader("Idempotency-Replayed", "true")
	}

	return c.answer(http.StatusOK, text)
}

func batchResult(index int, result command.Result, cloud bool) BatchResult {
	if result.Err == nil {
		return BatchResult{Index: index, EventID: result.EventID, Status: string(result.Status)}
	}

	if cloud {
		result.Err = attributeNames(result.Err)
	}

	return BatchResult{
		Index:   index,
		EventID: result.EventID,
		Status:  "rejected",
		Error:   itemError(result.Err),
	}
}

func itemError(err error) *ItemError {
	f, ok := fault.As(err)
	if !ok {
		return &ItemError{
			Code:   fault.ErrInternal.Name(),
			Detail: "The service failed; the outcome is unknown. Send the item again with the same event_id.",
		}
	}

	e := &ItemError{Code: f.Code(), Detail: f.Detail}
	for _, field := range f.Fields {
		e.Errors = append(
			e.Errors,
			httpapi.ProblemField{Field: field.Field, Code: field.Code.Name(), Message: field.Message},
		)
	}

	return e
}

func (r *reader) events(faults *fault.Fields) []command.Item {
	var items []command.Item
	given := false

	ok := r.members(func(name []byte) {
		if string(name) != `"events"` {
			r.unknown("", name, faults)
			return
		}

		if given = !r.null(); !given {
			return
		}

		items = r.items("events", faults, func() command.Item { return r.event("") })
	})
	switch {
	case !ok:
		faults.Add(whole, fault.ErrWrongType, "must be an object")
	case !given:
		faults.Add("events", fault.ErrRequired, "is required")
	}

	return items
}

// cloudEvents reads the body of a CloudEvents batch.
func (r *reader) cloudEvents(faults *fault.Fields) []command.Item {
	return r.items(whole, faults, r.cloudEvent)
}

func (r *reader) items(field string, faults *fault.Fields, one func() command.Item) []command.Item {
	var items []command.Item
	count, reported := 0, 0

	ok := r.elements(func() {
		if count++; count > maxBatch {
			_ = r.json.SkipValue()
			return
		}

		item := one()
		if reported += len(item.Faults); reported > maxReported && len(item.Faults) > 1 {
			item.Faults = append(item.Faults[:1:1], fault.More())
		}

		items = append(items, item)
	})
	switch {
	case !ok:
		faults.Add(field, fault.ErrWrongType, "must be an array")
	case count > maxBatch:
		faults.Add(field, fault.ErrWrongCount, "must have at most 1000 items")
	}

	return items
}
