package rest

import (
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/auth"
	"tributary/tracking/internal/application/command"
)

// Recorded is the answer to one event.
type Recorded struct {
	EventID    string `json:"event_id" doc:"The id of the event in every service." example:"event789"`
	Status     string `json:"status" enum:"recorded,duplicate" doc:"recorded if the event was added to the log, duplicate if the log had it already."`
	ReceivedAt string `json:"received_at" format:"date-time" doc:"When the event was recorded."`
}

func registerRecord(api huma.API, in *command.Handler) {
	op := huma.Operation{
		OperationID: "record-event",
		Method:      http.MethodPost,
		Path:        path,
		Summary:     "Record an event",
		Tags:        []string{tag},
		Security:    auth.Require(auth.Operator),
		Description: "Answers after the event is committed. The same event_id with the same " +
			"content is a duplicate (200), with other content a conflict (409). " + aboutClouds,
		RequestBody: &huma.RequestBody{
			Required: true,
			Content:  content(api, mediaJSON, reflect.TypeFor[EventRequest](), "EventRequest"),
		},
		Parameters: []*huma.Param{idempotencyKey()},
		Errors:     []int{http.StatusConflict},
	}
	cloud := content(api, mediaCloud, reflect.TypeFor[CloudEventRequest](), "CloudEventRequest")
	op.RequestBody.Content[mediaCloud] = cloud[mediaCloud]
	recorded := content(api, mediaJSON, reflect.TypeFor[Recorded](), "Recorded")
	op.Responses = map[string]*huma.Response{
		"201": {
			Description: "Recorded",
			Content:     recorded,
			Headers:     replayedHeader(),
		},
		"200": {
			Description: "A duplicate: the event was recorded before",
			Content:     recorded,
			Headers:     replayedHeader(),
		},
	}
	handle(api, op, func(c call) error { return record(c, in) })
}

func record(c call, in *command.Handler) error {
	body, err := c.body()
	if err != nil {
		return err
	}

	from, err := c.origin(body)
	if err != nil {
		return err
	}

	cloud := c.media() == mediaCloud

	var item command.Item
	read(body, func(r *reader) {
		if cloud {
			item = r.cloudEvent()
		} else {
			item = r.event("")
		}
	})

	result, err := in.Record(c.ctx.Context(), from, item)
	if result.Replayed {
		c.ctx.SetHeader("Idempotency-Replayed", "true")
	}

	if err != nil {
		if cloud {
			return attributeNames(err)
		}

		return err
	}

	text, err := recordedText(result)
	if err != nil {
		return err
	}

	status := http.StatusCreated
	if result.Status == command.Duplicate {
		status = http.StatusOK
	}

	return c.answer(status, text)
}

// recordedText returns a Recorded as JSON. It avoids reflection, since this is the most frequent
// answer.
func recordedText(result command.Result) ([]byte, error) {
	text, err := jsontext.AppendQuote(
		append(make([]byte, 0, 192), `{"event_id":`...),
		result.EventID,
	)
	if err != nil {
		return nil, err
	}

	text = append(append(append(text, `,"status":"`...), result.Status...), `","received_at":"`...)

	return append(result.ReceivedAt.UTC().AppendFormat(text, time.RFC3339Nano), `"}`...), nil
}
