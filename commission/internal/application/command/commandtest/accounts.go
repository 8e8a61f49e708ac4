package commandtest

import (
	"maps"
	"strings"
	"testing"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/payout"
)

// AccountsWorld is what opens account details, and how they are sealed.
type AccountsWorld struct {
	Accounts command.Accounts
	// Seal returns details that only the payout with the id opens.
	Seal func(t *testing.T, details, id string) string
	// Lost are details whose key is not in the settings.
	Lost string
}

// AccountsSuite tests the contract of command.Accounts.
func AccountsSuite(t *testing.T, w AccountsWorld) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, AccountsWorld){
		"an account is the object without white space, and its texts": accountObjects,
		"sealed details are opened":                                   sealedAccounts,
		"an error says nothing of the details":                        closedAccounts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}

func (w AccountsWorld) wantOpened(t *testing.T, details string, want command.Account) {
	t.Helper()

	got, err := w.Accounts.Open(payout.Snapshot{ID: id(1), Details: details})
	if err != nil || got.JSON != want.JSON || !maps.Equal(got.Texts, want.Texts) {
		t.Errorf("%s: %+v, %v; want %+v", details, got, err, want)
	}
}

func accountObjects(t *testing.T, w AccountsWorld) {
	for details, want := range map[string]command.Account{
		`{}`: {JSON: `{}`},
		" {\"email\" : \"u@example.com\",\n\t\"note\":\"two  words\"} ": {
			JSON:  `{"email":"u@example.com","note":"two  words"}`,
			Texts: map[string]string{"email": "u@example.com", "note": "two  words"},
		},
		`{"name":"M\u00fcller","none":"","n":7,"big":12345678901234567890,"yes":true,"in":{"a":"b"}}`: {
			JSON:  `{"name":"M\u00fcller","none":"","n":7,"big":12345678901234567890,"yes":true,"in":{"a":"b"}}`,
			Texts: map[string]string{"name": "Müller", "none": ""},
		},
		`{"list":["a"],"null":null}`: {JSON: `{"list":["a"],"null":null}`},
	} {
		w.wantOpened(t, details, want)
	}
}

func sealedAccounts(t *testing.T, w AccountsWorld) {
	w.wantOpened(
		t,
		w.Seal(t, `{"email": "u@example.com"}`, id(1)),
		command.Account{
			JSON:  `{"email":"u@example.com"}`,
			Texts: map[string]string{"email": "u@example.com"},
		},
	)
}

func closedAccounts(t *testing.T, w AccountsWorld) {
	for name, details := range map[string]string{
		"nothing":             ``,
		"null":                `null`,
		"a number":            `7`,
		"a list":              `["secret"]`,
		"a text":              `"secret"`,
		"half an object":      `{"email":"secret"`,
		"more than an object": `{"email":"secret"} secret`,
		"another payout's":    w.Seal(t, `{"email":"secret"}`, id(2)),
		"no object inside":    w.Seal(t, `["secret"]`, id(1)),
		"with a lost key":     w.Lost,
	} {
		got, err := w.Accounts.Open(payout.Snapshot{ID: id(1), Details: details})
		if err == nil || got.JSON != "" || len(got.Texts) > 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}

		if strings.Contains(err.Error(), "secret") ||
			len(details) > 10 && strings.Contains(err.Error(), details) {
			t.Errorf("%s: the error has the details: %v", name, err)
		}
	}
}
