package rest

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/change"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
)

const bytesType = "application/octet-stream"

type fileInput struct {
	BatchInput
	Format string `query:"format" required:"true" maxLength:"32" doc:"paypal-csv: PayPal Payouts Web. pain.001: SEPA credit transfer, pain.001.001.09. csv: all that is known of each payout, for a system of your own." example:"pain.001"`
}

// fileAnswer is a payment file. The headers are those of RFC 9530, and RFC 3230 for older clients.
type fileAnswer struct {
	ContentType   string `header:"Content-Type"`
	Disposition   string `header:"Content-Disposition" doc:"The name of the file."`
	CacheControl  string `header:"Cache-Control" doc:"no-store: the file names accounts."`
	Digest        string `header:"Digest" doc:"sha-256= and the SHA-256 hash of the bytes in base64."`
	ContentDigest string `header:"Content-Digest" doc:"sha-256=: and the SHA-256 hash of the bytes in base64, then a colon."`
	Count         string `header:"Payout-Count" doc:"The number of payouts in the file."`
	Total         string `header:"Payout-Total" doc:"Their sum, in major units of the currency."`
	Body          []byte
}

// readRequest returns the request of a read that the audit notes.
func readRequest(ctx context.Context, clock func() time.Time, reason string) change.Request {
	return change.Request{
		Actor:     actor(ctx),
		RequestID: httpapi.RequestID(ctx),
		Reason:    reason,
		Now:       clock().UTC().Truncate(time.Microsecond),
	}
}

// opensAccounts reports whether the caller may read account details: finance, and anyone while
// authentication is off.
func opensAccounts(ctx context.Context) bool {
	identity, known := auth.From(ctx)
	return !known || identity.Has(auth.Finance)
}

func registerBatchFiles(api huma.API, uses UseCases) {
	op := readOperation(huma.Operation{
		OperationID: "get-payout-batch-file",
		Path:        "/payout-batches/{id}/file",
		Summary:     "Get the payment file of a payout batch",
		Description: "Opens the accounts of the batch, which the audit notes, and returns the file for the " +
			"bank or provider. The first call fixes it: later ones return the same bytes. For a draft it " +
			"checks the accounts: 422 payout_accounts_invalid names every payout with its faults, and 409 " +
			"batch_not_approved says that there are none.",
		Tags:   []string{"Payout batches"},
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	})
	op.Security = auth.Require(auth.Finance)
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The file.",
		Content: map[string]*huma.MediaType{bytesType: {
			Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"},
		}},
	}}

	huma.Register(api, op, func(ctx context.Context, in *fileInput) (*fileAnswer, error) {
		file, err := uses.CreateFile.Handle(
			ctx,
			readRequest(ctx, uses.Now, "payment file"),
			string(in.ID),
			in.Format,
		)
		if err != nil {
			return nil, err
		}

		name := "payout-batch-" + file.Batch.ID + file.Format.Extension()
		digest := base64.StdEncoding.EncodeToString(file.Digest[:])

		return &fileAnswer{
			ContentType:   bytesType,
			Disposition:   `attachment; filename="` + name + `"`,
			CacheControl:  "no-store",
			Digest:        "sha-256=" + digest,
			ContentDigest: "sha-256=:" + digest + ":",
			Count:         strconv.Itoa(file.Batch.Count),
			Total:         file.Batch.Total.String(),
			Body:          file.Content,
		}, nil
	})
}
