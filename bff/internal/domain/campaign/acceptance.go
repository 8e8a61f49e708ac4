// Package campaign (domain) holds the command by which a user accepts a campaign's terms.
package campaign

import (
	"tributary/bff/internal/domain/command"
	"tributary/platform/fault"
)

// Acceptance says that the caller has accepted the terms of a campaign. It cannot exist without
// that.
type Acceptance struct {
	stamp      command.Stamp
	campaignID string
	metadata   string
}

// NewAcceptance makes the command or tells every fault. accepted is what the caller says about the
// terms; metadata is the text of a JSON object that is passed on as it is, or "".
func NewAcceptance(
	stamp command.Stamp,
	campaignID string,
	accepted bool,
	metadata string,
) (Acceptance, error) {
	var faults fault.Fields
	command.CheckIdentifier(&faults, "campaign_id", campaignID)

	if !accepted {
		faults.Add("accepted_terms", "terms_not_accepted", "must be true")
	}

	if err := faults.Err(); err != nil {
		return Acceptance{}, err
	}

	return Acceptance{stamp: stamp, campaignID: campaignID, metadata: metadata}, nil
}

// Stamp identifies the command.
func (a Acceptance) Stamp() command.Stamp { return a.stamp }

// CampaignID is the campaign accepted.
func (a Acceptance) CampaignID() string { return a.campaignID }

// Metadata is the text of a JSON object, or "".
func (a Acceptance) Metadata() string { return a.metadata }
