package command

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/commission/internal/domain/payout"
)

// Unseal opens sealed account details, which are bound to the id of their command. It is nil
// without keys.
type Unseal func(text, commandID string) ([]byte, error)

// Account is what a partner sent about the account to pay to. It is personal data: it is written
// to a payment file or to the answer of one who may read it, and nowhere else.
type Account struct{ details jsontext.Value }

var (
	errSealed = errors.New("the account details are sealed with a key that is not in the settings")
	errNoJSON = errors.New("the account details are not a JSON object of at most 8 KiB")
)

// openAccount returns the account of a payout. Its errors say nothing about the details.
func openAccount(p payout.Snapshot, unseal Unseal) (Account, error) {
	details := jsontext.Value(p.Details)
	if details.Kind() == jsontext.KindString {
		text, err := jsontext.AppendUnquote(nil, details)
		if err != nil || unseal == nil {
			return Account{}, errSealed
		}

		if details, err = unseal(string(text), p.ID); err != nil {
			return Account{}, errSealed
		}
	}

	if details.Kind() != jsontext.KindBeginObject || !details.IsValid() {
		return Account{}, errNoJSON
	}

	details = details.Clone()
	if err := details.Compact(); err != nil {
		return Account{}, errNoJSON
	}

	return Account{details: details}, nil
}

// OpenAccountOf returns the account of a payout whose details are not sealed.
func OpenAccountOf(p payout.Snapshot) (Account, error) { return openAccount(p, nil) }

// JSON returns the details as the JSON object that the partner sent, without white space.
func (a Account) JSON() jsontext.Value { return a.details }

// Texts returns the members of the details that are texts.
func (a Account) Texts() map[string]string {
	var members map[string]jsontext.Value

	texts := map[string]string{}
	if json.Unmarshal(a.details, &members) != nil {
		return texts
	}

	for name, value := range members {
		var text string
		if value.Kind() == jsontext.KindString && json.Unmarshal(value, &text) == nil {
			texts[name] = text
		}
	}

	return texts
}
