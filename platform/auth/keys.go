package auth

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/golang-jwt/jwt/v5"
)

// key is a verification key for exactly one algorithm: an RSA key never verifies an HMAC.
type key struct {
	method   jwt.SigningMethod
	material any // []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// keySource finds the keys that may have signed a token.
type keySource interface {
	// find returns the candidates for a kid ("" if the token names none). It returns the faults
	// token_key_unknown and token_keys_unavailable.
	find(ctx context.Context, kid string) ([]key, error)
	// generation changes whenever the keys may have changed. An identity that keys of another
	// generation have verified is no longer valid.
	generation() uint64
	// ready returns nil if tokens can be verified, and otherwise the reason.
	ready(ctx context.Context) error
}

const minSecret, minRSABits = 32, 2048

// publicKey returns the key with its algorithm, or an error that says why the key is not used.
func publicKey(material any) (key, error) {
	switch k := material.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return key{}, errors.New("an RSA key needs 2048 bits or more")
		}

		return key{jwt.SigningMethodRS256, k}, nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return key{}, errors.New("an EC key must be on the curve P-256")
		}

		return key{jwt.SigningMethodES256, k}, nil
	case ed25519.PublicKey:
		if len(k) != ed25519.PublicKeySize {
			return key{}, errors.New("an Ed25519 key needs 32 bytes")
		}

		return key{jwt.SigningMethodEdDSA, k}, nil
	}

	return key{}, errors.New("the key is neither RSA nor EC P-256 nor Ed25519")
}

// fixedKeys are the configured keys. The kid is ignored: every key is tried.
type fixedKeys []key

func (f fixedKeys) find(context.Context, string) ([]key, error) { return f, nil }
func (f fixedKeys) generation() uint64                          { return 0 }
func (f fixedKeys) ready(context.Context) error                 { return nil }

// pemKeys reads the public keys and certificates of a PEM file. Several keys allow a rotation. All
// must be for the algorithm.
func pemKeys(path, algorithm string) (fixedKeys, error) {
	rest, err := os.ReadFile(path) //nolint:gosec // the path is the operator's setting
	if err != nil {
		return nil, errors.New("the file cannot be read")
	}

	var keys fixedKeys
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}

		material, err := parseBlock(block)
		if err != nil {
			return nil, err
		}

		k, err := publicKey(material)
		if err != nil {
			return nil, err
		}

		if k.method.Alg() != algorithm {
			return nil, fmt.Errorf("the file contains a key for %s", k.method.Alg())
		}

		keys = append(keys, k)
	}

	if len(keys) == 0 {
		return nil, errors.New("the file contains no PEM block")
	}

	return keys, nil
}

func parseBlock(block *pem.Block) (crypto.PublicKey, error) {
	switch block.Type {
	case "PUBLIC KEY":
		material, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, errors.New("a public key cannot be read")
		}

		return material, nil
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("a certificate cannot be read")
		}

		return certificate.PublicKey, nil
	}

	return nil, errors.New(
		"the file contains blocks other than PUBLIC KEY and CERTIFICATE (a private key " +
			"does not belong here)",
	)
}
