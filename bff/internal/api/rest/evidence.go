package rest

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"tributary/bff/internal/application/uploadevidence"
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

func registerEvidence(api huma.API, handler *uploadevidence.Handler) {
	op := commandOperation("upload-evidence", "/api/v1/evidence/upload", "Upload evidence",
		"Publishes the command evidence.upload to bff-evidence-upload-v1.", "Evidence")
	huma.Register(api, op, func(ctx context.Context, in *evidenceInput) (*receipt, error) {
		from, err := callerOf(ctx)
		if err != nil {
			return nil, err
		}

		content, err := contentOf(in.IdempotencyKey, in.Body)
		if err != nil {
			return nil, err
		}

		got, err := handler.Handle(ctx, uploadevidence.Command{
			Caller:         from,
			IdempotencyKey: in.IdempotencyKey,
			Content:        content,
			Evidence: evidence.Input{
				CampaignID: in.Body.CampaignID,
				Kind:       string(in.Body.EvidenceType),
				FileURL:    string(in.Body.FileURL),
				Metadata:   in.Body.Metadata.text,
			},
		})
		if err != nil {
			return nil, err
		}

		return receiptOf(got), nil
	})
}
