package rest

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/requestpayment"
	"tributary/bff/internal/domain/payment"
	"tributary/platform/httpapi"
)

type paymentInput struct {
	Idempotent
	Body struct {
		Amount         httpapi.Decimal `json:"amount" pattern:"^([1-9][0-9]{0,11}(\\.[0-9]{1,4})?|0\\.0{0,3}[1-9][0-9]{0,3})$" doc:"Major units, greater than 0, with at most the decimals of the currency. A JSON number is accepted too." example:"\"150.00\""`
		Currency       string          `json:"currency" minLength:"3" maxLength:"3" doc:"ISO 4217." example:"USD"`
		PaymentMethod  word            `json:"payment_method" minLength:"1" maxLength:"64" example:"paypal" doc:"The payment method: lower-case letters, digits and _, beginning with a letter."`
		AccountDetails object          `json:"account_details" doc:"The account to pay to, in the form that the method requires. Personal data: never logged."`
	}
}

// content returns what contentOf does.
func (in *paymentInput) content() (string, error) {
	amount, err := number(in.Body.Amount.Text)
	if err != nil {
		return "", err
	}

	return contentOf(in.IdempotencyKey, map[string]any{
		"amount":          amount,
		"currency":        in.Body.Currency,
		"payment_method":  in.Body.PaymentMethod,
		"account_details": in.Body.AccountDetails,
	})
}

func registerPayments(api huma.API, handler *requestpayment.Handler) {
	op := commandOperation(
		"request-payment",
		"/api/v1/payments/request",
		"Request a payment",
		"Publishes the command payment.request to bff-payment-request-v1. The consumer of the "+
			"command decides whether the balance is sufficient.",
		"Payments",
	)
	huma.Register(api, op, func(ctx context.Context, in *paymentInput) (*receipt, error) {
		from, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}

		content, err := in.content()
		if err != nil {
			return nil, err
		}

		got, err := handler.Handle(ctx, requestpayment.Command{
			Caller:         from,
			IdempotencyKey: in.IdempotencyKey,
			Content:        content,
			Payment: payment.Input{
				Amount:         in.Body.Amount.Text,
				Currency:       in.Body.Currency,
				Method:         string(in.Body.PaymentMethod),
				AccountDetails: in.Body.AccountDetails.text,
			},
		})
		if err != nil {
			return nil, err
		}

		return receiptOf(got), nil
	})
}
