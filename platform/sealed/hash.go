package sealed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// hashPurpose separates the keys of hashes from those that seal.
const hashPurpose = "tributary/hash/v1"

// Hash returns the same text for the same plain text and context. Without the ring it does not help
// to guess the plain text: it is the id of the current key, a colon, and an HMAC-SHA-256 in hex.
// Texts that begin with different ids cannot be compared. A nil ring returns SHA-256 in hex alone,
// since plain texts are then sent in clear anyway.
func (r *Ring) Hash(plain, context string) string {
	if r == nil {
		return sum(sha256.New(), plain, context)
	}

	derived := hmac.New(sha256.New, r.keys[r.current])
	derived.Write([]byte(hashPurpose))

	return r.current + ":" + sum(hmac.New(sha256.New, derived.Sum(nil)), plain, context)
}

func sum(h hash.Hash, plain, context string) string {
	h.Write([]byte(context + "\n" + plain))

	return hex.EncodeToString(h.Sum(nil))
}
