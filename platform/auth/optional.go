package auth

import "context"

// Optional is for services whose local stack needs no token: with AUTH_REQUIRED=false everything is
// open, which production refuses.
type Optional struct {
	// Required asks every caller for a token; the local stacks set it to false. Production: must be
	// true.
	Required bool `envconfig:"AUTH_REQUIRED" default:"true"`

	Config
}

// Validate tells every fault of the settings. Those of tokens count only where tokens are required.
func (o Optional) Validate(production bool) []string {
	if o.Required {
		return o.Config.Validate(production)
	}

	if production {
		return []string{"AUTH_REQUIRED must be true in production"}
	}

	return nil
}

// NewOptional makes the verifier of a service, or nil where authentication is off, for Middleware
// and Handler.
func NewOptional(ctx context.Context, o Optional, needs Needs) (*Verifier, error) {
	if o.Required {
		return New(ctx, o.Config, needs)
	}

	needs.Logger.WarnContext(
		ctx,
		"AUTHENTICATION IS OFF: everybody may call every operation. AUTH_REQUIRED=false is for "+
			"the local stack only",
	)

	return nil, nil // nil is the verifier that lets everybody in: documented
}
