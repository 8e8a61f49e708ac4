package payfile

import (
	"encoding/xml"
	"io"
	"time"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// pain001 is a SEPA credit transfer, pain.001.001.09 of ISO 20022 with the rules of the European
// Payments Council: euro, one payment instruction, shared charges, Latin characters.
type pain001 struct {
	payer Payer
	zone  *time.Location // of the day on which the bank is to pay
}

var _ command.Format = pain001{}

const (
	maxName     = 70             // characters of a name
	maxTransfer = 999_999_999_99 // minor units of a SEPA credit transfer
)

func (pain001) Name() string      { return "pain.001" }
func (pain001) Extension() string { return ".xml" }

func (f pain001) CheckBatch(b batch.Snapshot) error {
	switch {
	case b.Currency.String() != "EUR":
		return unsuitable("A SEPA credit transfer is in EUR.")
	case !f.payer.known():
		return unsuitable("The payer is not set: PAYOUT_DEBTOR_NAME and PAYOUT_DEBTOR_IBAN.")
	}

	return nil
}

func (pain001) CheckPayment(p command.Payment, add func(field string, code *fault.FieldCode, message string)) {
	texts := p.Account.Texts

	switch name, ok := latin(texts["name"]); {
	case texts["name"] == "":
		add("name", fault.ErrRequired, "must be the name of the account's holder")
	case !ok, cut(name, maxName) == "":
		add("name", errNotLatin, "must be a name in Latin letters")
	}

	if texts["iban"] == "" {
		add("iban", fault.ErrRequired, "must be an IBAN")
	} else if code := checkIBAN(compact(texts["iban"])); code != nil {
		add("iban", code, code.Error())
	}

	if bic := compact(texts["bic"]); bic != "" && !isBIC(bic) {
		add("bic", errBIC, "must be a BIC of 8 or 11 characters")
	}

	if p.Amount.Minor() > maxTransfer {
		add("", money.ErrAmountTooLarge, "the amount must be at most 999999999.99")
	}
}

func (f pain001) Write(w io.Writer, content command.FileContent) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}

	out := xml.NewEncoder(w)
	out.Indent("", " ")

	if err := out.Encode(f.document(content)); err != nil {
		return err
	}

	_, err := io.WriteString(w, "\n")

	return err
}

func (f pain001) document(content command.FileContent) painDocument {
	reference := payout.Reference(content.Batch.ID)
	instruction := painInstruction{
		ID:       reference,
		Method:   "TRF",
		AsOne:    true,
		Count:    len(content.Payments),
		Sum:      content.Batch.Total.String(),
		Level:    "SEPA",
		Date:     content.At.In(f.zone).Format(time.DateOnly),
		Debtor:   f.payer.name,
		Account:  f.payer.iban,
		Agent:    agentOf(f.payer.bic),
		Charges:  "SLEV",
		Payments: make([]painPayment, len(content.Payments)),
	}

	for i, p := range content.Payments {
		instruction.Payments[i] = painPaymentOf(p)
	}

	return painDocument{
		Space: "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
		Header: painHeader{
			ID:    reference,
			At:    content.At.In(f.zone).Format(time.RFC3339),
			Count: len(content.Payments),
			Sum:   content.Batch.Total.String(),
			Party: f.payer.name,
		},
		Instruction: instruction,
	}
}

func painPaymentOf(p command.Payment) painPayment {
	texts := p.Account.Texts
	name, _ := latin(texts["name"])

	payment := painPayment{
		ID:       payout.Reference(p.ID),
		Amount:   painAmount{Currency: p.Amount.Currency().String(), Text: p.Amount.String()},
		Creditor: cut(name, maxName),
		Account:  compact(texts["iban"]),
		Text:     "Payout " + p.ID,
	}

	if bic := compact(texts["bic"]); bic != "" {
		agent := agentOf(bic)
		payment.Agent = &agent
	}

	return payment
}

// agentOf returns the bank of a BIC, or what stands for one that is not known.
func agentOf(bic string) painAgent {
	if bic == "" {
		return painAgent{Other: &painOther{ID: "NOTPROVIDED"}}
	}

	return painAgent{BIC: bic}
}
