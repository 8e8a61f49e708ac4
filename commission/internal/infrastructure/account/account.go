// Package account (infrastructure) reads account details, which are JSON, sealed or plain.
package account

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/payout"
)

// Unseal opens sealed account details, which are bound to the id of their command.
type Unseal func(text, commandID string) ([]byte, error)

// Reader opens account details.
type Reader struct{ unseal Unseal }

var _ command.Accounts = Reader{}

// NewReader returns a reader. Without unseal (nil) sealed details stay closed.
func NewReader(unseal Unseal) Reader { return Reader{unseal: unseal} }

var (
	errSealed = errors.New("the account details are sealed with a key that is not in the settings")
	errNoJSON = errors.New("the account details are not a JSON object of at most 8 KiB")
)

func (r Reader) Open(p payout.Snapshot) (command.Account, error) {
	details := jsontext.Value(p.Details)
	if details.Kind() == jsontext.KindString {
		text, err := jsontext.AppendUnquote(nil, details)
		if err != nil || r.unseal == nil {
			return command.Account{}, errSealed
		}

		if details, err = r.unseal(string(text), p.ID); err != nil {
			return command.Account{}, errSealed
		}
	}

	if details.Kind() != jsontext.KindBeginObject || !details.IsValid() {
		return command.Account{}, errNoJSON
	}

	details = details.Clone()
	if err := details.Compact(); err != nil {
		return command.Account{}, errNoJSON
	}

	texts, err := textsOf(details)

	return command.Account{JSON: string(details), Texts: texts}, err
}

// textsOf returns the members that are texts.
func textsOf(details jsontext.Value) (map[string]string, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(details, &members); err != nil {
		return nil, errNoJSON
	}

	texts := map[string]string{}

	for name, value := range members {
		var text string
		if value.Kind() == jsontext.KindString && json.Unmarshal(value, &text) == nil {
			texts[name] = text
		}
	}

	return texts, nil
}
