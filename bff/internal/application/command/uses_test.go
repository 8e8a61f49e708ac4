package command_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tributary/bff/internal/application/command"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/payment"
	"tributary/platform/fault"
)

func claimer(t *testing.T) (claim func(key, content string) error) {
	t.Helper()

	from, err := caller.New(caller.Snapshot{UserID: "user123"})
	if err != nil {
		t.Fatal(err)
	}

	stamper := command.NewStamper(&ids{}, func(content, _ string) string { return content }, time.Now)

	return func(key, content string) error {
		stamp, err := stamper.Stamp(
			payment.RequestType,
			command.Origin{Caller: from, IdempotencyKey: key, Content: content},
		)
		if err != nil {
			t.Error(err)
		}

		return stamper.Claim(stamp)
	}
}

// What is remembered is bounded: the oldest keys are forgotten first.
func TestTheLatestKeysAreRemembered(t *testing.T) {
	t.Parallel()

	const remembered = 8192
	claim := claimer(t)

	for round := range 3 {
		for n := range remembered {
			if err := claim(fmt.Sprint(round, n), "a"); err != nil {
				t.Fatal(err)
			}
		}

		for _, n := range []int{0, 1, remembered - 1} {
			if err := claim(fmt.Sprint(round, n), "b"); !errors.Is(err, fault.ErrKeyReused) {
				t.Errorf("round %d: key %d: %v", round, n, err)
			}
		}
	}

	if err := claim("one more", "a"); err != nil {
		t.Fatal(err)
	}

	if err := claim(fmt.Sprint(2, 1), "b"); !errors.Is(err, fault.ErrKeyReused) {
		t.Errorf("the second oldest key: %v", err)
	}

	if err := claim(fmt.Sprint(2, 0), "b"); err != nil {
		t.Errorf("the oldest key: %v", err)
	}
}

// Of requests at once with one key and different contents one is let through.
func TestOneOfManyAtOnce(t *testing.T) {
	t.Parallel()
	claim := claimer(t)

	var wg sync.WaitGroup

	results := make(chan error, 50)
	for n := range cap(results) {
		wg.Go(func() { results <- claim("k", fmt.Sprint(n)) })
	}

	wg.Wait()
	close(results)

	passed := 0
	for err := range results {
		if err == nil {
			passed++
		}
	}

	if passed != 1 {
		t.Errorf("%d passed", passed)
	}
}
