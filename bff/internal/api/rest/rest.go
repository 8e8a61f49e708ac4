// Package rest (api) is the HTTP side of the service: each route reads a request, passes it to its
// use case and writes the answer.
package rest

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/command"
	"tributary/bff/internal/application/query"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/evidence"
	"tributary/bff/internal/domain/payment"
	"tributary/platform/auth"
)

// UseCases are the use cases behind the routes.
type UseCases struct {
	Submit *command.Submitter
	Read   *query.Reader
}

// Register adds the routes to the API.
func Register(api huma.API, uses UseCases) {
	registerCampaigns(api, uses.Submit)
	registerEvidence(api, uses.Submit)
	registerPayments(api, uses.Submit)
	registerReads(api, uses.Read)
}

// commandType is the type of a command in an answer.
type commandType string

func (commandType) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString,
		Enum: []any{campaign.AcceptType, evidence.UploadType, payment.RequestType},
	}
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

// callerOf returns the authenticated caller. Without authentication it returns an error.
func callerOf(ctx context.Context) (caller.Caller, error) {
	identity, _ := auth.From(ctx)

	roles := make([]string, len(identity.Roles))
	for i, role := range identity.Roles {
		roles[i] = string(role)
	}

	return caller.New(caller.Snapshot{
		UserID:    identity.UserID,
		Subject:   identity.Subject,
		Issuer:    identity.Issuer,
		TokenID:   identity.TokenID,
		Roles:     roles,
		ExpiresAt: identity.ExpiresAt,
		Verified:  identity.Verified,
	})
}
