package command_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tributary/bff/internal/application/command"
	"tributary/bff/internal/application/command/commandtest"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/payment"
	"tributary/platform/fault"
)

// ids counts the ids.
type ids struct{ next int }

func (i *ids) New() (string, error) {
	i.next++
	return fmt.Sprint("new-", i.next), nil
}

func (i *ids) Derived(parts ...string) string { return fmt.Sprint(parts) }

func hash(content, id string) string { return id + content }

func setup(t *testing.T) (*command.Submitter, *commandtest.Publisher, command.RequestPayment) {
	t.Helper()

	from, err := caller.New(caller.Snapshot{UserID: "user123"})
	if err != nil {
		t.Fatal(err)
	}

	p := &commandtest.Publisher{}
	now := func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }
	cmd := command.RequestPayment{
		Origin: command.Origin{Caller: from},
		Payment: payment.Input{
			Amount:         "150",
			Currency:       "USD",
			Method:         "paypal",
			AccountDetails: `{"a":1}`,
		},
	}

	return command.NewSubmitter(command.NewStamper(&ids{}, hash, now), p), p, cmd
}

func TestReceiptOfAStoredCommand(t *testing.T) {
	t.Parallel()
	h, p, cmd := setup(t)

	receipt, err := h.Submit(t.Context(), cmd)
	if err != nil || receipt.CommandID != "new-1" || receipt.UserID != "user123" ||
		receipt.CommandType != "payment.request" ||
		receipt.SubmittedAt.Hour() != 12 {
		t.Fatalf("%+v %v", receipt, err)
	}

	if len(commandtest.Of[payment.Request](p)) != 1 || commandtest.Of[payment.Request](p)[0].Stamp().ID() != receipt.CommandID ||
		commandtest.Of[payment.Request](p)[0].Amount().String() != "150.00" {
		t.Errorf("sent %v", commandtest.Of[payment.Request](p))
	}
}

func TestIdempotencyKeyDerivesTheID(t *testing.T) {
	t.Parallel()
	h, p, cmd := setup(t)
	cmd.IdempotencyKey = "key"

	receipt, err := h.Submit(t.Context(), cmd)
	if err != nil || receipt.CommandID != "[user123 payment.request key]" ||
		commandtest.Of[payment.Request](p)[0].Stamp().IdempotencyKey() != "key" {
		t.Errorf("%+v %v", receipt, err)
	}

	cmd.IdempotencyKey = "bad\nkey"
	if _, err := h.Submit(t.Context(), cmd); !errors.Is(err, fault.ErrValidation) ||
		len(commandtest.Of[payment.Request](p)) != 1 {
		t.Errorf("bad key: %v", err)
	}
}

func TestNoReceiptWithoutTheBrokers(t *testing.T) {
	t.Parallel()
	h, p, cmd := setup(t)

	away := errors.New("away")
	p.Fail(away)

	if receipt, err := h.Submit(t.Context(), cmd); !errors.Is(err, away) ||
		receipt != (command.Receipt{}) {
		t.Errorf("%+v %v", receipt, err)
	}

	cmd.Payment.Amount = "-1"
	if _, err := h.Submit(t.Context(), cmd); !errors.Is(err, fault.ErrValidation) ||
		len(commandtest.Of[payment.Request](p)) != 0 {
		t.Errorf("faulty: %v, %d sent", err, len(commandtest.Of[payment.Request](p)))
	}
}
