package rest

import (
	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/command"
)

type acceptInput struct {
	Idempotent
	CampaignID string `path:"campaign_id" maxLength:"128" example:"camp123" doc:"The campaign."`
	Body       struct {
		AcceptedTerms accepted `json:"accepted_terms" doc:"Must be true." example:"true"`
		Metadata      object   `json:"metadata,omitzero" doc:"Any members; passed on unchanged."`
	}
}

func (in *acceptInput) content() any {
	return map[string]any{"campaign_id": in.CampaignID, "body": in.Body}
}

func (in *acceptInput) request(from command.Origin) command.Request {
	return command.AcceptCampaign{
		Origin:        from,
		CampaignID:    in.CampaignID,
		AcceptedTerms: bool(in.Body.AcceptedTerms),
		Metadata:      in.Body.Metadata.text,
	}
}

func registerCampaigns(api huma.API, submitter *command.Submitter) {
	registerCommand[acceptInput](api, submitter, huma.Operation{
		OperationID: "accept-campaign",
		Path:        "/api/v1/campaigns/{campaign_id}/accept",
		Summary:     "Accept a campaign's terms",
		Description: "Publishes the command campaign.accept to bff-campaign-accept-v1.",
		Tags:        []string{"Campaigns"},
	})
}
