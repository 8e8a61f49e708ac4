package auth

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/platform/identifier"
)

// reader reads the claims of a token as the settings say.
type reader struct {
	userClaim     string   // "" for the first of userId, user_id, sub and id
	roleClaims    []string // roles unless set
	audienceClaim string   // aud unless set
	// agree refuses user ids that differ; it is set if tokens are verified.
	agree bool
}

func newReader(cfg Config) reader {
	r := reader{
		userClaim:     cfg.UserClaim,
		roleClaims:    cfg.RolesClaim,
		audienceClaim: cfg.AudienceClaim,
		agree:         cfg.RequireValidation,
	}
	if len(r.roleClaims) == 0 {
		r.roleClaims = []string{"roles"}
	}

	if r.audienceClaim == "" {
		r.audienceClaim = "aud"
	}

	return r
}

// find looks up a claim, first as a member with that exact name, then as a path of members
// separated by dots. Both https://shop.example/roles and realm_access.roles are valid names. For an
// absent claim and for null find returns nil.
func find(members map[string]jsontext.Value, name string) (jsontext.Value, error) {
	if value, found := members[name]; found {
		if value.Kind() == jsontext.KindNull {
			return nil, nil // null is treated as absent
		}

		return value, nil
	}

	first, rest, nested := strings.Cut(name, ".")

	outer := members[first]
	if !nested || outer == nil || outer.Kind() == jsontext.KindNull {
		return nil, nil // absent
	}

	var inner map[string]jsontext.Value
	if err := json.Unmarshal(outer, &inner); err != nil {
		return nil, invalidClaim(first, "is not an object")
	}

	return find(inner, rest)
}

// userID reads the claim that names the user. A claim that is present but not a valid id is
// refused: falling through to the next would let a damaged token act for another user.
func (r reader) userID(members map[string]jsontext.Value) (string, error) {
	if r.userClaim != "" {
		value, err := find(members, r.userClaim)
		if err != nil {
			return "", err
		}

		if value == nil {
			return "", missingClaim("claim that JWT_USER_CLAIM names")
		}

		return userIDOf(r.userClaim, value)
	}

	found := ""
	for _, name := range []string{"userId", "user_id", "sub", "id"} {
		value := members[name]
		if value == nil || value.Kind() == jsontext.KindNull {
			continue
		}

		if found != "" && !r.agree {
			break
		}

		id, err := userIDOf(name, value)
		if err != nil {
			return "", err
		}

		if found != "" && id != found {
			return "", ErrTokenUserAmbiguous.New("The claims userId, user_id, sub and id name different users.")
		}

		found = id
	}

	if found == "" {
		return "", missingClaim("user id (userId, user_id, sub or id)")
	}

	return found, nil
}

func userIDOf(name string, raw jsontext.Value) (string, error) {
	value, _, ok := text(raw)
	if !ok {
		value, ok = integer(raw)
	}

	if !ok || !identifier.Valid(value) {
		return "", invalidClaim(name, "is not a user id of 1 to 128 printable characters")
	}

	return value, nil
}

// audience reads a string or an array of strings.
func (r reader) audience(members map[string]jsontext.Value) ([]string, error) {
	raw, err := find(members, r.audienceClaim)
	if err != nil || raw == nil {
		return nil, err
	}

	if one, _, ok := text(raw); ok {
		return []string{one}, nil
	}

	many, err := stringArray(raw)
	if err != nil {
		return nil, invalidClaim(r.audienceClaim, "is not a string or an array of strings")
	}

	return many, nil
}

const maxRoles = 64

// roles reads the claims that grant roles. A token without any of them has the role of a partner,
// who may act only for itself.
func (r reader) roles(members map[string]jsontext.Value) ([]Role, error) {
	said := false
	granted := []Role{}

	for _, claim := range r.roleClaims {
		raw, err := find(members, claim)
		if err != nil {
			return nil, err
		}

		if raw == nil {
			continue
		}

		names, err := roleNames(claim, raw)
		if err != nil {
			return nil, err
		}

		said = said || !scopes(claim) || slices.ContainsFunc(names, ours)
		for _, name := range names {
			if printable(name) && !slices.Contains(granted, Role(name)) {
				granted = append(granted, Role(name))
			}
		}
	}

	if len(granted) > maxRoles {
		return nil, invalidClaim(strings.Join(r.roleClaims, ", "), "grants more than 64 roles")
	}

	if !said {
		granted = append(granted, Partner)
	}

	return granted, nil
}

// scopes reports whether the claim holds OAuth scopes. Most scopes concern other services, so a
// claim without a role of ours is treated as absent.
func scopes(claim string) bool {
	last := claim[strings.LastIndexByte(claim, '.')+1:]
	return last == "scope" || last == "scp"
}

// roleNames reads an array of strings. For scopes it also reads a string of words separated by
// single-byte spaces (RFC 6749, 3.3); other white space does not separate.
func roleNames(claim string, raw jsontext.Value) ([]string, error) {
	if words, _, ok := text(raw); ok && scopes(claim) {
		return strings.Split(words, " "), nil
	}

	names, err := stringArray(raw)
	if err != nil {
		return nil, invalidClaim(claim, "is not an array of strings")
	}

	return names, nil
}

func ours(name string) bool {
	return slices.Contains([]Role{Partner, Operator, Finance, Admin}, Role(name))
}

// printable reports whether the name has 1 to 64 printable ASCII characters. Other names are left
// out: they cannot be roles of ours.
func printable(name string) bool {
	return name != "" && len(name) <= 64 &&
		!strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}
