// Package rest (api) is the HTTP side of the service: each route reads a request, hands it to its
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
	"tributary/platform/fault"
	"tributary/platform/httpapi"
)

// UseCases are what the routes lead to.
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

// Codes are the error codes of these routes beside those of all services.
func Codes() []httpapi.Code {
	return append(
		auth.Codes(),
		httpapi.Code{
			Code: "publish_outcome_unknown",
			Kind: fault.Unavailable,
			Meaning: "The broker did not confirm the command in time: it may be stored or not. " +
				"Repeat it with the same Idempotency-Key; it acts once.",
		},
		httpapi.Code{
			Code:    "message_refused",
			Kind:    fault.TooLarge,
			Meaning: "The broker cannot store a command of this size.",
		},
		httpapi.Code{
			Code: "payment_not_found",
			Kind: fault.NotFound,
			Meaning: "The caller has no payment of this command; one that was submitted just " +
				"now may take a moment to appear.",
		},
		httpapi.Code{
			Code: "read_refused",
			Kind: fault.Malformed,
			Meaning: "The commission service refuses to read for this request, such as for a token " +
				"that is too long.",
		},
		httpapi.Code{
			Code:    "commission_unavailable",
			Kind:    fault.Unavailable,
			Meaning: "The commission service does not answer; try again after Retry-After.",
		},
	)
}

// Tags group the operations of the document.
func Tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "Campaigns", Description: "Accept the terms of campaigns."},
		{Name: "Evidence", Description: "Hand in evidence of promotion."},
		{Name: "Payments", Description: "Request payments and follow them."},
		{Name: "Balance", Description: "What can be paid out."},
		{Name: "Commissions", Description: "What the caller has earned."},
	}
}

// commandOperation is what all commands have in common.
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

// callerOf is who the middleware has let in. Without it there is nobody, which no use case takes.
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
