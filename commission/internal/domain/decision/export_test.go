package decision

// Held returns how many events and orders the course keeps.
func Held(c *Course) int {
	a := c.accounts
	return len(a.events) + len(a.originals) + len(a.parked) + len(a.orders)
}

// Left returns how many earnings and reversals the tally keeps.
func Left(t *Tally) int { return len(t.earned) + len(t.waiting) }
