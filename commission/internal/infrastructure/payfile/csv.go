package payfile

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/platform/fault"
	"tributary/platform/spreadsheet"
)

// general is a CSV file with all that is known of a payment, for a payer's own system.
type general struct{}

var _ command.Format = general{}

func (general) Name() string      { return "csv" }
func (general) Extension() string { return ".csv" }

func (general) CheckBatch(batch.Snapshot) error { return nil }

func (general) CheckPayment(command.Payment, func(field string, code *fault.FieldCode, message string)) {
}

func (general) Write(w io.Writer, content command.FileContent) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true

	_ = out.Write([]string{
		"reference",
		"user_id",
		"amount",
		"amount_minor",
		"currency",
		"payment_method",
		"account_details",
	})

	for _, p := range content.Payments {
		_ = out.Write([]string{
			p.ID,
			spreadsheet.Harmless(p.UserID),
			p.Amount.String(),
			strconv.FormatInt(p.Amount.Minor(), 10),
			p.Amount.Currency().String(),
			spreadsheet.Harmless(content.Batch.Method),
			jsonCell(p.Account.JSON),
		})
	}

	out.Flush()

	return out.Error()
}

// jsonCell spells the semicolons of a JSON object, which are inside of texts, as escapes: no part
// of the cell can begin a formula, and the object stays the same.
func jsonCell(object string) string { return strings.ReplaceAll(object, ";", `\u003b`) }
