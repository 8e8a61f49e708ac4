package fault

// The codes that packages of several services return.
var (
	// ErrValidation is returned by Fields.Err.
	ErrValidation = Define(
		Invalid,
		"validation_failed",
		"The request is well-formed but invalid; errors lists each fault.",
	)
	ErrKeyReused = Define(
		Invalid,
		"idempotency_key_reused",
		"The Idempotency-Key was used for another request. Use a new key.",
	)
	ErrCursor = Define(
		Malformed,
		"cursor_invalid",
		"The cursor does not belong to this list. Start again without a cursor.",
	)
	ErrTokenMissing = Define(
		Unauthenticated,
		"token_missing",
		"The request has no Authorization header of the form \"Bearer <token>\", or several. Send exactly one.",
	)
	ErrClaimMissing = Define(
		Unauthenticated,
		"token_claim_missing",
		"A required claim is absent: exp, a user id, or iss and aud where they are checked.",
	)
	ErrForeignUser = Define(
		Forbidden,
		"foreign_user",
		"A partner requested the data of another user. Partners may request only their own.",
	)
	ErrRateLimited = Define(
		Exhausted,
		"rate_limited",
		"The caller sends too many requests, or its address too many invalid tokens. "+
			"The next request is accepted after the time in Retry-After.",
	)
	ErrDatabase = Define(
		Unavailable,
		"database_unavailable",
		"The database is unavailable. Retry after the time in Retry-After.",
	)
	ErrShuttingDown = Define(
		Unavailable,
		"shutting_down",
		"This replica is stopping. Retry: another replica will answer.",
	)
)
