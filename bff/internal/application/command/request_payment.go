package command

import (
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/payment"
)

// RequestPayment is a request for the payment of earned commission. The consumer of the command
// decides whether the balance is sufficient.
type RequestPayment struct {
	Origin

	Payment payment.Input
}

func (RequestPayment) kind() command.Type { return payment.RequestType }

func (r RequestPayment) build(stamp command.Stamp) (command.Command, error) {
	return payment.NewRequest(stamp, r.Payment)
}
