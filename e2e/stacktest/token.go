package stacktest

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are the claims of a token.
type Claims = jwt.MapClaims

// Token returns a valid partner's token for the user.
func (s *Stack) Token(t *testing.T, user string) string {
	t.Helper()
	return Sign(t, jwt.SigningMethodHS256, []byte(s.Secret), PartnerClaims(user))
}

// PartnerClaims returns the claims of a valid token.
func PartnerClaims(user string) Claims {
	now := time.Now() //nolint:forbidigo // observed from outside, so the real time

	return Claims{
		"sub":   user,
		"jti":   Unique("jti"),
		"iat":   now.Unix(),
		"exp":   now.Add(time.Hour).Unix(),
		"roles": []string{"partner"},
	}
}

// Sign returns a token of any kind, including invalid ones.
func Sign(t *testing.T, method jwt.SigningMethod, key any, claims Claims) string {
	t.Helper()

	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}

	return token
}

// Unique returns a name that no test and no earlier run has used.
func Unique(prefix string) string { return prefix + "-" + strings.ToLower(rand.Text()) }
