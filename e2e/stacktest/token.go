package stacktest

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are those of a token.
type Claims = jwt.MapClaims

// Token is a valid partner's token for the user.
func (s *Stack) Token(t *testing.T, user string) string {
	t.Helper()
	return Sign(t, jwt.SigningMethodHS256, []byte(s.Secret), PartnerClaims(user))
}

// PartnerClaims are those of a valid token.
func PartnerClaims(user string) Claims {
	now := time.Now() //nolint:forbidigo // seen from outside, time is the real one

	return Claims{
		"sub":   user,
		"jti":   Unique("jti"),
		"iat":   now.Unix(),
		"exp":   now.Add(time.Hour).Unix(),
		"roles": []string{"partner"},
	}
}

// Sign makes a token of any kind, also bad ones.
func Sign(t *testing.T, method jwt.SigningMethod, key any, claims Claims) string {
	t.Helper()

	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}

	return token
}

// Unique is a name that no test and no run before has used.
func Unique(prefix string) string { return prefix + "-" + strings.ToLower(rand.Text()) }
