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
	ErrInternal = Define(
		Internal,
		"internal_error",
		"The service failed, and the outcome of the request is unknown. The log has the cause "+"under request_id.",
	)
)

// The codes of fields that packages of several services return.
var (
	ErrRequired      = DefineField("required", "is required")
	ErrUnknownField  = DefineField("unknown_field", "is not a field of this request")
	ErrWrongType     = DefineField("wrong_type", "is of another type than expected")
	ErrInvalidValue  = DefineField("invalid_value", "is not one of the values, or not of the form, that message names")
	ErrTooShort      = DefineField("too_short", "has fewer characters than message names")
	ErrTooLong       = DefineField("too_long", "has more characters or bytes than message names")
	ErrWrongCount    = DefineField("wrong_count", "has more or fewer items than message names")
	ErrRepeated      = DefineField("repeated", "may be given once")
	ErrNotPrintable  = DefineField("not_printable", "must consist of printable characters")
	ErrNegative      = DefineField("negative", "must not be negative")
	ErrNotPositive   = DefineField("not_positive", "must be greater than 0")
	ErrTime          = DefineField("time_malformed", "must be a time as in RFC 3339")
	ErrURL           = DefineField("invalid_url", "must be an absolute http or https URL")
	ErrNotAfter      = DefineField("not_after", "must be after the field that message names")
	ErrFuture        = DefineField("in_the_future", "must not be further in the future than message names")
	ErrTooEarly      = DefineField("too_early", "must not be before the time that message names")
	ErrNotApplicable = DefineField("not_applicable", "does not belong with the other fields")
	ErrEventType     = DefineField("unknown_event_type", "must be one of the event types that message names")

	errMoreFaults = DefineField("more_faults", "has more faults than are listed")
)
