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
	"tributary/platform/fault"
	"tributary/platform/httpapi"
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

// Codes returns the error codes of these routes beside those of all services.
func Codes() []httpapi.Code {
	return append(
		auth.Codes(),
		httpapi.Code{
			Code: "publish_outcome_unknown",
			Kind: fault.Unavailable,
			Meaning: "The broker did not confirm the command in time: it may or may not be stored. " +
				"Send it again with the same Idempotency-Key: it takes effect once.",
		},
		httpapi.Code{
			Code:    "idempotency_key_reused",
			Kind:    fault.Invalid,
			Meaning: "The Idempotency-Key has come before with another content.",
		},
		httpapi.Code{
			Code:    "message_refused",
			Kind:    fault.TooLarge,
			Meaning: "The broker cannot store a command of this size. Send a smaller one.",
		},
		httpapi.Code{
			Code: "payment_not_found",
			Kind: fault.NotFound,
			Meaning: "The caller has no payment with this command_id. A payment that was submitted just " +
				"now may take a moment to appear.",
		},
		httpapi.Code{
			Code: "read_refused",
			Kind: fault.Malformed,
			Meaning: "The commission service refuses the request, for example because of a token " +
				"that is too long.",
		},
		httpapi.Code{
			Code:    "commission_unavailable",
			Kind:    fault.Unavailable,
			Meaning: "The commission service does not answer. Retry after the time in Retry-After.",
		},
	)
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
