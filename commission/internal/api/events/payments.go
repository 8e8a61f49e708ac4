package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/broker"
	"tributary/platform/fault"
	"tributary/platform/identifier"
	"tributary/platform/money"
)

// Payments handles batches of the topic bff-payment-request-v1.
type Payments struct {
	payouts *command.RequestPayout
	dead    DeadLetters
	strict  bool
	logger  *slog.Logger
}

// NewPayments returns a handler. strict rejects requests whose token was not verified, as
// production requires.
func NewPayments(
	handler *command.RequestPayout,
	dead DeadLetters,
	strict bool,
	logger *slog.Logger,
) *Payments {
	return &Payments{
		payouts: handler,
		dead:    dead,
		strict:  strict,
		logger:  logger,
	}
}

// Handle decides the requests of the batch one by one: they are few, and each locks a balance.
// After an error the whole batch can be handled again.
func (p *Payments) Handle(ctx context.Context, batch []broker.Received) error {
	for _, m := range batch {
		request, err := decodePayment(m, p.strict)
		if err == nil {
			var made payout.Snapshot

			made, err = p.payouts.Handle(ctx, request)
			if err != nil && !errors.Is(err, command.ErrNotStorable) {
				return err
			}

			p.warn(ctx, made, request)
		}

		if err == nil {
			continue
		}

		p.logger.WarnContext(
			ctx,
			"cannot handle a payment request: kept as a dead letter",
			"message_id",
			m.ID(),
			"error",
			err,
		)

		if err := p.dead.Put(ctx, m, reasonOf(err)); err != nil {
			return fmt.Errorf("keep a dead letter: %w", err)
		}
	}

	return nil
}

// warn logs a request that was not acted on because its id stands for another.
func (p *Payments) warn(ctx context.Context, made payout.Snapshot, request payout.Wanted) {
	if !made.Conflicts(request) {
		return
	}

	p.logger.WarnContext(
		ctx,
		"payment request with the idempotency key of another: not acted on",
		"command_id",
		made.ID,
		"user_id",
		made.UserID,
	)
}

// paymentMessage is contracts/schemas/bff-payment-request-v1. Unknown members are ignored.
type paymentMessage struct {
	CommandID     string `json:"command_id"`
	CommandType   string `json:"command_type"`
	SchemaVersion string `json:"schema_version"`
	UserID        string `json:"user_id" doc:"The user who earns." example:"user123"`
	IssuedAt      string `json:"issued_at"`
	RequestHash   string `json:"request_hash"`
	Identity      struct {
		Verified bool `json:"verified"`
	} `json:"identity"`
	Payload struct {
		Amount         string         `json:"amount" doc:"The amount in major units." example:"10.00"`
		Currency       string         `json:"currency" doc:"ISO 4217." example:"USD"`
		PaymentMethod  string         `json:"payment_method"`
		AccountDetails jsontext.Value `json:"account_details"`
	} `json:"payload"`
}

const maxMethod = 64

var requestHash = regexp.MustCompile(`^(([A-Za-z0-9._-]{1,64}:)?[0-9a-f]{64})?$`)

func decodePayment(m broker.Received, strict bool) (payout.Wanted, error) {
	var c paymentMessage
	if err := json.Unmarshal(m.Payload, &c); err != nil {
		return payout.Wanted{}, errUnreadable.New(
			"The payload is not a payment request in JSON.",
		)
	}

	if c.SchemaVersion != "v1" || c.CommandType != "payment.request" {
		return payout.Wanted{}, errVersion.New(
			"Only version v1 of payment.request is supported.",
		)
	}

	var faults fault.Fields

	id, err := uuid.Parse(c.CommandID)
	if err != nil {
		faults.Add("command_id", fault.ErrInvalidValue, "must be a UUID")
	}

	if !identifier.Readable(c.UserID) {
		faults.Add(
			"user_id",
			fault.ErrInvalidValue,
			"must be 1 to 128 characters without control characters",
		)
	}

	issued, err := time.Parse(time.RFC3339, c.IssuedAt)
	if err != nil {
		faults.Add("issued_at", fault.ErrTime, "must be a time as in RFC 3339")
	}

	if c.Payload.PaymentMethod == "" || len(c.Payload.PaymentMethod) > maxMethod {
		faults.Add("payload.payment_method", fault.ErrRequired, "must be 1 to 64 characters")
	}

	if !requestHash.MatchString(c.RequestHash) {
		faults.Add("request_hash", fault.ErrInvalidValue, "must be a hash in hex, after the id of a key")
	}

	amount, err := readMoney(c.Payload.Amount, c.Payload.Currency)
	if err != nil {
		faults.Add(
			"payload.amount",
			fault.ErrInvalidValue,
			"must be a positive amount of a known currency",
		)
	}

	if err := faults.Err(); err != nil {
		return payout.Wanted{}, err
	}

	reason := ""
	if strict && !c.Identity.Verified {
		reason = payout.ReasonUnverified
	}

	return payout.Wanted{
		ID:          id.String(),
		UserID:      c.UserID,
		Refusal:     reason,
		Amount:      amount,
		Method:      c.Payload.PaymentMethod,
		Details:     string(c.Payload.AccountDetails),
		RequestHash: c.RequestHash,
		RequestedAt: issued.UTC(),
	}, nil
}

var errNotPositive = errors.New("must be greater than 0")

func readMoney(text, code string) (money.Amount, error) {
	currency, err := money.ParseCurrency(code)
	if err != nil {
		return money.Amount{}, err
	}

	amount, err := money.ParseMajor(text, currency)
	if err == nil && amount.Sign() <= 0 {
		err = errNotPositive
	}

	return amount, err
}
