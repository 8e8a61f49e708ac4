package httpapi

import (
	"github.com/danielgtaylor/huma/v2"

	"tributary/platform/fault"
)

// checkEmpty refuses a query parameter without a value where its schema has no empty value: huma
// takes it for one that was left out.
func checkEmpty(ctx huma.Context, next func(huma.Context)) {
	url := ctx.URL()
	if url.RawQuery == "" {
		next(ctx)
		return
	}

	var faults fault.Fields

	given := url.Query()
	for _, p := range ctx.Operation().Parameters {
		if p.In != "query" || !given.Has(p.Name) || given.Get(p.Name) != "" {
			continue
		}

		s := p.Schema
		if s.Type != huma.TypeString || s.Format != "" || s.Pattern != "" || len(s.Enum) > 0 {
			faults.Add(p.Name, fault.ErrInvalidValue, "must have a value, or be left out")
		}
	}

	if err := faults.Err(); err != nil {
		WriteHumaError(ctx, err)
		return
	}

	next(ctx)
}
