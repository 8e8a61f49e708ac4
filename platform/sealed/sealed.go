// Package sealed encrypts single fields of messages, so that brokers, dead-letter topics and
// backups hold no readable content. A sealed field is a JWE in compact form (RFC 7516, alg "dir",
// enc "A256GCM"), which any JOSE library can open. It is bound to a context, such as the id of the
// message, and does not open in another.
package sealed

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"tributary/platform/config"
)

// The errors of Open. None of them reveals the content.
var (
	ErrMalformed  = errors.New("sealed: not a sealed field")
	ErrUnknownKey = errors.New("sealed: sealed with a key that is not in the ring")
	ErrDamaged    = errors.New("sealed: damaged, or sealed for another context")
)

// Config names the keys. Both forms hold "id:base64 of 32 bytes", separated by commas or line ends.
// The first key seals; all of them open. To rotate keys, add the new one behind the old one
// everywhere, then put it first, then remove the old one when no message sealed with it remains.
type Config struct {
	// Keys are the keys of account details in messages, id:base64 of 32 bytes, separated by commas;
	// the first seals, all open. Production: required, here or in ACCOUNT_DETAILS_KEYS_FILE.
	Keys string `envconfig:"ACCOUNT_DETAILS_KEYS"`
	// File is a file with the keys, separated by commas or line ends; it replaces
	// ACCOUNT_DETAILS_KEYS.
	File string `envconfig:"ACCOUNT_DETAILS_KEYS_FILE"`
}

// Validate returns a message for each invalid setting. Production requires a key.
func (c Config) Validate(production bool) []string {
	if c.Keys == "" && c.File == "" {
		if production {
			return []string{
				"ACCOUNT_DETAILS_KEYS or ACCOUNT_DETAILS_KEYS_FILE must be set in production: " +
					"account details are personal data",
			}
		}

		return nil
	}

	ring, err := Load(c)
	if err != nil {
		return []string{err.Error()}
	}

	for _, key := range ring.keys {
		if production && weak(key) {
			return []string{
				"ACCOUNT_DETAILS_KEYS contains a key that is not random: refused in production " +
					"(create one with openssl rand -base64 32)",
			}
		}
	}

	return nil
}

// weak reports whether the key has too little variety, or is a text; 32 random bytes never are.
func weak(key []byte) bool {
	return config.Monotonous(string(key)) || config.Guessable(string(key)) ||
		!slices.ContainsFunc(key, func(b byte) bool { return b < ' ' || b > '~' })
}

// Ring holds the keys. It is safe for concurrent use.
type Ring struct {
	current string
	keys    map[string][]byte
}

// Load returns the ring of the settings, or nil if there is no key.
func Load(c Config) (*Ring, error) {
	text, name := c.Keys, "ACCOUNT_DETAILS_KEYS"
	switch {
	case c.Keys != "" && c.File != "":
		return nil, errors.New("set only one of ACCOUNT_DETAILS_KEYS and ACCOUNT_DETAILS_KEYS_FILE")
	case c.Keys == "" && c.File == "":
		return nil, nil // documented: no keys, no ring
	case c.File != "":
		content, err := os.ReadFile(c.File)
		if err != nil {
			return nil, errors.New("ACCOUNT_DETAILS_KEYS_FILE cannot be read")
		}

		text, name = string(content), "ACCOUNT_DETAILS_KEYS_FILE"
	}

	ring, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}

	return ring, nil
}

var keyID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func parse(text string) (*Ring, error) {
	ring := &Ring{keys: make(map[string][]byte)}
	for _, entry := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}

		id, encoded, _ := strings.Cut(entry, ":")

		key, err := base64.StdEncoding.DecodeString(encoded)
		if !keyID.MatchString(id) || err != nil || len(key) != 32 {
			return nil, errors.New(
				"every entry must be id:key, the key being 32 bytes in base64 (openssl rand -base64 32)",
			)
		}

		if _, twice := ring.keys[id]; twice {
			return nil, errors.New("an id occurs twice")
		}

		ring.keys[id] = key

		if ring.current == "" {
			ring.current = id
		}
	}

	if ring.current == "" {
		return nil, errors.New("no key")
	}

	return ring, nil
}

// contextHeader is the protected header that binds a sealed field to its context.
const contextHeader = "sub"

// Seal encrypts plain for the context with the current key.
func (r *Ring) Seal(plain []byte, context string) (string, error) {
	encrypter, err := jose.NewEncrypter(
		jose.A256GCM,
		jose.Recipient{Algorithm: jose.DIRECT, Key: r.keys[r.current], KeyID: r.current},
		(&jose.EncrypterOptions{}).WithHeader(contextHeader, context),
	)
	if err != nil {
		return "", fmt.Errorf("sealed: %w", err)
	}

	object, err := encrypter.Encrypt(plain)
	if err != nil {
		return "", fmt.Errorf("sealed: %w", err)
	}

	return object.CompactSerialize()
}

// Open decrypts what Seal returned for the same context, with any key of the ring.
func (r *Ring) Open(text, context string) ([]byte, error) {
	object, err := jose.ParseEncryptedCompact(
		text,
		[]jose.KeyAlgorithm{jose.DIRECT},
		[]jose.ContentEncryption{jose.A256GCM},
	)
	if err != nil {
		return nil, ErrMalformed
	}

	// Base64 has unused bits; a text that differs in them is not what Seal returned.
	if again, err := object.CompactSerialize(); err != nil || again != text {
		return nil, ErrMalformed
	}

	if object.Header.ExtraHeaders[contextHeader] != context {
		return nil, ErrDamaged
	}

	key, known := r.keys[object.Header.KeyID]
	if !known {
		return nil, ErrUnknownKey
	}

	plain, err := object.Decrypt(key)
	if err != nil {
		return nil, ErrDamaged
	}

	return plain, nil
}
