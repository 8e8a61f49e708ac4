package command

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
	"tributary/platform/money"
)

// Format writes payment files of one kind. Each is a file of package payfile.
type Format interface {
	// Name is the name in the API, such as "pain.001".
	Name() string
	// Extension is the end of the file's name, such as ".xml".
	Extension() string
	// CheckBatch returns batch.ErrFormat if no batch like this can be paid in the format.
	CheckBatch(b batch.Snapshot) error
	// CheckPayment adds each fault of a payment. No message repeats the details.
	CheckPayment(p Payment, add func(field string, code *fault.FieldCode, message string))
	// Write writes the file of payments without faults. The same content has the same bytes.
	Write(w io.Writer, content FileContent) error
}

// Payment is a payout as a payment file has it.
type Payment struct {
	ID      string
	UserID  string
	Amount  money.Amount
	Account Account
}

// FileContent is what a payment file says.
type FileContent struct {
	Batch    batch.Snapshot
	Payments []Payment
	At       time.Time // when the file was first made
}

// PaymentFile is a payment file with its bytes.
type PaymentFile struct {
	batch.File

	Batch   batch.Snapshot
	Format  Format
	Content []byte
}

// CreateFile writes the payment files of batches.
type CreateFile struct {
	batches  Batches
	formats  []Format
	accounts Accounts
}

// NewCreateFile returns the handler. It is safe for concurrent use.
func NewCreateFile(batches Batches, formats []Format, accounts Accounts) *CreateFile {
	return &CreateFile{batches: batches, formats: formats, accounts: accounts}
}

// Handle opens the accounts of the batch and returns its file in the format. The first call fixes
// the bytes: later ones return the same, or batch.ErrFileChanged. Whether or not a file results,
// the audit notes that the accounts were opened. It returns batch.ErrAccounts with every fault of
// every account, also for a draft, and batch.ErrNotApproved for a draft without any; the faults of
// Batches.Open and batch.Batch.CheckFile, batch.ErrFormat, change.ErrOwnGain if a payout of the
// batch is the actor's, and fault.ErrValidation for an unknown format.
func (h *CreateFile) Handle(
	ctx context.Context,
	request change.Request,
	id, format string,
) (PaymentFile, error) {
	in, err := h.format(format)
	if err != nil {
		return PaymentFile{}, err
	}

	var (
		file    PaymentFile
		refusal error // after the accounts were opened: it is answered, and the audit row stays
	)

	err = h.batches.Open(
		ctx,
		request,
		id,
		func(b *batch.Batch, payouts []payout.Snapshot) (change.Outcome, error) {
			if err := checkFile(request, b, in); err != nil {
				return change.Outcome{}, err
			}

			before := b.Snapshot()
			file, refusal = h.make(request, b, in, payouts)

			return request.Outcome(
				openRecord(before.ID, in.Name(), len(payouts), file, refusal),
				effect.Effect{},
				nil,
			)
		},
	)
	if err == nil {
		err = refusal
	}

	return file, err
}

func (h *CreateFile) format(name string) (Format, error) {
	names := ""

	for _, f := range h.formats {
		if f.Name() == name {
			return f, nil
		}

		if names != "" {
			names += ", "
		}

		names += f.Name()
	}

	var faults fault.Fields
	faults.Add("format", fault.ErrInvalidValue, "must be one of "+names)

	return nil, faults.Err()
}

// checkFile returns why the accounts of the batch may not be opened for a file in the format.
func checkFile(request change.Request, b *batch.Batch, in Format) error {
	if b.Pays(request.Actor) {
		return request.CheckGain(request.Actor)
	}

	if err := b.CheckFile(in.Name()); err != nil {
		return err
	}

	return in.CheckBatch(b.Snapshot())
}

// make opens the accounts, checks them and adds the file to the batch.
func (h *CreateFile) make(
	request change.Request,
	b *batch.Batch,
	in Format,
	payouts []payout.Snapshot,
) (PaymentFile, error) {
	payments, err := h.payments(in, payouts)
	if err != nil {
		return PaymentFile{}, err
	}

	if b.Snapshot().Status == batch.Draft {
		return PaymentFile{}, batch.ErrNotApproved
	}

	at := request.Now
	if known, made := b.File(in.Name()); made {
		at = known.MadeAt
	}

	var text bytes.Buffer
	if err := in.Write(
		&text,
		FileContent{Batch: b.Snapshot(), Payments: payments, At: at},
	); err != nil {
		return PaymentFile{}, err
	}

	file := batch.File{
		Format: in.Name(),
		Digest: sha256.Sum256(text.Bytes()),
		Bytes:  text.Len(),
		MadeBy: request.Actor,
		MadeAt: at,
	}
	if err := b.AddFile(file); err != nil {
		return PaymentFile{}, err
	}

	return PaymentFile{
		File:    file,
		Batch:   b.Snapshot(),
		Format:  in,
		Content: text.Bytes(),
	}, nil
}

// payments returns the payments of the payouts, or batch.ErrAccounts with the faults of all.
func (h *CreateFile) payments(in Format, payouts []payout.Snapshot) ([]Payment, error) {
	var faults fault.Fields

	payments := make([]Payment, len(payouts))

	for i, p := range payouts {
		where := "payouts[" + p.ID + "].account_details"

		account, err := h.accounts.Open(p)
		if err != nil {
			faults.Add(where, batch.ErrAccountUnreadable, err.Error())
			continue
		}

		payments[i] = Payment{
			ID:      p.ID,
			UserID:  p.UserID,
			Amount:  p.Amount,
			Account: account,
		}
		in.CheckPayment(payments[i], func(field string, code *fault.FieldCode, message string) {
			name := where
			if field != "" {
				name += "." + field
			}

			faults.Add(name, code, message)
		})
	}

	if len(faults) > 0 {
		return nil, batch.ErrAccounts.New(
			"Payouts of the batch cannot be paid in this format; errors names each.",
			faults...,
		)
	}

	return payments, nil
}

// openRecord returns the audit's record of the opening of a batch's accounts.
func openRecord(id, format string, payouts int, file PaymentFile, refusal error) change.Record {
	after := fmt.Sprintf(`{"format":%q,"payouts":%d`, format, payouts)
	if refusal == nil {
		after += `,"sha256":"` + hex.EncodeToString(file.Digest[:]) + `"`
	} else if f, known := fault.As(refusal); known {
		after += fmt.Sprintf(`,"refused":%q`, f.Code())
	}

	return change.Record{
		Action:      "open_accounts",
		SubjectType: "payout_batch",
		SubjectID:   id,
		After:       after + "}",
	}
}
