package rest

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/batch"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
)

// batchBody is the answer for a payout batch.
type batchBody struct {
	ID         string          `json:"id" format:"uuid" doc:"The id of the batch."`
	Status     string          `json:"status" enum:"draft,approved,sent,settled,cancelled" doc:"draft: its payouts are claimed. approved: they are fixed, and its files can be made. sent: the bank or provider has it. settled: each payout is completed or failed. cancelled: its payouts are free for another batch."`
	Currency   string          `json:"currency" doc:"ISO 4217." example:"USD"`
	Method     string          `json:"payment_method" doc:"How its payouts are paid." example:"paypal"`
	Cutoff     time.Time       `json:"cutoff" doc:"Payouts that were created later are not in the batch."`
	Limit      int             `json:"limit" doc:"The largest number of payouts that was asked for." example:"5000"`
	Count      int             `json:"count" doc:"The number of its payouts; of a cancelled batch, those that it had." example:"2"`
	OpenCount  int             `json:"open_count" doc:"Those of which no result is known." example:"2"`
	Total      string          `json:"total" doc:"The sum of its payouts in major units." example:"150.00"`
	TotalMinor httpapi.Integer `json:"total_minor" doc:"total in minor units." example:"15000"`
	FourEyes   bool            `json:"four_eyes" doc:"Whether another person than its maker must approve it."`
	CreatedBy  string          `json:"created_by" doc:"Who made it." example:"operator1"`
	CreatedAt  time.Time       `json:"created_at" doc:"When it was made."`
	ApprovedBy *string         `json:"approved_by" doc:"Who approved it. Null before." example:"operator2"`
	ApprovedAt *time.Time      `json:"approved_at" doc:"When it was approved. Null before."`
	SentBy     *string         `json:"sent_by" doc:"Who noted that it was sent. Null before." example:"finance1"`
	SentAt     *time.Time      `json:"sent_at" doc:"When that was noted. Null before."`
	ClosedAt   *time.Time      `json:"closed_at" doc:"When it was settled or cancelled. Null before."`
	Reason     string          `json:"reason" doc:"The reason of the last change by a person." example:"checked"`
	Files      []fileBody      `json:"files" doc:"The payment files of the batch."`
	Version    int             `json:"version" doc:"The number of the version, which every change increases. Send it as If-Match to change the batch." example:"1"`
}

// fileBody is a payment file of a batch, without its bytes.
type fileBody struct {
	Format    string    `json:"format" doc:"As in the request." example:"pain.001"`
	SHA256    string    `json:"sha256" doc:"The SHA-256 hash of the bytes in hex."`
	Bytes     int       `json:"bytes" doc:"The number of bytes." example:"2048"`
	CreatedBy string    `json:"created_by" doc:"Who made it." example:"finance1"`
	CreatedAt time.Time `json:"created_at" doc:"When it was made."`
}

func filesOf(files []batch.File) []fileBody {
	bodies := make([]fileBody, len(files))
	for i, f := range files {
		bodies[i] = fileBody{
			Format:    f.Format,
			SHA256:    hex.EncodeToString(f.Digest[:]),
			Bytes:     f.Bytes,
			CreatedBy: f.MadeBy,
			CreatedAt: f.MadeAt,
		}
	}

	return bodies
}

func (b batchBody) version() int { return b.Version }

func batchBodyOf(b batch.Snapshot) batchBody {
	return batchBody{
		ID:         b.ID,
		Status:     string(b.Status),
		Currency:   b.Currency.String(),
		Method:     b.Method,
		Cutoff:     b.Cutoff,
		Limit:      b.Limit,
		Count:      b.Count,
		OpenCount:  b.Open,
		Total:      b.Total.String(),
		TotalMinor: httpapi.Integer(b.Total.Minor()),
		FourEyes:   b.FourEyes,
		CreatedBy:  b.MadeBy,
		CreatedAt:  b.MadeAt,
		ApprovedBy: optional(b.ApprovedBy),
		ApprovedAt: optionalTime(b.ApprovedAt),
		SentBy:     optional(b.SentBy),
		SentAt:     optionalTime(b.SentAt),
		ClosedAt:   optionalTime(b.ClosedAt),
		Reason:     b.Reason,
		Files:      filesOf(b.Files),
		Version:    b.Version,
	}
}

type BatchInput struct {
	ID resourceID `path:"id" maxLength:"64" doc:"The id of the batch."`
}

type listBatchesInput struct {
	httpapi.ListInput
	Status string `query:"status" enum:"draft,approved,sent,settled,cancelled" doc:"Only batches of this status."`
	CreatedFilter
}

type batchList struct {
	Body httpapi.Page[batchBody]
}

// staffOperation completes the description of a reading route that partners cannot call.
func staffOperation(op huma.Operation) huma.Operation {
	op = readOperation(op)
	op.Security = auth.Require(auth.Operator, auth.Finance)

	return op
}

func registerBatches(api huma.API, uses UseCases) {
	huma.Register(
		api,
		staffOperation(huma.Operation{
			OperationID: "list-payout-batches",
			Path:        "/payout-batches",
			Summary:     "List payout batches",
			Description: "Returns the newest first.",
			Tags:        []string{"Payout batches"},
		}),
		func(ctx context.Context, in *listBatchesInput) (*batchList, error) {
			var cursor timeCursor
			if err := in.After("", &cursor); err != nil {
				return nil, err
			}

			rows, err := uses.Batches.List(
				ctx,
				callerOf(ctx),
				query.BatchFilter{
					Status:      in.Status,
					CreatedFrom: in.CreatedFrom,
					CreatedTo:   in.CreatedTo,
				},
				in.Limit+1,
				query.Position(cursor),
			)
			if err != nil {
				return nil, err
			}

			bodies := bodiesOf(rows, batchBodyOf)

			return &batchList{
				Body: httpapi.NewPage(
					&in.ListInput,
					bodies,
					func(b batchBody) timeCursor { return timeCursor{b.CreatedAt, b.ID} },
				),
			}, nil
		},
	)
	huma.Register(
		api,
		staffOperation(huma.Operation{
			OperationID: "get-payout-batch",
			Path:        "/payout-batches/{id}",
			Summary:     "Get a payout batch",
			Description: "Use the ETag of the answer as If-Match of a change. GET /payouts?batch_id= lists " +
				"its payouts.",
			Tags:   []string{"Payout batches"},
			Errors: []int{http.StatusNotFound},
		}),
		func(ctx context.Context, in *BatchInput) (*answered[batchBody], error) {
			found, err := uses.Batches.Get(ctx, callerOf(ctx), string(in.ID))
			if err != nil {
				return nil, err
			}

			return &answered[batchBody]{
				ETag: etag(found.Version),
				Body: batchBodyOf(found),
			}, nil
		},
	)
}
