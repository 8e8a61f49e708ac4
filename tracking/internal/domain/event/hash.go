package event

import (
	"crypto/sha256"
	"encoding/binary"
)

// Hash identifies the content of an event as the caller sent it, whatever its spelling. The id, the
// time of receipt, an occurred_at that the service filled in, and Attributes, which intermediaries
// may extend, are not part of it.
type Hash [16]byte

// hash covers the parts with their lengths, so that different contents have different hashes.
func hash(e Snapshot, timeGiven bool, metadata string) Hash {
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
