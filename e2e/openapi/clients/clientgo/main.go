// Program clientgo uses the clients that oapi-codegen generates from the OpenAPI documents: a
// partner asks for a payment and sums up what it has earned. The test of the documents compiles it.
package main

import (
	"context"
	"fmt"
	"os"

	"clientgo/bff"
	"clientgo/commission"
	"clientgo/tracking"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	payments, err := bff.NewClientWithResponses("http://localhost:8002")
	if err != nil {
		return err
	}

	var amount string = "150.00" //nolint:staticcheck // the type is what is tested

	if _, err := payments.RequestPaymentWithResponse(
		ctx,
		nil,
		bff.RequestPaymentJSONRequestBody{
			Amount:         amount,
			Currency:       "USD",
			PaymentMethod:  "paypal",
			AccountDetails: map[string]any{"email": "user@example.com"},
		},
	); err != nil {
		return err
	}

	balance, err := payments.GetBalanceWithResponse(ctx)
	if err != nil {
		return err
	}

	for _, b := range balance.JSON200.Balances {
		amount = b.Available
	}

	earned, err := commission.NewClientWithResponses("http://localhost:8001")
	if err != nil {
		return err
	}

	page, err := earned.ListCommissionsWithResponse(ctx, &commission.ListCommissionsParams{})
	if err != nil {
		return err
	}

	for _, c := range page.JSON200.Data {
		amount = c.Amount
	}

	events, err := tracking.NewClientWithResponses("http://localhost:8000")
	if err != nil {
		return err
	}

	list, err := events.ListEventsWithResponse(ctx, &tracking.ListEventsParams{})
	if err != nil {
		return err
	}

	fmt.Println(amount, len(list.JSON200.Data))

	return nil
}
