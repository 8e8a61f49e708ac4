package commandtest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// FormatWorld is a format with content that it writes, and content that it does not.
type FormatWorld struct {
	Format command.Format
	// Content has several payments without faults.
	Content command.FileContent
	// Reference returns how the file names a payout.
	Reference func(payoutID string) string
	// Unsuitable are currencies of batches that the format cannot pay.
	Unsuitable []money.Currency
	// Faulty are members of accounts, by the fields that are at fault, separated by spaces.
	Faulty map[string]map[string]string
}

// FormatSuite tests the contract of command.Format. open returns a world.
func FormatSuite(t *testing.T, open func(t *testing.T) FormatWorld) {
	t.Helper()

	for name, test := range map[string]func(*testing.T, FormatWorld){
		"a format has a name and an extension": formatNames,
		"a batch suits the format or not":      formatBatches,
		"every fault of a payment is named":    formatFaults,
		"a file has every payment, in order":   formatContent,
		"the same content has the same bytes":  formatBytes,
		"an error of the writer is returned":   formatErrors,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func formatNames(t *testing.T, w FormatWorld) {
	name, extension := w.Format.Name(), w.Format.Extension()
	if name == "" || strings.ContainsAny(name, " /\\") || len(extension) < 2 ||
		extension[0] != '.' || strings.ContainsAny(extension[1:], " ./\\") {
		t.Errorf("the file is %q and ends with %q", name, extension)
	}
}

func formatBatches(t *testing.T, w FormatWorld) {
	if err := w.Format.CheckBatch(w.Content.Batch); err != nil {
		t.Errorf("a batch that can be paid: %v", err)
	}

	for _, currency := range w.Unsuitable {
		b := w.Content.Batch
		b.Currency = currency

		if err := w.Format.CheckBatch(b); !errors.Is(err, batch.ErrFormat) {
			t.Errorf("a batch of %s: %v", currency, err)
		}
	}
}

func formatFaults(t *testing.T, w FormatWorld) {
	for _, p := range w.Content.Payments {
		w.wantFaults(t, p, "")
	}

	for want, texts := range w.Faulty {
		p := w.Content.Payments[0]
		p.Account = command.Account{Texts: texts}
		w.wantFaults(t, p, want)
	}
}

// wantFaults checks the fields that are at fault, and that no message repeats the account.
func (w FormatWorld) wantFaults(t *testing.T, p command.Payment, want string) {
	t.Helper()

	var fields []string

	w.Format.CheckPayment(p, func(field string, code *fault.FieldCode, message string) {
		fields = append(fields, field)

		for name, text := range p.Account.Texts {
			if text != "" && strings.Contains(message, text) {
				t.Errorf("the message about %s repeats %s: %s", field, name, message)
			}
		}

		if code == nil || message == "" {
			t.Errorf("the fault of %s has the code %v and the message %q", field, code, message)
		}
	})

	if got := strings.Join(fields, " "); got != want {
		t.Errorf("faults of %q, want %q", got, want)
	}
}

func (w FormatWorld) write(t *testing.T, content command.FileContent) string {
	t.Helper()

	var file bytes.Buffer
	if err := w.Format.Write(&file, content); err != nil {
		t.Error(err)
	}

	return file.String()
}

func formatContent(t *testing.T, w FormatWorld) {
	rest := w.write(t, w.Content)

	if len(w.Content.Payments) < 2 {
		t.Fatal("the world has too few payments")
	}

	for _, p := range w.Content.Payments {
		_, after, found := strings.Cut(rest, w.Reference(p.ID))
		if !found || strings.Contains(after, w.Reference(p.ID)) {
			t.Errorf("payment %s is not there once, after those before it", p.ID)
		}

		rest = after
	}
}

func formatBytes(t *testing.T, w FormatWorld) {
	first := w.write(t, w.Content)
	if again := w.write(t, w.Content); again != first {
		t.Errorf("the same content has other bytes: %s and %s", again, first)
	}

	for name, change := range map[string]func([]command.Payment){
		"amount": func(p []command.Payment) {
			p[0].Amount = money.FromMinor(p[0].Amount.Minor()+100, p[0].Amount.Currency())
		},
		"id":    func(p []command.Payment) { p[0].ID = id(77) },
		"order": slices.Reverse[[]command.Payment],
		"account": func(p []command.Payment) {
			p[0].Account, p[1].Account = p[1].Account, p[0].Account
		},
	} {
		other := w.Content
		other.Payments = slices.Clone(other.Payments)
		change(other.Payments)

		if w.write(t, other) == first {
			t.Errorf("another %s has the same bytes", name)
		}
	}
}

// full is a writer with room for a number of bytes.
type full struct{ room int }

func (f *full) Write(text []byte) (int, error) {
	n := min(f.room, len(text))
	f.room -= n

	if n < len(text) {
		return n, errStop
	}

	return n, nil
}

func formatErrors(t *testing.T, w FormatWorld) {
	size := len(w.write(t, w.Content))

	for _, room := range []int{0, size / 2, size - 1} {
		if err := w.Format.Write(&full{room: room}, w.Content); !errors.Is(err, errStop) {
			t.Errorf("with room for %d of %d bytes: %v", room, size, err)
		}
	}

	if err := w.Format.Write(&full{room: size}, w.Content); err != nil {
		t.Errorf("with room for all: %v", err)
	}
}
