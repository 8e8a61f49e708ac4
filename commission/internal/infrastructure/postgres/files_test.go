package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/infrastructure/account"
	"tributary/commission/internal/infrastructure/payfile"
	"tributary/platform/money"
)

// Made again, later and by another person, a file has the bytes of the first one, which name its
// day; if it cannot have them, since the payer has changed, it is refused.
func TestAFileIsTheFirstOneOrRefused(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()

	eur, err := money.ParseCurrency("EUR")
	mustAll(t, err)

	sale := purchase("e1", "u", "100")
	sale.Currency = "EUR"
	f.decide(t, sale)

	asked := payoutOf("u", 0)
	asked.Amount = money.FromMinor(1000, eur)
	asked.Method = "sepa"
	asked.Details = `{"name":"U","iban":"AT611904300234573201"}`
	_, err = f.request(ctx, asked)
	mustAll(t, err)

	wanted := wantedBatch(1)
	wanted.Currency = eur
	wanted.Method = "sepa"
	made, err := command.NewCreateBatch(f.store.Batches(), uuid.NewString, true).
		Handle(ctx, by("maker"), wanted)
	mustAll(t, err, f.approved(ctx, "second", made.ID))

	file := func(ctx context.Context, payer, actor string, later time.Duration) ([]byte, error) {
		p, faults := payfile.NewPayer(payer, "DE89370400440532013000", "")
		if len(faults) > 0 {
			t.Fatal(faults)
		}

		request := by(actor)
		request.Now = request.Now.Add(later)
		handler := command.NewCreateFile(f.store.Batches(), payfile.Formats(p, time.UTC), account.NewReader(nil))
		file, err := handler.Handle(ctx, request, made.ID, "pain.001")

		return file.Content, err
	}

	first, err := file(ctx, "Payer", "fina", 0)
	mustAll(t, err)

	again, err := file(ctx, "Payer", "fiona", 48*time.Hour)
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("%s, then %s, %v", first, again, err)
	}

	if other, err := file(ctx, "Another Payer", "fina", 0); !errors.Is(err, batch.ErrFileChanged) {
		t.Errorf("another payer: %s, %v", other, err)
	}

	b, err := f.store.Batches().Batch(ctx, made.ID)
	if err != nil || len(b.Files) != 1 || b.Files[0].MadeBy != "fina" {
		t.Errorf("%+v, %v", b.Files, err)
	}
}

// A request below the minimum of its currency is rejected, though the balance covers it.
func TestASmallRequestIsRejected(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.decide(t, purchase("e1", "u", "1000"))

	minimum, err := payout.ParseMinimum("USD:20.00")
	mustAll(t, err)

	handler := command.NewRequestPayout(f.store.Payouts(), minimum, start)
	for minor, want := range map[int64]string{1999: payout.ReasonMinimum, 2000: ""} {
		p, err := handler.Handle(t.Context(), payoutOf("u", minor))
		if err != nil || p.Reason != want || (p.Status == payout.Rejected) != (want != "") {
			t.Errorf("%d: %+v, %v", minor, p, err)
		}
	}

	if got := f.balance(t, "u"); got != "0/8000/2000/0" {
		t.Errorf("balance: %s", got)
	}
}
