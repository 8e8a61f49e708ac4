package rest

import (
	"context"

	"tributary/commission/internal/api/wire"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/auth"
)

// A partner may read what happened to its money, but neither who changed it nor an operator's
// reason: these are internal. Every answer to a read passes one of these functions.

func commissionFor(ctx context.Context, c commission.Snapshot) commission.Snapshot {
	if auth.SeesAll(ctx) {
		return c
	}

	state := c
	state.Reason = ""

	return state
}

// payoutFor leaves a partner the reason of a rejection, which is a code of ours.
func payoutFor(ctx context.Context, p payout.Snapshot) payout.Snapshot {
	if !auth.SeesAll(ctx) && p.Status != payout.Rejected {
		p.Reason = ""
	}

	return p
}

func explanationFor(ctx context.Context, found query.Explained) wire.Explanation {
	x := wire.ExplanationOf(found)
	if !auth.SeesAll(ctx) {
		x.Redact()
	}

	return x
}
