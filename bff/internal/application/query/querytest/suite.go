package querytest

import (
	"errors"
	"testing"

	"tributary/bff/internal/application/query"
	"tributary/bff/internal/domain/caller"
	"tributary/platform/fault"
)

// World is a source with the records of this package, and one that does not answer.
type World struct {
	Source query.Source
	Away   query.Source
}

// Suite tests the contract of query.Source.
func Suite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()
	t.Run("records come back as they are", func(t *testing.T) {
		t.Parallel()

		for name, got := range answers(t, open(t).Source, "", query.Page{Limit: 10}) {
			want := map[string]query.Document{
				"payout":      {Owner: User, Text: Payment},
				"payouts":     {Text: Payments},
				"balance":     {Text: Balance},
				"commissions": {Text: Commissions},
			}[name]
			if got.err != nil || got.document != want {
				t.Errorf("%s = %+v, %v", name, got.document, got.err)
			}
		}
	})
	t.Run("an unknown payment is not found", func(t *testing.T) {
		t.Parallel()

		unknown := "01929b1c-7b5e-7c11-8a10-0000000000ff"
		if _, err := open(t).Source.Payout(
			t.Context(),
			origin(t),
			unknown,
		); !errors.Is(err, query.ErrNotFound) {
			t.Error(err)
		}
	})
	t.Run("a cursor of another list is refused", func(t *testing.T) {
		t.Parallel()

		for name, got := range answers(t, open(t).Source, "", query.Page{Limit: 10, Cursor: BadCursor}) {
			listed := name == "payouts" || name == "commissions"
			if errors.Is(got.err, fault.ErrCursor) != listed {
				t.Errorf("%s: %v", name, got.err)
			}
		}
	})
	t.Run("a faulty filter is refused with its field", func(t *testing.T) {
		t.Parallel()

		for name, got := range answers(t, open(t).Source, BadStatus, query.Page{Limit: 10}) {
			f, _ := fault.As(got.err)

			listed := name == "payouts" || name == "commissions"
			if errors.Is(got.err, fault.ErrValidation) != listed ||
				listed && (len(f.Fields) != 1 || f.Fields[0].Field != "status" ||
					!errors.Is(f.Fields[0].Code, fault.ErrInvalidValue)) {
				t.Errorf("%s: %v", name, got.err)
			}
		}
	})
	t.Run("a source that does not answer is unavailable", func(t *testing.T) {
		t.Parallel()

		for name, got := range answers(t, open(t).Away, "", query.Page{Limit: 10}) {
			f, _ := fault.As(got.err)
			if !errors.Is(got.err, query.ErrUnavailable) || f.RetryAfter <= 0 {
				t.Errorf("%s: %v", name, got.err)
			}
		}
	})
}

type answer struct {
	document query.Document
	err      error
}

func answers(
	t *testing.T,
	source query.Source,
	status string,
	page query.Page,
) map[string]answer {
	t.Helper()

	from := origin(t)
	found := map[string]answer{}
	note := func(name string, document query.Document, err error) {
		found[name] = answer{document: document, err: err}
	}

	document, err := source.Payout(t.Context(), from, PaymentID)
	note("payout", document, err)

	document, err = source.Payouts(t.Context(), from, status, page)
	note("payouts", document, err)

	document, err = source.Balance(t.Context(), from)
	note("balance", document, err)

	document, err = source.Commissions(t.Context(), from, query.CommissionFilter{Status: status}, page)
	note("commissions", document, err)

	return found
}

func origin(t *testing.T) query.Origin {
	t.Helper()

	from, err := caller.New(caller.Snapshot{UserID: User})
	if err != nil {
		t.Fatal(err)
	}

	return query.Origin{Caller: from, Bearer: "the-token"}
}
