// Package evidence (domain) defines the command by which a user uploads evidence for a campaign.
package evidence

import (
	"regexp"

	"tributary/bff/internal/domain/command"
	"tributary/platform/fault"
)

// UploadType is the type of the command.
const UploadType command.Type = "evidence.upload"

const maxURL = 2048

// kindPattern is open: the service that consumes the command knows which kinds it accepts.
var kindPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// Upload names a file that proves something for a campaign. The service never fetches the file.
type Upload struct {
	stamp      command.Stamp
	campaignID string
	kind       string
	fileURL    string
	metadata   string
}

// Input is an unchecked upload.
type Input struct {
	CampaignID string
	Kind       string // such as photo: lower-case letters, digits and _, at most 64
	FileURL    string // absolute http or https URL of a public host
	Metadata   string // the text of a JSON object, or ""
}

// NewUpload returns the command, or an error that lists every fault.
func NewUpload(stamp command.Stamp, in Input) (Upload, error) {
	var faults fault.Fields
	command.CheckIdentifier(&faults, "campaign_id", in.CampaignID)

	if !kindPattern.MatchString(in.Kind) {
		faults.Add(
			"evidence_type",
			fault.ErrInvalidValue,
			"must be 1 to 64 lower-case letters, digits or _, beginning with a letter",
		)
	}

	if !publicURL(in.FileURL) {
		faults.Add(
			"file_url",
			fault.ErrURL,
			"must be an absolute http or https URL of a public host, of at most 2048 ASCII "+
				"characters, without user and password",
		)
	}

	if err := faults.Err(); err != nil {
		return Upload{}, err
	}

	return Upload{
		stamp:      stamp,
		campaignID: in.CampaignID,
		kind:       in.Kind,
		fileURL:    in.FileURL,
		metadata:   in.Metadata,
	}, nil
}

// Stamp returns the stamp of the command.
func (u Upload) Stamp() command.Stamp { return u.stamp }

// CampaignID returns the id of the campaign.
func (u Upload) CampaignID() string { return u.campaignID }

// Kind returns the kind of evidence, such as photo.
func (u Upload) Kind() string { return u.kind }

// FileURL returns the address of the file.
func (u Upload) FileURL() string { return u.fileURL }

// Metadata returns the text of a JSON object, or "".
func (u Upload) Metadata() string { return u.metadata }
