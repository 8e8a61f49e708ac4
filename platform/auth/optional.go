package auth

import "context"

// Optional is for services whose local stack needs no token. With AUTH_REQUIRED=false every
// operation is open, which production refuses.
type Optional struct {
	// Required asks every caller for a token; the local stacks set it to false. Production: must
	// be true.
	Required bool `envconfig:"AUTH_REQUIRED" default:"true"`

	Config
}

// Validate returns a message for each invalid setting. The settings of tokens are checked only if
// tokens are required.
func (o Optional) Validate(production bool) []string {
	if o.Required {
		return o.Config.Validate(production)
	}

	if production {
		return []string{"AUTH_REQUIRED must be true in production"}
	}

	return nil
}

// NewOptional returns the verifier of a service for Middleware and Handler, or nil if
// authentication is off.
func NewOptional(ctx context.Context, o Optional, deps Dependencies) (*Verifier, error) {
	if o.Required {
		return New(ctx, o.Config, deps)
	}

	deps.Logger.WarnContext(
		ctx,
		"AUTHENTICATION IS OFF: anyone may call every operation. AUTH_REQUIRED=false is for "+
			"the local stack only",
	)

	return nil, nil // documented: a nil verifier admits every caller
}
