// Package rest (api) is the HTTP side of the service: each route reads a request, passes it to its
// use case and writes the answer.
package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/acceptcampaign"
	"tributary/bff/internal/application/readown"
	"tributary/bff/internal/application/requestpayment"
	"tributary/bff/internal/application/uploadevidence"
	"tributary/bff/internal/domain/caller"
	"tributary/platform/auth"
)

// UseCases are the use cases behind the routes.
type UseCases struct {
	AcceptCampaign *acceptcampaign.Handler
	UploadEvidence *uploadevidence.Handler
	RequestPayment *requestpayment.Handler
	ReadOwn        *readown.Reader
}

// Register adds the routes to the API.
func Register(api huma.API, uses UseCases) {
	registerCampaigns(api, uses.AcceptCampaign)
	registerEvidence(api, uses.UploadEvidence)
	registerPayments(api, uses.RequestPayment)
	registerReads(api, uses.ReadOwn)
}

// Tags returns the groups of operations in the document.
func Tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "Campaigns", Description: "Accept the terms of campaigns."},
		{Name: "Evidence", Description: "Upload evidence of promotion."},
		{Name: "Payments", Description: "Request payments and follow them."},
		{Name: "Balance", Description: "The amounts that can be paid out."},
		{Name: "Commissions", Description: "The commissions that the caller has earned."},
	}
}

// commandOperation returns an operation with what all commands share.
func commandOperation(id, path, summary, description, tag string) huma.Operation {
	return huma.Operation{
		OperationID:   id,
		Method:        http.MethodPost,
		Path:          path,
		Summary:       summary,
		Description:   description,
		Tags:          []string{tag},
		DefaultStatus: http.StatusAccepted,
		Security:      auth.Require(auth.Partner),
	}
}

// callerOf returns the authenticated caller. Without authentication it returns an error.
func callerOf(ctx context.Context) (caller.Caller, error) {
	identity, _ := auth.From(ctx)

	roles := make([]string, len(identity.Roles))
	for i, role := range identity.Roles {
		roles[i] = string(role)
	}

	return caller.New(caller.Claims{
		UserID:    identity.UserID,
		Subject:   identity.Subject,
		Issuer:    identity.Issuer,
		TokenID:   identity.TokenID,
		Roles:     roles,
		ExpiresAt: identity.ExpiresAt,
		Verified:  identity.Verified,
	})
}
