package httpapi

import (
	"net/url"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"tributary/platform/fault"
)

// single refuses a request that has a parameter twice: which of the values counts would be a
// guess, and a second Idempotency-Key would protect from nothing.
func single(ctx huma.Context, next func(huma.Context)) {
	r, _ := humachi.Unwrap(ctx)

	var query url.Values
	if r.URL.RawQuery != "" {
		query = r.URL.Query()
	}

	var faults fault.Fields

	for _, p := range ctx.Operation().Parameters {
		if p.In == "query" && len(query[p.Name]) > 1 ||
			p.In == "header" && len(r.Header.Values(p.Name)) > 1 {
			faults.Add(p.Name, fault.ErrRepeated, "may be given once")
		}
	}

	if err := faults.Err(); err != nil {
		WriteHumaError(ctx, err)
		return
	}

	next(ctx)
}
