package commandtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/payout"
)

// Accounts opens account details that are plain, or sealed by Seal. The zero Accounts is ready.
type Accounts struct{}

var _ command.Accounts = Accounts{}

// Seal returns details that only the payout with the id opens.
func Seal(details, id string) string {
	sealed, err := json.Marshal("sealed for " + id + ":" + details)
	if err != nil {
		return ""
	}

	return string(sealed)
}

// Open implements command.Accounts.
func (Accounts) Open(p payout.Snapshot) (command.Account, error) {
	details := p.Details

	var text string
	if json.Unmarshal([]byte(details), &text) == nil {
		plain, mine := strings.CutPrefix(text, "sealed for "+p.ID+":")
		if !mine {
			return command.Account{}, errors.New("the details are sealed for another payout")
		}

		details = plain
	}

	var (
		members map[string]any
		compact bytes.Buffer
	)
	if json.Unmarshal([]byte(details), &members) != nil || members == nil ||
		json.Compact(&compact, []byte(details)) != nil {
		return command.Account{}, errors.New("the details are not a JSON object")
	}

	texts := map[string]string{}

	for name, value := range members {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}

	return command.Account{JSON: compact.String(), Texts: texts}, nil
}
