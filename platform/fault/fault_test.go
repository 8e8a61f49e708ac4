package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"tributary/platform/fault"
)

func TestAsFindsAWrappedFault(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection reset")
	err := fmt.Errorf(
		"store event: %w",
		fault.ErrDatabase.Because(cause, "Try again later."),
	)

	got, ok := fault.As(err)
	if !ok || got.Code() != "database_unavailable" || !errors.Is(err, cause) {
		t.Fatalf("As = %v, %t; want database_unavailable with its cause", got, ok)
	}

	if !errors.Is(err, fault.ErrDatabase) || errors.Is(err, fault.ErrCursor) ||
		errors.Is(cause, fault.ErrDatabase) {
		t.Fatal("Is does not tell codes apart")
	}
}

func TestFieldsTellsEveryFault(t *testing.T) {
	t.Parallel()

	var fields fault.Fields
	if err := fields.Err(); err != nil {
		t.Fatalf("no faults: Err = %v, want nil", err)
	}

	fields.Add("user_id", fault.ErrRequired, "is required")
	fields.Add("amount", fault.ErrNotPositive, "must be greater than 0")

	got, ok := fault.As(fields.Err())
	if !ok || got.Kind() != fault.Invalid || got.Code() != "validation_failed" || len(got.Fields) != 2 {
		t.Fatalf("Err = %+v, want validation_failed with two fields", got)
	}
}
