// Package campaign (domain) defines the command by which a user accepts a campaign's terms.
package campaign

import (
	"tributary/bff/internal/domain/command"
	"tributary/platform/fault"
)

// AcceptType is the type of the command.
const AcceptType command.Type = "campaign.accept"

// Acceptance states that the caller has accepted the terms of a campaign. It cannot exist without
// that consent.
type Acceptance struct {
	stamp      command.Stamp
	campaignID string
	metadata   string
}

// NewAcceptance returns the command, or an error that lists every fault. accepted is the caller's
// consent; metadata is the text of a JSON object that is passed on unchanged, or "".
func NewAcceptance(
	stamp command.Stamp,
	campaignID string,
	accepted bool,
	metadata string,
) (Acceptance, error) {
	var faults fault.Fields
	command.CheckIdentifier(&faults, "campaign_id", campaignID)

	if !accepted {
		faults.Add("accepted_terms", ErrTermsNotAccepted, "must be true")
	}

	if err := faults.Err(); err != nil {
		return Acceptance{}, err
	}

	return Acceptance{stamp: stamp, campaignID: campaignID, metadata: metadata}, nil
}

// Stamp returns the stamp of the command.
func (a Acceptance) Stamp() command.Stamp { return a.stamp }

// CampaignID returns the id of the campaign.
func (a Acceptance) CampaignID() string { return a.campaignID }

// Metadata returns the text of a JSON object, or "".
func (a Acceptance) Metadata() string { return a.metadata }
