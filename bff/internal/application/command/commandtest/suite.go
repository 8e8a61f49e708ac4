package commandtest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"tributary/bff/internal/application/command"
	"tributary/bff/internal/domain/caller"
	"tributary/bff/internal/domain/campaign"
	domain "tributary/bff/internal/domain/command"
	"tributary/bff/internal/domain/evidence"
	"tributary/bff/internal/domain/payment"
	"tributary/platform/fault"
)

// World is a publisher whose broker works, and one whose broker is away.
type World struct {
	Publisher command.Publisher
	Away      command.Publisher
	// Stored waits until the topic of the type has the number of commands, and returns their ids.
	Stored func(t *testing.T, kind domain.Type, number int) []string
}

// Suite tests the contract of command.Publisher. open returns a world without commands.
func Suite(t *testing.T, open func(t *testing.T) World) {
	t.Helper()
	t.Run("every command is stored", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		for id, cmd := range commands(t) {
			if err := w.Publisher.Publish(t.Context(), cmd); err != nil {
				t.Fatalf("%s: %v", cmd.Stamp().Type(), err)
			}

			if got := w.Stored(t, cmd.Stamp().Type(), 1); !slices.Equal(got, []string{id}) {
				t.Errorf("%s: stored %v, want %s", cmd.Stamp().Type(), got, id)
			}
		}
	})
	t.Run("a command may be published again", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		for id, cmd := range commands(t) {
			for range 2 {
				if err := w.Publisher.Publish(t.Context(), cmd); err != nil {
					t.Fatalf("%s: %v", cmd.Stamp().Type(), err)
				}
			}

			if got := w.Stored(t, cmd.Stamp().Type(), 2); !slices.Equal(got, []string{id, id}) {
				t.Errorf("%s: stored %v", cmd.Stamp().Type(), got)
			}
		}
	})
	t.Run("without a broker nothing is stored", func(t *testing.T) {
		t.Parallel()

		w := open(t)
		for _, cmd := range commands(t) {
			err := w.Away.Publish(t.Context(), cmd)

			f, ok := fault.As(err)
			if !errors.Is(err, command.ErrBrokerUnavailable) || !ok || f.RetryAfter <= 0 {
				t.Errorf("%s: %v", cmd.Stamp().Type(), err)
			}
		}
	})
	t.Run("a caller that has left gets no success", func(t *testing.T) {
		t.Parallel()

		left, cancel := context.WithCancel(t.Context())
		cancel()

		w := open(t)
		for _, cmd := range commands(t) {
			err := w.Publisher.Publish(left, cmd)
			if !errors.Is(err, command.ErrBrokerUnavailable) &&
				!errors.Is(err, command.ErrOutcomeUnknown) {
				t.Errorf("%s: %v", cmd.Stamp().Type(), err)
			}
		}
	})
}

// commands returns a command of every type by its id.
func commands(t *testing.T) map[string]domain.Command {
	t.Helper()

	const accept, upload, request = "01929b1c-7b5e-7c11-8a10-000000000001",
		"01929b1c-7b5e-7c11-8a10-000000000002",
		"01929b1c-7b5e-7c11-8a10-000000000003"

	acceptance, err := campaign.NewAcceptance(stamp(t, accept, campaign.AcceptType), "camp", true, "")
	if err != nil {
		t.Fatal(err)
	}

	photo, err := evidence.NewUpload(stamp(t, upload, evidence.UploadType), evidence.Input{
		CampaignID: "camp",
		Kind:       "photo",
		FileURL:    "https://example.com/photo.jpg",
	})
	if err != nil {
		t.Fatal(err)
	}

	wanted, err := payment.NewRequest(stamp(t, request, payment.RequestType), payment.Input{
		Amount:         "150.00",
		Currency:       "USD",
		Method:         "paypal",
		AccountDetails: `{"email":"u@example.com"}`,
	})
	if err != nil {
		t.Fatal(err)
	}

	return map[string]domain.Command{accept: acceptance, upload: photo, request: wanted}
}

func stamp(t *testing.T, id string, kind domain.Type) domain.Stamp {
	t.Helper()

	from, err := caller.New(caller.Snapshot{UserID: "u"})
	if err != nil {
		t.Fatal(err)
	}

	s, err := domain.NewStamp(id, kind, from, "", time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}

	return s
}
