package postgres

import (
	"sync"
	"time"

	"tributary/platform/money"
)

// end is where the history of a user ends: what follows is numbered, and positioned, from there.
type end struct {
	sums     []endSum // a handful: currencies by sides
	sequence int64    // of the last event, 0 if it is not known
	known    moment   // when sequence was the last one
}

type endSum struct {
	key sumKey
	sum money.Total
}

// moment is when and where an end was read: a day of UTC, and the start of the database server.
type moment struct{ day, server time.Time }

func (m moment) equal(n moment) bool { return m.day.Equal(n.day) && m.server.Equal(n.server) }

// sum returns the sum, 0 if there is none.
func (e *end) sum(key sumKey) money.Total {
	for i := range e.sums {
		if e.sums[i].key == key {
			return e.sums[i].sum
		}
	}

	return money.TotalOf(0, key.currency)
}

func (e *end) set(key sumKey, sum money.Total) {
	for i := range e.sums {
		if e.sums[i].key == key {
			e.sums[i].sum = sum
			return
		}
	}

	e.sums = append(e.sums, endSum{key: key, sum: sum})
}

// ends are those of the users of a transaction.
type ends map[string]*end

// recentEnds holds the ends of users as consumption has committed them last, so that the next batch
// does not read them again. Whoever else of this process writes for a user removes the user. An end
// that is no longer true, because another replica wrote, is refused by the database: events of a
// day are unique by user and number, and positions follow each other. The transaction is then
// repeated without any of them.
type recentEnds struct {
	mu    sync.Mutex
	of    map[string]heldEnd
	rests int // for so many batches
}

type heldEnd struct {
	*end

	taken bool // by a transaction, the only one that may put it back
}

const (
	// recentUsers bounds the ends that are held. Each takes up to half a KiB.
	recentUsers = 20_000

	// restAfterRefusal is for how many batches nothing is held after a refusal. Where replicas
	// write for the same users, one batch in so many is in vain.
	restAfterRefusal = 100
)

func newRecentEnds() *recentEnds { return &recentEnds{of: map[string]heldEnd{}} }

// take takes out the ends of the users. It returns those that are known, and the other users.
func (r *recentEnds) take(users []string) (ends, []string) {
	taken := make(ends, len(users))

	r.mu.Lock()
	defer r.mu.Unlock()

	var missing []string
	for _, user := range users {
		if taken[user] != nil {
			continue
		}

		held, here := r.of[user]
		if !here || held.taken {
			held.end = &end{}
			missing = append(missing, user)
		}

		held.taken = true
		r.of[user], taken[user] = held, held.end
	}

	return taken, missing
}

// remove forgets the users, and refuses what transactions that have taken them would put back.
func (r *recentEnds) remove(users []string) {
	r.mu.Lock()
	defer r.mu.Unlock()

	for _, user := range users {
		delete(r.of, user)
	}
}

// put returns what was taken, as it was committed.
func (r *recentEnds) put(taken ends) {
	r.mu.Lock()
	defer r.mu.Unlock()

	if r.rests > 0 {
		r.rests--
		return
	}

	for user, e := range taken {
		if r.of[user].end == e {
			r.of[user] = heldEnd{end: e}
		}
	}

	for user := range r.of { // any of them
		if len(r.of) <= recentUsers {
			break
		}

		delete(r.of, user)
	}
}

// rest forgets everything, and holds nothing for some batches.
func (r *recentEnds) rest() {
	r.mu.Lock()
	defer r.mu.Unlock()

	clear(r.of)
	r.rests = restAfterRefusal
}
