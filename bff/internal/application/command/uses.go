package command

import "sync"

// maxUses bounds what a process remembers, to about 2 MiB.
const maxUses = 8192

// uses remembers what the latest idempotency keys were used for. The zero value is empty. It is
// safe for concurrent use.
type uses struct {
	mu     sync.Mutex
	hashes map[string]string // by command id
	order  []string          // ids, as a ring once it is full
	next   int               // place of the oldest id in the full ring
}

// claim reports whether the id may stand for the hash: it is not remembered with another. From then
// on it is remembered, until maxUses others have come.
func (u *uses) claim(id, hash string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()

	if known, ok := u.hashes[id]; ok {
		return known == hash
	}

	if u.hashes == nil {
		u.hashes = make(map[string]string)
	}

	if len(u.order) < maxUses {
		u.order = append(u.order, id)
	} else {
		delete(u.hashes, u.order[u.next])
		u.order[u.next] = id
		u.next = (u.next + 1) % maxUses
	}

	u.hashes[id] = hash

	return true
}
