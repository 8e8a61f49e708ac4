package commandtest

import (
	"fmt"
	"io"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// Format writes a line for each payment to an e-mail address, in one currency.
type Format struct{ Currency money.Currency }

var _ command.Format = Format{}

// Name implements command.Format.
func (Format) Name() string { return "lines" }

// Extension implements command.Format.
func (Format) Extension() string { return ".txt" }

// CheckBatch implements command.Format.
func (f Format) CheckBatch(b batch.Snapshot) error {
	if b.Currency != f.Currency {
		return batch.ErrFormat
	}

	return nil
}

// CheckPayment implements command.Format.
func (Format) CheckPayment(p command.Payment, add func(string, *fault.FieldCode, string)) {
	if p.Account.Texts["email"] == "" {
		add("email", fault.ErrRequired, "must be an e-mail address")
	}
}

// Write implements command.Format.
func (Format) Write(w io.Writer, content command.FileContent) error {
	for _, p := range content.Payments {
		if _, err := fmt.Fprintf(
			w, "%s %s %s\n", payout.Reference(p.ID), p.Amount, p.Account.Texts["email"],
		); err != nil {
			return err
		}
	}

	return nil
}
