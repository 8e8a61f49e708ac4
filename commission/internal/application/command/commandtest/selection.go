package commandtest

import (
	"context"
	"maps"
	"slices"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/commission"
)

func (s commissions) Selected(
	_ context.Context,
	selection command.Selection,
) ([]commission.Commission, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.selected(selection), nil
}

func (s commissions) UpdateSelected(
	_ context.Context,
	request change.Request,
	selection command.Selection,
	fn func([]commission.Commission) (change.Outcome, error),
) error {
	return s.Once(request, func() (change.Outcome, error) {
		selected := s.selected(selection)

		outcome, err := fn(selected)
		if err == nil {
			s.save(selected...)
		}

		return outcome, err
	})
}

// selected returns the commissions of the selection, the newest ones if there are too many.
func (s commissions) selected(selection command.Selection) []commission.Commission {
	followers := map[string][]commission.Snapshot{}

	var originals []commission.Snapshot

	for _, id := range slices.Sorted(maps.Keys(s.commissions)) {
		c := s.commissions[id]
		if c.ReversesID != "" {
			followers[c.ReversesID] = append(followers[c.ReversesID], c)
		}

		if selects(selection, &c) {
			originals = append(originals, c)
		}
	}

	var found []commission.Commission
	for _, c := range originals[max(0, len(originals)-selection.Limit):] {
		found = append(found, commission.Restore(c, followers[c.ID]...))
	}

	return found
}

func selects(selection command.Selection, c *commission.Snapshot) bool {
	f := selection.Filter
	for _, equal := range []struct{ wanted, is string }{
		{f.UserID, c.UserID},
		{f.CampaignID, c.CampaignID},
		{f.ProductID, c.ProductID},
		{f.EventType, string(c.EventType)},
		{f.Status, string(c.Status)},
		{f.Kind, string(c.Kind)},
		{f.Currency, c.Amount.Currency().String()},
	} {
		if equal.wanted != "" && equal.wanted != equal.is {
			return false
		}
	}

	return selection.Owner.Sees(c.UserID) &&
		slices.Contains(selection.Action.From(c.Role()), c.Status) &&
		(selection.UpTo == "" || c.ID <= selection.UpTo) &&
		!c.OccurredAt.Before(f.OccurredFrom) &&
		(f.OccurredTo.IsZero() || c.OccurredAt.Before(f.OccurredTo))
}
