package decision

// Held returns how many events and orders the course keeps.
func Held(c *Course) int {
	a := c.accounts
	held := len(a.events) + len(a.originals) + len(a.parked) + len(a.orders)

	for _, f := range c.ties.frozen {
		if f.kind != 0 {
			held++
		}
	}

	return held
}

// Left returns how many earnings and reversals the tally keeps.
func Left(t *Tally) int {
	left := len(t.others) + len(t.waiting)

	for _, earned := range t.earned {
		if earned.known {
			left++
		}
	}

	return left
}
