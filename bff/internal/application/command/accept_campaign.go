package command

import (
	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/command"
)

// AcceptCampaign is a request to accept a campaign's terms.
type AcceptCampaign struct {
	Origin

	CampaignID    string
	AcceptedTerms bool
	Metadata      string // the text of a JSON object, or ""
}

func (AcceptCampaign) kind() command.Type { return campaign.AcceptType }

func (r AcceptCampaign) build(stamp command.Stamp) (command.Command, error) {
	return campaign.NewAcceptance(stamp, r.CampaignID, r.AcceptedTerms, r.Metadata)
}
