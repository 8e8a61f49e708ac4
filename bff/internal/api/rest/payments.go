package rest

import (
	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/command"
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

func (in *paymentInput) content() any {
	return map[string]any{
		"amount":          number(in.Body.Amount.Text),
		"currency":        in.Body.Currency,
		"payment_method":  in.Body.PaymentMethod,
		"account_details": in.Body.AccountDetails,
	}
}

func (in *paymentInput) request(from command.Origin) command.Request {
	return command.RequestPayment{
		Origin: from,
		Payment: payment.Input{
			Amount:         in.Body.Amount.Text,
			Currency:       in.Body.Currency,
			Method:         string(in.Body.PaymentMethod),
			AccountDetails: in.Body.AccountDetails.text,
		},
	}
}

func registerPayments(api huma.API, submitter *command.Submitter) {
	registerCommand[paymentInput](api, submitter, huma.Operation{
		OperationID: "request-payment",
		Path:        "/api/v1/payments/request",
		Summary:     "Request a payment",
		Description: "Publishes the command payment.request to bff-payment-request-v1. The consumer of the " +
			"command decides whether the balance is sufficient.",
		Tags: []string{"Payments"},
	})
}
