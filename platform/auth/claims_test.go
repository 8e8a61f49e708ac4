package auth_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"tributary/platform/auth"
	"tributary/platform/auth/authtest"
)

// identify verifies a valid token with the changed claims. A nil value removes a claim.
func identify(t *testing.T, cfg auth.Config, changed map[string]any) (auth.Identity, error) {
	t.Helper()

	c := start()
	claims := authtest.Claims(c.at, "user123")
	maps.Copy(claims, changed)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })

	return verifier(t, cfg, c).Verify(t.Context(), authtest.HS256(t, authtest.Secret, claims))
}

// Several claims may name the same user, and numeric user ids are accepted.
func TestUserIDClaims(t *testing.T) {
	t.Parallel()

	for want, claims := range map[string]map[string]any{
		"a":                      {"userId": "a", "user_id": "a", "sub": "a", "id": "a"},
		"b":                      {"user_id": "b", "sub": nil},
		"c":                      {"sub": "c"},
		"d":                      {"sub": nil, "id": "d"},
		"42":                     {"user_id": 42, "sub": "42"},
		"7":                      {"sub": 7},
		strings.Repeat("ü", 128): {"sub": strings.Repeat("ü", 128)},
	} {
		got, err := identify(t, hs256(), claims)
		if err != nil || got.UserID != want {
			t.Errorf("%v: %q %v", claims, got.UserID, err)
		}
	}
}

// A verified token never acts for two users, unless a setting selects the claim.
func TestUserIDClaimsThatDiffer(t *testing.T) {
	t.Parallel()

	for _, claims := range []map[string]any{
		{"sub": "mallory", "userId": "victim"},
		{"sub": "mallory", "user_id": "victim"},
		{"sub": "mallory", "id": "victim"},
		{"sub": nil, "user_id": "mallory", "id": "victim"},
		{"sub": "7", "id": 8},
		{"sub": "mallory", "userId": "Mallory"},
	} {
		if _, err := identify(t, hs256(), claims); code(err) != "token_user_ambiguous" {
			t.Errorf("%v: %v", claims, err)
		}

		named := hs256()
		named.UserClaim = "sub"

		got, err := identify(t, named, claims)
		if want, _ := claims["sub"].(string); want != "" && (err != nil || got.UserID != want) {
			t.Errorf("%v by sub: %q %v", claims, got.UserID, err)
		}

		if claims["sub"] == nil && code(err) != "token_claim_missing" {
			t.Errorf("%v by sub: %v", claims, err)
		}
	}
}

// Without verification the first claim in the order of the settings counts.
func TestOrderOfUserIDClaims(t *testing.T) {
	t.Parallel()

	cfg := hs256()
	cfg.RequireValidation = false

	for want, claims := range map[string]map[string]any{
		"a": {"userId": "a", "user_id": "b", "sub": "c", "id": "d"},
		"b": {"user_id": "b", "sub": "c", "id": "d"},
		"c": {"sub": "c", "id": "d"},
		"d": {"sub": nil, "id": "d"},
	} {
		got, err := identify(t, cfg, claims)
		if err != nil || got.UserID != want {
			t.Errorf("%v: %q %v", claims, got.UserID, err)
		}
	}
}

