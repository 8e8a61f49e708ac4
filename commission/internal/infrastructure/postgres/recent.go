package postgres

import (
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
)

// recent holds the decisions that this process has committed last, so that its relay does not read
// them from the database again. It may miss any of them: those of other replicas, those of a commit
// whose outcome is not known, and those that were made while the relay was behind are read from the
// tables.
//
// Only what is known to be committed comes in. From then on the decision about the event is the
// only one and does not change, unless it was parked: then the log says so.
type recent struct {
	mu     sync.Mutex
	idle   bool // another replica relays
	behind bool // the relay did not take what was held, and has not read to the end since
	made   map[string]made
}

// made is a decision and its commission, as they were when they were new. They belong to the slices
// of their batch.
type made struct {
	decision   *command.Decided
	commission *commission.Snapshot // nil without one
	at         time.Time
}

// recentDecisions bounds the decisions that are held. Each takes up to 2 KiB.
const recentDecisions = 4000

func newRecent() *recent {
	return &recent{made: make(map[string]made, recentDecisions)}
}

// Through returns the same store over another pool.
func (s *Store) Through(pool *pgxpool.Pool) *Store {
	return &Store{pool: pool, recent: s.recent, ends: s.ends}
}

// keep adds what was committed. If there is no room, the relay is behind: it reads everything from
// the tables until it has caught up, since what would be held now is what it needs last.
func (r *recent) keep(c *command.DecisionChanges) {
	commissions := c.Commissions

	r.mu.Lock()
	defer r.mu.Unlock()

	if r.idle || r.behind || len(c.Resolved) > 0 {
		return
	}

	if len(r.made)+len(c.Decisions) > recentDecisions {
		r.behind = true
		clear(r.made)

		return
	}

	for i := range c.Decisions {
		m := made{decision: &c.Decisions[i], at: c.Now}

		// the commissions are in the order of their decisions
		if id := m.decision.CommissionID; id != "" {
			if len(commissions) == 0 || commissions[0].ID != id {
				continue
			}

			m.commission, commissions = &commissions[0], commissions[1:]
		}

		r.made[m.decision.Event.ID()] = m
	}
}

// caughtUp tells that the relay has read to the end of the log.
func (r *recent) caughtUp() {
	r.mu.Lock()
	defer r.mu.Unlock()

	r.behind = false
}

// take moves the decision that the row is about, and its commission, to what is known. It reports
// whether it was there.
func (r *recent) take(row *logRow, into *things) bool {
	if r == nil || row.Type != effect.DecisionMade || row.PreviousStatus != "" {
		return false
	}

	id := row.SubjectID

	r.mu.Lock()
	m, found := r.made[id]
	delete(r.made, id)
	r.mu.Unlock()

	if !found {
		return false
	}

	into.decisions[id] = query.Decided{
		Decision:     m.decision.Decision,
		CommissionID: m.decision.CommissionID,
		DecidedAt:    m.at,
	}
	if m.commission != nil {
		into.commissions[m.commission.ID] = *m.commission
	}

	return true
}

// serve keeps decisions from now on, or drops them, if another replica relays.
func (r *recent) serve(relays bool) {
	r.mu.Lock()
	defer r.mu.Unlock()

	r.idle = !relays
	if r.idle {
		clear(r.made)
	}
}
