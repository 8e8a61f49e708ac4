package relay

import (
	"context"
	"fmt"
)

// refusal is returned for an entry that the broker never accepts as it is. It must not be skipped,
// so all others wait for it.
type refusal[P comparable] struct {
	position P
	id       string
	cause    error
}

func (r *refusal[P]) Error() string {
	return fmt.Sprintf(
		"the broker refuses the event with sequence number %v, and all later events wait: raise "+
			"the broker's limit for the size of a message (maxMessageSize): %v",
		r.position,
		r.cause,
	)
}

// refuse records a refusal and logs it once.
func (r *Relay[P, E]) refuse(ctx context.Context, refused *refusal[P]) {
	if known := r.refusal.Swap(refused); known == nil || known.position != refused.position {
		r.deps.Logger.ErrorContext(
			ctx,
			"the broker refuses an event; nothing is published until it accepts the event",
			"seq",
			refused.position,
			"event_id",
			refused.id,
			"error",
			refused,
		)
	}

	r.trouble.Store(new(error(refused)))
}

// calm clears the trouble once the current term has passed the refused event.
func (r *Relay[P, E]) calm(position P) {
	if refused := r.refusal.Load(); refused != nil && r.deps.Compare(position, refused.position) < 0 {
		return
	}

	r.refusal.Store(nil)
	r.trouble.Store(nil)
}
