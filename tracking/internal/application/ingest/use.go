package ingest

import "time"

// Use is the use of an idempotency key by a request. Keys belong to a caller.
type Use struct {
	Caller string
	Key    string
	// Hash is of operation and content: the same key with another Hash is refused.
	Hash [32]byte
	At   time.Time // of receipt, equal to that of the request's events
}
