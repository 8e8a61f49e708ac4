package replay

import (
	"fmt"
	"maps"
	"slices"

	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/replay"
	"tributary/platform/money"
)

// amount returns what the event has too little.
func (d Difference) amount() money.Amount {
	return money.FromMinor(d.Expected-d.Posted, d.Currency)
}

// count adds the differences to those of the step.
func (p Posting) count(step *replay.Step) {
	for _, d := range p.Differences {
		step.Differences.Add(d.amount())
	}
}

// posting returns the adjustments of the users. The first one of an event without a commission
// takes the place of an earning: clawbacks reverse it, and it is pending until the end of its
// rule's hold period. All others belong to the existing commission, and are pending while that is.
func (h *Handler) posting(asked replay.Snapshot, histories []History) (Posting, error) {
	b := Posting{Usage: map[decision.UsageKey]decision.Usage{}}

	var found []comparison
	for _, history := range histories {
		if history.Rules.Revision() != asked.Revision {
			return b, replay.ErrRulesChanged
		}

		what, err := compare(history, asked.Period)
		if err != nil {
			return b, err
		}

		found = append(found, what)
	}

	b.Now = h.clock()
	for i, history := range histories {
		if err := h.post(&b, asked, history, found[i]); err != nil {
			return b, err
		}
	}

	return b, nil
}

func (h *Handler) post(
	b *Posting,
	asked replay.Snapshot,
	history History,
	found comparison,
) error {
	changed := map[string]*EffectiveDecision{}
	for i := range found.changed {
		changed[found.changed[i].Event.ID()] = &found.changed[i]
	}

	originals, err := found.originals(history, changed)
	if err != nil {
		return err
	}

	for _, d := range found.differences {
		origin := commission.Origin{ID: h.newID(), Now: b.Now}
		correction := commission.Correction{
			ReplayID:    asked.ID,
			Event:       d.Event,
			Amount:      d.amount(),
			AvailableAt: changed[d.Event.ID()].AvailableAt,
			Reason:      asked.Reason,
		}

		made, caused, err := adjust(changed[d.Event.ID()], originals, correction, origin)
		if err != nil {
			return err
		}

		b.Adjustments = append(b.Adjustments, made)
		b.Effect.Add(caused)
	}

	b.Differences = append(b.Differences, found.differences...)
	b.Effective = append(b.Effective, found.changed...)

	for key, usage := range found.usage {
		b.Usage[key] = usage
	}

	return nil
}

// originals returns the commissions of the events with a difference, by id.
func (c comparison) originals(
	history History,
	changed map[string]*EffectiveDecision,
) (map[string]*commission.Commission, error) {
	ids := map[string]bool{}
	for _, d := range c.differences {
		if id := changed[d.Event.ID()].CommissionID; id != "" {
			ids[id] = true
		}
	}

	originals := map[string]*commission.Commission{}
	if len(ids) == 0 {
		return originals, nil
	}

	found, err := history.Commissions(slices.Sorted(maps.Keys(ids)))
	for i := range found {
		originals[found[i].Snapshot().ID] = &found[i]
	}

	return originals, err
}

// adjust returns the adjustment of the event whose effective decision is s.
func adjust(
	s *EffectiveDecision,
	originals map[string]*commission.Commission,
	correction commission.Correction,
	origin commission.Origin,
) (commission.Snapshot, effect.Effect, error) {
	if original, ok := originals[s.CommissionID]; ok {
		return original.Correct(correction, origin)
	}

	if s.CommissionID != "" {
		return commission.Snapshot{}, effect.Effect{}, fmt.Errorf(
			"commission %s of event %s does not exist",
			s.CommissionID,
			correction.Event.ID(),
		)
	}

	made, caused, err := commission.NewCorrection(correction, origin)
	s.CommissionID = origin.ID
	originals[origin.ID] = &made

	return made.Snapshot(), caused, err
}
