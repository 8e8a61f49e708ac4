package rest

import (
	"github.com/go-json-experiment/json"

	"tributary/commission/internal/application/eventlog"
)

// ReflectedEvent returns the event as the feed has it.
func ReflectedEvent(e eventlog.Event) ([]byte, error) { return json.Marshal(eventBodyOf(e)) }
