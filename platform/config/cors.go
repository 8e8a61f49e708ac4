package config

import (
	"net/url"
	"strings"
)

// CORS is the setting of the pages that may call a service from a browser.
type CORS struct {
	// Origins are the origins of front ends that may call, separated by commas, such as
	// https://app.example.com; empty for none. * is refused. Production: https only.
	Origins []string `envconfig:"CORS_ALLOWED_ORIGINS"`
}

// Validate returns what is wrong with the origins.
func (c CORS) Validate(production bool) []string {
	for _, origin := range c.Origins {
		if !validOrigin(origin) {
			return []string{
				"CORS_ALLOWED_ORIGINS must list origins such as https://app.example.com, separated by commas",
			}
		}

		if production && !strings.HasPrefix(strings.ToLower(origin), "https:") {
			return []string{
				"CORS_ALLOWED_ORIGINS must list https origins only in production: anyone on the path " +
					"can change a page that is loaded over http",
			}
		}
	}

	return nil
}

// validOrigin reports whether the text is scheme, host and port and nothing else. A * is never
// accepted: any page could then act with the user's token.
func validOrigin(text string) bool {
	origin, err := url.Parse(text)

	return err == nil && (origin.Scheme == "https" || origin.Scheme == "http") &&
		origin.Host != "" && origin.User == nil &&
		origin.Path == "" &&
		origin.RawQuery == "" &&
		origin.Fragment == "" &&
		!strings.Contains(text, "*")
}
