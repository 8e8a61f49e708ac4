package decision

import (
	"slices"
	"time"

	"tributary/commission/internal/domain/event"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/money"
)

// frozen is what a reversal may need of an event that has no order, or an order of its own: there
// may be many that wait for theirs.
type frozen struct {
	at         int64 // microseconds
	base       int64
	position   int64
	capUsed    int64
	reversed   int64
	row        int32 // of the rule
	times      int32
	currency   money.Currency
	kind       uint8 // of eventtype.All, from 1; 0 for none
	outOfRange bool
	rejected   bool
}

// freeze puts away what is known of the events of this turn.
func (c *Course) freeze() {
	for _, named := range c.warm {
		o := c.accounts.originals[named]
		if o == nil {
			continue
		}

		d := o.Decision

		number, tied := c.ties.Number(TieOf(named.ID))
		if _, ordered := c.ties.Number(TieOfOrder(d.Event.Snapshot().Order())); !tied || ordered {
			continue
		}

		c.ties.frozen[number] = frozen{
			at:         d.Event.OccurredAt().UnixMicro(),
			base:       d.Base.Minor(),
			position:   d.Position,
			capUsed:    d.CapUsed,
			reversed:   o.Reversed,
			row:        c.versions.row(d.Rule),
			times:      int32(o.Times), //nolint:gosec // events of one user
			currency:   d.Currency,
			kind:       uint8(1 + slices.Index(c.kinds, d.Event.Type())), //nolint:gosec // a dozen
			outOfRange: d.Reason == AmountOutOfRange,
			rejected:   o.Rejected,
		}

		delete(c.accounts.originals, named)
	}
}

// thaw returns what was put away of the event, or nil. Of its decision it has what reversals read.
func (c *Course) thaw(named Ref) *Original {
	number, tied := c.ties.Number(TieOf(named.ID))
	if !tied || c.ties.frozen[number].kind == 0 {
		return nil
	}

	f := c.ties.frozen[number]
	c.ties.frozen[number] = frozen{}
	c.warm = append(c.warm, named)

	d := Decision{
		Event: event.Restore(event.Snapshot{
			ID:         named.ID,
			UserID:     named.UserID,
			Type:       c.kinds[f.kind-1],
			OccurredAt: time.UnixMicro(f.at).UTC(),
		}),
		Rule:     c.versions.refs[f.row],
		Currency: f.currency,
		Base:     money.FromMinor(f.base, f.currency),
		Position: f.position,
		CapUsed:  f.capUsed,
	}
	if f.outOfRange {
		d.Reason = AmountOutOfRange
	}

	return &Original{
		Decision: d,
		Reversed: f.reversed,
		Times:    int(f.times),
		Rejected: f.rejected,
	}
}

// versions numbers versions of rules, from 0.
type versions struct {
	refs []rule.Ref
	rows map[rule.Ref]int32
}

// row returns the number of a version.
func (v *versions) row(ref rule.Ref) int32 {
	row, known := v.rows[ref]
	if !known {
		if v.rows == nil {
			v.rows = map[rule.Ref]int32{}
		}

		row = int32(len(v.refs)) //nolint:gosec // versions of rules
		v.rows[ref] = row
		v.refs = append(v.refs, ref)
	}

	return row
}
