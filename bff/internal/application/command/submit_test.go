package command_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tributary/bff/internal/application/command"
	"tributary/bff/internal/domain/caller"
	domain "tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/payment"
	"tributary/platform/fault"
)

type publisher struct {
	err  error
	sent []payment.Request
}

func (p *publisher) Publish(_ context.Context, cmd domain.Command) error {
	request, ok := cmd.(payment.Request)
	if !ok {
		return fmt.Errorf("not a payment request: %T", cmd)
	}

	p.sent = append(p.sent, request)

	return p.err
}

// ids counts the ids.
type ids struct{ next int }

func (i *ids) New() (string, error) {
	i.next++
	return fmt.Sprint("new-", i.next), nil
}

func (i *ids) Derived(parts ...string) string { return fmt.Sprint(parts) }

func hash(content, id string) string { return id + content }

func setup(t *testing.T) (*command.Submitter, *publisher, command.RequestPayment) {
	t.Helper()

	from, err := caller.New(caller.Claims{UserID: "user123"})
	if err != nil {
		t.Fatal(err)
	}

	p := &publisher{}
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

	if len(p.sent) != 1 || p.sent[0].Stamp().ID() != receipt.CommandID ||
		p.sent[0].Amount().String() != "150.00" {
		t.Errorf("sent %v", p.sent)
	}
}

func TestIdempotencyKeyDerivesTheID(t *testing.T) {
	t.Parallel()
	h, p, cmd := setup(t)
	cmd.IdempotencyKey = "key"

	receipt, err := h.Submit(t.Context(), cmd)
	if err != nil || receipt.CommandID != "[user123 payment.request key]" ||
		p.sent[0].Stamp().IdempotencyKey() != "key" {
		t.Errorf("%+v %v", receipt, err)
	}

	cmd.IdempotencyKey = "bad\nkey"
	if _, err := h.Submit(t.Context(), cmd); !errors.Is(err, fault.ErrValidation) ||
		len(p.sent) != 1 {
		t.Errorf("bad key: %v", err)
	}
}

func TestNoReceiptWithoutTheBrokers(t *testing.T) {
	t.Parallel()
	h, p, cmd := setup(t)

	p.err = errors.New("away")
	if receipt, err := h.Submit(t.Context(), cmd); !errors.Is(err, p.err) ||
		receipt != (command.Receipt{}) {
		t.Errorf("%+v %v", receipt, err)
	}

	cmd.Payment.Amount = "-1"
	if _, err := h.Submit(t.Context(), cmd); !errors.Is(err, fault.ErrValidation) ||
		len(p.sent) != 1 {
		t.Errorf("faulty: %v, %d sent", err, len(p.sent))
	}
}
