package pulsar

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
	"tributary/bff/internal/domain/payment"
	"tributary/contracts"
)

// entry says how a type of command is published.
type entry struct {
	kind    command.Type
	topic   string
	schema  string // of the messages
	version string // of the schema
	payload func(command.Command, seal) (any, error)
}

func commands() []entry {
	return []entry{
		{
			kind:    campaign.AcceptType,
			topic:   contracts.CampaignAccept,
			schema:  contracts.CampaignAcceptV1,
			version: "v1",
			payload: clear(acceptance),
		},
		{
			kind:    evidence.UploadType,
			topic:   contracts.EvidenceUpload,
			schema:  contracts.EvidenceUploadV1,
			version: "v1",
			payload: clear(upload),
		},
		{
			kind:    payment.RequestType,
			topic:   contracts.PaymentRequest,
			schema:  contracts.PaymentRequestV1,
			version: "v1",
			payload: sealing(paymentRequest),
		},
	}
}

// seal returns a JSON value that stands for personal data: the text of a JSON object, sealed for
// the command if there are keys, and in clear otherwise.
type seal func(text, commandID string) (jsontext.Value, error)

// sealing returns the payload of commands that contain personal data.
func sealing[C command.Command](
	payload func(C, seal) (any, error),
) func(command.Command, seal) (any, error) {
	return func(cmd command.Command, hide seal) (any, error) {
		c, ok := cmd.(C)
		if !ok {
			return nil, fmt.Errorf("%s is a %T, not a %T", cmd.Stamp().Type(), cmd, c)
		}

		return payload(c, hide)
	}
}

// clear returns the payload of commands without personal data.
func clear[C command.Command](payload func(C) any) func(command.Command, seal) (any, error) {
	return sealing(func(cmd C, _ seal) (any, error) { return payload(cmd), nil })
}

func acceptance(a campaign.Acceptance) any {
	return struct {
		CampaignID    string         `json:"campaign_id"`
		AcceptedTerms bool           `json:"accepted_terms"`
		Metadata      jsontext.Value `json:"metadata,omitzero"`
	}{a.CampaignID(), true, raw(a.Metadata())}
}

func upload(u evidence.Upload) any {
	return struct {
		CampaignID   string         `json:"campaign_id"`
		EvidenceType string         `json:"evidence_type"`
		FileURL      string         `json:"file_url"`
		Metadata     jsontext.Value `json:"metadata,omitzero"`
	}{u.CampaignID(), u.Kind(), u.FileURL(), raw(u.Metadata())}
}

func paymentRequest(r payment.Request, hide seal) (any, error) {
	details, err := hide(r.AccountDetails().Reveal(), r.Stamp().ID())

	return struct {
		Amount         string         `json:"amount"`
		Currency       string         `json:"currency"`
		PaymentMethod  string         `json:"payment_method"`
		AccountDetails jsontext.Value `json:"account_details"`
	}{r.Amount().String(), r.Amount().Currency().String(), r.Method(), details}, err
}

// raw returns the text as a JSON value; "" is an absent value.
func raw(text string) jsontext.Value {
	if text == "" {
		return nil
	}

	return jsontext.Value(text)
}