// Roles come from the configured claims only.
func TestRoles(t *testing.T) {
	t.Parallel()

	const scope = "roles,scope"

	for name, tc := range map[string]struct {
		setting string
		claims  map[string]any
		want    []auth.Role
	}{
		"nothing":                  {"", map[string]any{"roles": nil}, []auth.Role{"partner"}},
		"null":                     {"", map[string]any{"roles": nil, "scope": nil}, []auth.Role{"partner"}},
		"empty roles":              {"", map[string]any{"roles": []string{}}, []auth.Role{}},
		"foreign roles":            {"", map[string]any{"roles": []string{"reader"}}, []auth.Role{"reader"}},
		"roles twice":              {"", map[string]any{"roles": []string{"finance", "finance"}}, []auth.Role{"finance"}},
		"scope beside roles":       {"", map[string]any{"scope": "openid admin"}, []auth.Role{"partner"}},
		"scope alone":              {"", map[string]any{"roles": nil, "scope": "openid email profile"}, []auth.Role{"partner"}},
		"scope that is not named":  {"", map[string]any{"roles": nil, "scope": "admin"}, []auth.Role{"partner"}},
		"scope array, not named":   {"", map[string]any{"scope": []any{1}}, []auth.Role{"partner"}},
		"named scope":              {scope, map[string]any{"roles": nil, "scope": "openid operator"}, []auth.Role{"openid", "operator"}},
		"named scope without ours": {scope, map[string]any{"roles": nil, "scope": "openid email"}, []auth.Role{"openid", "email", "partner"}},
		"named scope, empty roles": {scope, map[string]any{"roles": []string{}, "scope": "openid"}, []auth.Role{"openid"}},
		"empty scope":              {scope, map[string]any{"roles": nil, "scope": ""}, []auth.Role{"partner"}},
		"no-break space":           {"scope", map[string]any{"scope": "read\u00a0operator"}, []auth.Role{"partner"}},
		"other blanks":             {"scope", map[string]any{"scope": "a\tadmin\nadmin\u2003admin\u3000admin"}, []auth.Role{"partner"}},
		"blank in a role":          {"", map[string]any{"roles": []string{"read operator", "partner"}}, []auth.Role{"partner"}},
		"roles beyond ASCII":       {"", map[string]any{"roles": []string{"Prüfer", "partner"}}, []auth.Role{"partner"}},
		"scp as an array":          {"scp", map[string]any{"scp": []string{"openid", "finance"}}, []auth.Role{"openid", "finance"}},
		"scp without ours":         {"scp", map[string]any{"scp": []string{"openid"}}, []auth.Role{"openid", "partner"}},
		"namespaced claim":         {"https://shop.example/roles", map[string]any{"https://shop.example/roles": []string{"operator"}}, []auth.Role{"operator"}},
		"path":                     {"realm_access.roles", map[string]any{"realm_access": map[string]any{"roles": []string{"operator"}}}, []auth.Role{"operator"}},
		"path that ends":           {"realm_access.roles", map[string]any{"realm_access": map[string]any{}}, []auth.Role{"partner"}},
		"a member goes first":      {"a.b", map[string]any{"a.b": []string{"partner"}, "a": map[string]any{"b": []string{"admin"}}}, []auth.Role{"partner"}},
		"not the named claim":      {"permissions", map[string]any{"roles": []string{"admin"}, "permissions": []string{}}, []auth.Role{}},
	} {
		cfg := hs256()
		if tc.setting != "" {
			cfg.RolesClaim = strings.Split(tc.setting, ",")
		}

		got, err := identify(t, cfg, tc.claims)
		if err != nil || !slices.Equal(got.Roles, tc.want) {
			t.Errorf("%s: roles %q, %v, want %q", name, got.Roles, err, tc.want)
		}
	}
}

