package bench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ES256 creates a key, writes its public half as a PEM file into dir, and signs a partner's token
// with it.
func ES256(dir string) (publicKeyFile, token string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}

	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", "", err
	}

	publicKeyFile = filepath.Join(dir, "bench-es256.pem")
	if err := os.WriteFile(
		publicKeyFile,
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		0o600,
	); err != nil {
		return "", "", err
	}

	claims := jwt.MapClaims{
		"sub":   "user123",
		"roles": []string{"partner"},
		"exp":   time.Now().Add(24 * time.Hour).Unix(),
	}
	token, err = jwt.NewWithClaims(jwt.SigningMethodES256, claims).SignedString(key)

	return publicKeyFile, token, err
}
