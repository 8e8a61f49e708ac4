package pulsar

import (
	"tributary/bff/internal/domain/campaign"
	"tributary/bff/internal/domain/evidence"
	"tributary/bff/internal/domain/payment"
	"tributary/platform/sealed"
)

// EncodeAcceptance returns the message of the command.
func EncodeAcceptance(a campaign.Acceptance) ([]byte, error) { return encodeAcceptance(a) }

// EncodeUpload returns the message of the command.
func EncodeUpload(u evidence.Upload) ([]byte, error) { return encodeUpload(u) }

// EncodePayment returns the message of the command, with account details sealed by the ring unless
// it is nil.
func EncodePayment(r payment.Request, ring *sealed.Ring) ([]byte, error) {
	details, err := (&Publisher{ring: ring}).details(r)
	if err != nil {
		return nil, err
	}

	return encodePayment(r, details)
}