func TestDamagedClaims(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		setting string
		claims  map[string]any
	}{
		"roles a string":       {"roles", map[string]any{"roles": "admin"}},
		"path into a string":   {"realm_access.roles", map[string]any{"realm_access": "admin"}},
		"path into an array":   {"realm_access.roles", map[string]any{"realm_access": []string{"admin"}}},
		"path to an object":    {"realm_access.roles", map[string]any{"realm_access": map[string]any{"roles": map[string]any{}}}},
		"scope with a number":  {"scope", map[string]any{"scope": []any{"admin", 1}}},
		"scope a number":       {"scope", map[string]any{"scope": 1}},
		"named claim a string": {"permissions", map[string]any{"permissions": "admin"}},
	} {
		cfg := hs256()
		cfg.RolesClaim = []string{tc.setting}

		if got, err := identify(t, cfg, tc.claims); code(err) != "token_claim_invalid" {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}

// Tokens as three identity providers issue them, shortened to the relevant claims.
func TestTokensOfIdentityProviders(t *testing.T) {
	t.Parallel()

	base := map[string]any{"sub": nil, "iss": nil, "aud": nil, "jti": nil, "roles": nil}
	keycloak := map[string]any{
		"jti": "onrtac:5d0f1b7e", "iss": "https://sso.example/realms/shop", "aud": []string{"tributary", "account"},
		"sub": "f2a6dbd1-5d6c-4f0c-8f3c-9d1f0c1d2e3f", "typ": "Bearer", "azp": "portal", "acr": "1",
		"realm_access":       map[string]any{"roles": []string{"default-roles-shop", "offline_access", "uma_authorization", "operator"}},
		"resource_access":    map[string]any{"account": map[string]any{"roles": []string{"manage-account"}}},
		"scope":              "openid email profile",
		"preferred_username": "olivia", "email_verified": true,
	}
	cognito := map[string]any{
		"sub": "aaaabbbb-cccc-dddd-eeee-ffff00001111", "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E",
		"client_id": "1h57kf5cpq17m0eml12EXAMPLE", "token_use": "access", "scope": "openid email profile",
		"cognito:groups": []string{"eu-west-1_Ab12Cd34E_Google", "finance"}, "username": "frank", "version": 2,
	}
	auth0 := map[string]any{
		"iss": "https://shop.eu.auth0.com/", "sub": "auth0|64f0c2a1b7e0a8d3c1f2e3d4",
		"aud":   []string{"https://api.shop.example", "https://shop.eu.auth0.com/userinfo"},
		"scope": "openid profile email offline_access", "azp": "my_client_id", "permissions": []string{"partner", "read:reports"},
	}

	for name, tc := range map[string]struct {
		claims                 map[string]any
		issuer, audience       string
		rolesClaim, audienceIn string
		user                   string
		role                   auth.Role
	}{
		"Keycloak":             {keycloak, "https://sso.example/realms/shop", "tributary", "realm_access.roles", "", "f2a6dbd1-5d6c-4f0c-8f3c-9d1f0c1d2e3f", auth.Operator},
		"Keycloak, no setting": {keycloak, "https://sso.example/realms/shop", "tributary", "", "", "f2a6dbd1-5d6c-4f0c-8f3c-9d1f0c1d2e3f", auth.Partner},
		"Cognito": {
			cognito, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E", "1h57kf5cpq17m0eml12EXAMPLE",
			"cognito:groups", "client_id", "aaaabbbb-cccc-dddd-eeee-ffff00001111", auth.Finance,
		},
		"Auth0":             {auth0, "https://shop.eu.auth0.com/", "https://api.shop.example", "permissions", "", "auth0|64f0c2a1b7e0a8d3c1f2e3d4", auth.Partner},
		"Auth0, no setting": {auth0, "https://shop.eu.auth0.com/", "https://api.shop.example", "", "", "auth0|64f0c2a1b7e0a8d3c1f2e3d4", auth.Partner},
	} {
		claims := maps.Clone(base)
		maps.Copy(claims, tc.claims)

		cfg := hs256()
		cfg.Issuer = tc.issuer
		cfg.Audience = tc.audience
		cfg.AudienceClaim = tc.audienceIn

		if tc.rolesClaim != "" {
			cfg.RolesClaim = []string{tc.rolesClaim}
		}

		got, err := identify(t, cfg, claims)
		if err != nil || got.UserID != tc.user || !got.Has(tc.role) || got.Has(auth.Admin) {
			t.Errorf("%s: %+v %v", name, got, err)
		}

		cfg.Audience = "another service"
		if _, err := identify(t, cfg, claims); code(err) != "token_audience_invalid" {
			t.Errorf("%s for another audience: %v", name, err)
		}
	}

	named := hs256()
	named.Issuer = ""
	named.Audience = ""
	named.UserClaim = "preferred_username"

	if got, err := identify(t, named, keycloak); err != nil || got.UserID != "olivia" {
		t.Errorf("user by preferred_username: %q %v", got.UserID, err)
	}
}
