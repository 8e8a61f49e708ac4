package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/platform/auth"
)

type resultsInput struct {
	ChangeHeaders
	MatchHeader
	BatchInput
	Reason  string `query:"reason" maxLength:"500" doc:"Kept in the audit log, and with each payout whose line has none." example:"bank statement of 1 December"`
	RawBody []byte `contentType:"text/csv"`
}

// resultsBody is the outcome of a result file.
type resultsBody struct {
	Completed int       `json:"completed" doc:"Payouts that the file has completed." example:"2"`
	Failed    int       `json:"failed" doc:"Payouts that failed by the file." example:"0"`
	Unchanged int       `json:"unchanged" doc:"Payouts whose result was known already." example:"0"`
	Batch     batchBody `json:"batch" doc:"The batch after it."`
}

func (b resultsBody) version() int { return b.Batch.Version }

func resultsBodyOf(s command.Settled) resultsBody {
	return resultsBody{
		Completed: s.Completed,
		Failed:    s.Failed,
		Unchanged: s.Unchanged,
		Batch:     batchBodyOf(s.Batch),
	}
}

func registerResults(api huma.API, uses UseCases) {
	op := changeOperation(huma.Operation{
		OperationID: "create-payout-batch-results",
		Path:        "/payout-batches/{id}/results",
		Summary:     "Enter the results of a payout batch",
		Description: "The file has a header line, then a line for each payout, with the columns, in any " +
			"order: reference (the id of the payout, in any form that a payment file has), outcome (completed " +
			"or failed), and optionally failure_code, reason, external_reference and paid_at (a time, or a " +
			"day of the programme). Completes and fails payouts of a sent batch as the file says: all of " +
			"them, or, if any line is faulty, none, and errors lists the faults of all lines. Payouts that " +
			"are missing stay open. The same file again changes nothing. The batch is settled with its last result.",
		Tags:   []string{"Payout batches"},
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}, auth.Finance)
	huma.Register(
		api,
		op,
		func(ctx context.Context, in *resultsInput) (*answered[resultsBody], error) {
			reason := in.Reason
			if strings.TrimSpace(reason) == "" {
				reason = "result file"
			}

			digest := sha256.Sum256(in.RawBody)
			file := command.Settlement{
				ID:     string(in.ID),
				SHA256: hex.EncodeToString(digest[:]),
			}
			file.Results, file.Faults = readResults(in.RawBody, uses.Zone)

			asked := in.asks(op.OperationID, reason, []any{in.ID, in.IfMatch, reason, file.SHA256})

			return changingVersion(ctx, uses.Now, in.MatchHeader, asked, resultsBodyOf,
				func(r change.Request, version int) (command.Settled, error) {
					file.Version = version
					return uses.SettleBatch.Handle(ctx, r, file)
				})
		},
	)
}
