package commandtest_test

import (
	"fmt"
	"testing"
	"time"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/command/commandtest"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

func TestTheAccountsInMemoryKeepTheContract(t *testing.T) {
	t.Parallel()
	commandtest.AccountsSuite(t, commandtest.AccountsWorld{
		Seal: func(_ *testing.T, details, id string) string {
			return commandtest.Seal(details, id)
		},
		Accounts: commandtest.Accounts{},
		Lost:     commandtest.Seal(`{"email":"secret"}`, "another key"),
	})
}

func TestTheFormatOfLinesKeepsTheContract(t *testing.T) {
	t.Parallel()
	commandtest.FormatSuite(t, func(t *testing.T) commandtest.FormatWorld {
		t.Helper()

		yen, err := money.ParseCurrency("JPY")
		if err != nil {
			t.Fatal(err)
		}

		payments := make([]command.Payment, 3)
		for i := range payments {
			email := fmt.Sprint("u", i, "@example.com")
			payments[i] = command.Payment{
				ID:      fmt.Sprintf("019ab2c3-4d5e-7f60-8a7b-%012d", i),
				UserID:  fmt.Sprint("u", i),
				Amount:  money.FromMinor(int64(100+i), money.USD()),
				Account: command.Account{Texts: map[string]string{"email": email}},
			}
		}

		return commandtest.FormatWorld{
			Format: commandtest.Format{Currency: money.USD()},
			Content: command.FileContent{
				Batch:    batch.Snapshot{Currency: money.USD(), Count: len(payments)},
				Payments: payments,
				At:       time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
			},
			Reference:  payout.Reference,
			Unsuitable: []money.Currency{yen},
			Faulty:     map[string]map[string]string{"email": {"phone": "12345"}},
		}
	})
}
