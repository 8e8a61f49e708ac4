package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tributary/platform/fault"
)

var (
	errBroken = fault.Define(fault.Conflict, "test_broken", "It is broken. Mend it.")
	errOther  = fault.Define(fault.Conflict, "test_other", "It is another thing.")
)

func TestAFaultIsItsCode(t *testing.T) {
	t.Parallel()

	cause := errors.New("connection reset")
	for name, err := range map[string]error{
		"bare":    errBroken,
		"new":     errBroken.New("Broken."),
		"because": errBroken.Because(cause, "Broken.").RetryIn(time.Second),
		"relayed": fault.Relayed(fault.Conflict, "test_broken", "Broken."),
	} {
		wrapped := fmt.Errorf("store: %w", err)

		f, ok := fault.As(wrapped)
		if !ok || f.Code() != "test_broken" || f.Kind() != fault.Conflict || f.Detail == "" {
			t.Errorf("%s: As = %v, %t", name, f, ok)
		}

		if !errors.Is(wrapped, errBroken) || errors.Is(wrapped, errOther) {
			t.Errorf("%s: is not its code, or another", name)
		}

		if errors.Is(wrapped, cause) != (name == "because") {
			t.Errorf("%s: cause", name)
		}
	}

	if _, ok := fault.As(cause); ok {
		t.Error("a plain error is a fault")
	}
}

func TestTheRegistryListsEveryCodeOnce(t *testing.T) {
	t.Parallel()

	found, last := 0, ""
	for _, c := range fault.Defined() {
		if c.Name() <= last {
			t.Errorf("%s follows %s", c.Name(), last)
		}

		last = c.Name()
		if c == errBroken || c == errOther {
			found++
		}
	}

	if found != 2 {
		t.Errorf("%d of 2 codes are listed", found)
	}
}

func TestACodeIsDefinedOnceAndInFull(t *testing.T) {
	t.Parallel()

	for name, define := range map[string]func() *fault.Code{
		"twice":   func() *fault.Code { return fault.Define(fault.Conflict, "test_broken", "Again.") },
		"kind":    func() *fault.Code { return fault.Define("", "test_new", "It is new.") },
		"name":    func() *fault.Code { return fault.Define(fault.Conflict, "", "It is new.") },
		"meaning": func() *fault.Code { return fault.Define(fault.Conflict, "test_new", "") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()

			t.Log(define())
		}()
	}
}
