package rest

import (
	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/command"
	"tributary/bff/internal/domain/evidence"
)

type evidenceInput struct {
	Idempotent
	Body struct {
		CampaignID   string `json:"campaign_id" minLength:"1" maxLength:"128" example:"camp123" doc:"The campaign that the evidence belongs to."`
		EvidenceType word   `json:"evidence_type" minLength:"1" maxLength:"64" example:"photo" doc:"The kind of evidence: lower-case letters, digits and _, beginning with a letter."`
		FileURL      link   `json:"file_url" minLength:"1" maxLength:"2048" doc:"Absolute http or https URL of a public host, in ASCII. It is not fetched." example:"https://example.com/photo.jpg"`
		Metadata     object `json:"metadata,omitzero" doc:"Any members; passed on unchanged."`
	}
}

func (in *evidenceInput) content() any { return in.Body }

func (in *evidenceInput) request(from command.Origin) command.Request {
	return command.UploadEvidence{
		Origin: from,
		Evidence: evidence.Input{
			CampaignID: in.Body.CampaignID,
			Kind:       string(in.Body.EvidenceType),
			FileURL:    string(in.Body.FileURL),
			Metadata:   in.Body.Metadata.text,
		},
	}
}

func registerEvidence(api huma.API, submitter *command.Submitter) {
	registerCommand[evidenceInput](api, submitter, huma.Operation{
		OperationID: "upload-evidence",
		Path:        "/api/v1/evidence/upload",
		Summary:     "Upload evidence",
		Description: "Publishes the command evidence.upload to bff-evidence-upload-v1.",
		Tags:        []string{"Evidence"},
	})
}
