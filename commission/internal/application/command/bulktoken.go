package command

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"time"

	"tributary/commission/internal/domain/commission"
	"tributary/platform/fault"
)

// A token is the newest id of a selection, a point and the hash of what is selected, by whom it is
// filtered, and for which action. What is created after the dry run has a newer id, so it neither
// joins the selection nor spoils the token.

// noID is the newest id of an empty selection.
const noID = "00000000-0000-0000-0000-000000000000"

// form is that of a token, of which newestOf returns the first part.
const form = `^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[A-Za-z0-9_-]{43}$`

// newestOf returns the newest id that belongs to the token's selection.
func newestOf(token string) (string, error) {
	parts := regexp.MustCompile(form).FindStringSubmatch(token)
	if parts == nil {
		return "", fault.Fields{{
			Field:   "token",
			Code:    fault.ErrInvalidValue,
			Message: "must be the token of a dry run",
		}}.Err()
	}

	return parts[1], nil
}

// tokenOf returns the token of the selected commissions, which are in the order of id.
func tokenOf(s Selection, selected []commission.Commission) string {
	newest, hash := noID, sha256.New()

	_, _ = fmt.Fprintf(hash, "%q\n", []string{
		string(s.Action),
		s.Filter.UserID,
		s.Filter.CampaignID,
		s.Filter.ProductID,
		s.Filter.OrderID,
		s.Filter.EventType,
		s.Filter.Status,
		s.Filter.Kind,
		s.Filter.Currency,
	})

	for _, limit := range []time.Time{
		s.Filter.OccurredFrom,
		s.Filter.OccurredTo,
		s.Filter.CreatedFrom,
		s.Filter.CreatedTo,
		s.Filter.Updated.From,
		s.Filter.Updated.To,
	} {
		_, _ = fmt.Fprintln(hash, limit.UTC().Format(time.RFC3339Nano))
	}

	for i := range selected {
		original := selected[i].Snapshot()
		newest = original.ID

		_, _ = fmt.Fprintf(hash, "%q %d\n", original.ID, original.Version)
		for _, follower := range selected[i].Followers() {
			_, _ = fmt.Fprintf(hash, "  %q %d\n", follower.ID, follower.Version)
		}
	}

	return newest + "." + base64.RawURLEncoding.EncodeToString(hash.Sum(nil))
}
