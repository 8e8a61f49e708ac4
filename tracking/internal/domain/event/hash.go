package event

import (
	"crypto/sha256"
	"encoding/binary"
)

// Hash identifies the content of an event: what the caller said, however it was written. The id,
// the time of receipt, an occurred_at that the service filled in, and Attributes, which those who
// pass an event on may add to, are no part of it.
type Hash [16]byte

// hash runs over the parts with their lengths, so that no two contents read alike.
func hash(e Facts, timeGiven bool, metadata string) Hash {
	buffer := make([]byte, 0, 512)
	add := func(part string) {
		buffer = binary.AppendUvarint(buffer, uint64(len(part)))
		buffer = append(buffer, part...)
	}
	add(e.UserID)
	add(string(e.Type))
	add(e.CampaignID)
	add(e.VisitorID)
	add(e.SourceURL)
	add(e.DestinationURL)
	add(e.Source)
	add(metadata)

	if timeGiven {
		buffer = binary.AppendVarint(buffer, e.OccurredAt.UnixMicro())
	}

	sum := sha256.Sum256(buffer)

	return Hash(sum[:16])
}
