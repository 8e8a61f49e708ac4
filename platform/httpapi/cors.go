package httpapi

import (
	"net/http"

	"github.com/go-chi/cors"
)

// CORS lets pages of the origins send requests to this service. Without origins no other page is
// allowed and no header is set. Cookies are never allowed: callers send their token themselves.
func CORS(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}

	return cors.Handler(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodPost},
		AllowedHeaders: []string{
			"Authorization",
			"Content-Type",
			"Idempotency-Key",
			"If-Match",
			"X-Request-ID",
			"traceparent",
		},
		ExposedHeaders: []string{
			"X-Request-ID",
			"Retry-After",
			"RateLimit-Limit",
			"RateLimit-Remaining",
			"RateLimit-Reset",
			"RateLimit-Policy",
			"Idempotency-Replayed",
			"ETag",
		},
		MaxAge: 600,
	})(next)
}
