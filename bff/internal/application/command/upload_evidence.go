package command

import (
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
)

// UploadEvidence is a request to upload evidence for a campaign.
type UploadEvidence struct {
	Origin

	Evidence evidence.Input
}

func (UploadEvidence) kind() command.Type { return evidence.UploadType }

func (r UploadEvidence) build(stamp command.Stamp) (command.Command, error) {
	return evidence.NewUpload(stamp, r.Evidence)
}
