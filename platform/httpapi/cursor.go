package httpapi

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/go-json-experiment/json"
)

// cursors seals the positions of lists, so that a cursor reveals nothing (a position can be a count
// of all events) and opens only for the question that it was created for.
type cursors struct{ aead cipher.AEAD }

var errCursor = errors.New("not a cursor, or a cursor of another question")

// padding is the unit to which the size of a position is rounded up, so that its length reveals
// nothing.
const padding = 32

// newCursors derives the key from the secret, which all replicas of a service share. Without a
// secret the key is random, and cursors are valid in this process only.
func newCursors(service, secret string) *cursors {
	material := []byte(secret)
	if secret == "" {
		material = []byte(rand.Text())
	}

	key, err := hkdf.Key(sha256.New, material, nil, "cursors of lists, "+service, sha256.Size)
	if err != nil {
		panic(err) //nolint:forbidigo // cannot happen: the length is fixed
	}

	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) //nolint:forbidigo // cannot happen: the length is fixed
	}

	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) //nolint:forbidigo // cannot happen: the block has the size that GCM requires
	}

	return &cursors{aead: aead}
}

func (c *cursors) seal(position any, question [sha256.Size]byte) string {
	text, err := json.Marshal(position)
	if err != nil {
		// positions are plain structs; an error here is a programming error that a test of the list
		// finds
		return ""
	}

	for len(text)%padding != 0 {
		text = append(text, ' ')
	}

	//nolint:gosec // the AEAD draws a nonce by itself and takes none
	sealed := c.aead.Seal(nil, nil, text, question[:])

	return base64.RawURLEncoding.EncodeToString(sealed)
}

func (c *cursors) open(cursor string, question [sha256.Size]byte, position any) error {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return errCursor
	}

	text, err := c.aead.Open(nil, nil, sealed, question[:])
	if err != nil {
		return errCursor
	}

	return json.Unmarshal(text, position, json.RejectUnknownMembers(true))
}
