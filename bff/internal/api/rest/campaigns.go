package rest

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/acceptcampaign"
)

type acceptInput struct {
	Idempotent
	CampaignID string `path:"campaign_id" maxLength:"128" example:"camp123" doc:"The campaign."`
	Body       struct {
		AcceptedTerms accepted `json:"accepted_terms" doc:"Must be true." example:"true"`
		Metadata      object   `json:"metadata,omitzero" doc:"Any members; passed on unchanged."`
	}
}

func registerCampaigns(api huma.API, handler *acceptcampaign.Handler) {
	op := commandOperation(
		"accept-campaign",
		"/api/v1/campaigns/{campaign_id}/accept",
		"Accept a campaign's terms",
		"Publishes the command campaign.accept to bff-campaign-accept-v1.",
		"Campaigns",
	)
	huma.Register(api, op, func(ctx context.Context, in *acceptInput) (*receipt, error) {
		from, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}

		content, err := contentOf(
			in.IdempotencyKey,
			map[string]any{"campaign_id": in.CampaignID, "body": in.Body},
		)
		if err != nil {
			return nil, err
		}

		got, err := handler.Handle(ctx, acceptcampaign.Command{
			Caller:         from,
			IdempotencyKey: in.IdempotencyKey,
			Content:        content,
			CampaignID:     in.CampaignID,
			AcceptedTerms:  bool(in.Body.AcceptedTerms),
			Metadata:       in.Body.Metadata.text,
		})
		if err != nil {
			return nil, err
		}

		return receiptOf(got), nil
	})
}
