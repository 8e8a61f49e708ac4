package account_test

import (
	"strconv"
	"testing"

	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/infrastructure/account"
	"tributary/platform/sealed"
)

// ring returns a ring with the key.
func ring(t *testing.T, key string) *sealed.Ring {
	t.Helper()

	keys, err := sealed.Load(sealed.Config{Keys: key})
	if err != nil {
		t.Fatal(err)
	}

	return keys
}

// seal returns the details as the bff seals them.
func seal(t *testing.T, with *sealed.Ring, details, id string) string {
	t.Helper()

	text, err := with.Seal([]byte(details), id)
	if err != nil {
		t.Fatal(err)
	}

	return strconv.Quote(text)
}

const (
	known   = "k:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	unknown = "l:AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	payment = "019ab2c3-4d5e-7f60-8a7b-000000000001"
)

func TestTheReaderKeepsTheContract(t *testing.T) {
	t.Parallel()

	keys := ring(t, known)

	commandtest.AccountsSuite(t, commandtest.AccountsWorld{
		Accounts: account.NewReader(keys.Open),
		Seal: func(t *testing.T, details, id string) string {
			t.Helper()
			return seal(t, keys, details, id)
		},
		Lost: seal(t, ring(t, unknown), `{"email":"secret"}`, payment),
	})
}

// Without keys what is sealed stays closed, and what is plain is opened.
func TestAReaderWithoutKeys(t *testing.T) {
	t.Parallel()

	reader := account.NewReader(nil)

	got, err := reader.Open(payout.Snapshot{
		ID:      payment,
		Details: seal(t, ring(t, known), `{"email":"secret"}`, payment),
	})
	if err == nil || got.JSON != "" {
		t.Errorf("sealed details: %+v, %v", got, err)
	}

	if got, err := reader.Open(
		payout.Snapshot{ID: payment, Details: `{"email":"a"}`},
	); err != nil || got.Texts["email"] != "a" {
		t.Errorf("plain details: %+v, %v", got, err)
	}
}
