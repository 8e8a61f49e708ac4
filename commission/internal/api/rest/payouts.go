package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
	"tributary/platform/money"
)

// payoutBody is a payout as it is answered; where it is paid to is personal and stays out.
type payoutBody struct {
	ID          string     `json:"id" format:"uuid" doc:"That of the command that asked for it."`
	UserID      string     `json:"user_id"`
	Amount      string     `json:"amount" example:"150.00"`
	AmountMinor int64      `json:"amount_minor"`
	Currency    string     `json:"currency"`
	Method      string     `json:"payment_method"`
	Status      string     `json:"status" enum:"requested,rejected,completed,failed,cancelled"`
	Reason      *string    `json:"reason" doc:"Why it was rejected, or of the change by hand; the latter is null for partners."`
	RequestedAt time.Time  `json:"requested_at"`
	CreatedAt   time.Time  `json:"created_at"`
	ClosedAt    *time.Time `json:"closed_at"`
	Version     int        `json:"version"`

	Details jsontext.Value `json:"account_details,omitempty" doc:"Where to pay to: only for finance, who asks for this one payout, and only when it can be opened."`
}

// detailsOf gives the account details as the JSON that the partner sent; nothing when they are
// sealed by a key that is not there.
func detailsOf(
	p payout.Snapshot,
	unseal func(text, commandID string) ([]byte, error),
) jsontext.Value {
	details := jsontext.Value(p.Details)
	if details.Kind() != jsontext.KindString {
		return details
	}

	text, err := jsontext.AppendUnquote(nil, details)
	if err != nil || unseal == nil {
		return nil
	}

	plain, err := unseal(string(text), p.ID)
	if err != nil || !jsontext.Value(plain).IsValid() {
		return nil
	}

	return plain
}

func payoutBodyOf(p payout.Snapshot) payoutBody {
	return payoutBody{
		ID:          p.ID,
		UserID:      p.UserID,
		Amount:      p.Amount.String(),
		AmountMinor: p.Amount.Minor(),
		Currency:    p.Amount.Currency().String(),
		Method:      p.Method,
		Status:      string(p.Status),
		Reason:      optional(p.Reason),
		RequestedAt: p.RequestedAt,
		CreatedAt:   p.CreatedAt,
		ClosedAt:    optionalTime(p.ClosedAt),
		Version:     p.Version,
	}
}

type listPayoutsInput struct {
	httpapi.ListInput
	UserID string `query:"user_id" maxLength:"128"`
	Status string `query:"status" enum:"requested,rejected,completed,failed,cancelled"`
}

type payoutCursor struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

type payoutList struct {
	Body httpapi.Page[payoutBody]
}

type PayoutInput struct {
	ID string `path:"id" maxLength:"64" doc:"The payout's id, which is that of its command."`
}

type closeInput struct {
	ChangeHeaders
	MatchHeader
	PayoutInput
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Kept in the audit."`
	}
}

func registerPayouts(api huma.API, uses UseCases) {
	clock := uses.Now
	huma.Register(
		api,
		readOperation(huma.Operation{
			OperationID: "list-payouts",
			Path:        "/payouts",
			Summary:     "List payouts",
			Description: "Newest first.",
			Tags:        []string{"Payouts"},
		}),
		func(ctx context.Context, in *listPayoutsInput) (*payoutList, error) {
			if err := checkIDs("user_id", in.UserID); err != nil {
				return nil, err
			}

			owner, err := auth.OwnUser(ctx, in.UserID)
			if err != nil {
				return nil, err
			}

			var cursor payoutCursor
			if err := in.After(owner, &cursor); err != nil {
				return nil, err
			}

			rows, err := uses.ListPayouts.Handle(
				ctx,
				callerOf(ctx),
				query.PayoutFilter{UserID: in.UserID, Status: in.Status},
				in.Limit+1,
				query.PayoutPosition{CreatedAt: cursor.At, ID: cursor.ID},
			)
			if err != nil {
				return nil, err
			}

			bodies := make([]payoutBody, len(rows))
			for i, row := range rows {
				bodies[i] = payoutBodyOf(payoutFor(ctx, row))
			}

			return &payoutList{
				Body: httpapi.NewPage(
					&in.ListInput,
					bodies,
					func(b payoutBody) payoutCursor { return payoutCursor{b.CreatedAt, b.ID} },
				),
			}, nil
		},
	)
	huma.Register(api, readOperation(huma.Operation{
		OperationID: "get-payout",
		Path:        "/payouts/{id}",
		Summary:     "Get a payout",
		Tags:        []string{"Payouts"},
		Errors:      []int{http.StatusNotFound},
	}),
		func(ctx context.Context, in *PayoutInput) (*answered[payoutBody], error) {
			found, err := uses.GetPayout.Handle(ctx, callerOf(ctx), in.ID)
			if err != nil {
				return nil, err
			}

			body := payoutBodyOf(payoutFor(ctx, found))
			if identity, known := auth.From(ctx); known && identity.Has(auth.Finance) {
				body.Details = detailsOf(found, uses.Unseal)
			}

			return &answered[payoutBody]{ETag: etag(found.Version), Body: body}, nil
		})

	for _, a := range []struct {
		verb, summary, description string
		to                         payout.Status
		roles                      []auth.Role
	}{
		{
			"complete", "Complete a payout", "It was paid.",
			payout.Completed,
			[]auth.Role{auth.Finance},
		},
		{
			"fail", "Fail a payout", "It could not be paid; the amount is available again.",
			payout.Failed,
			[]auth.Role{auth.Finance},
		},
		{
			"cancel", "Cancel a payout", "It is called off; the amount is available again.",
			payout.Cancelled,
			[]auth.Role{auth.Operator, auth.Finance},
		},
	} {
		op := changeOperation(huma.Operation{
			OperationID: a.verb + "-payout",
			Path:        "/payouts/{id}/" + a.verb,
			Summary:     a.summary,
			Description: a.description,
			Tags:        []string{"Payouts"},
			Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
		}, a.roles...)
		huma.Register(
			api,
			op,
			func(ctx context.Context, in *closeInput) (*answered[payoutBody], error) {
				version, err := in.version()
				if err != nil {
					return nil, err
				}

				frame := framed{
					operation: op.OperationID,
					key:       in.IdempotencyKey,
					reason:    in.Body.Reason,
					content:   []any{in.ID, in.IfMatch, in.Body},
				}

				answer, err := changing(
					ctx,
					clock,
					frame,
					payoutBodyOf,
					func(r change.Request) (payout.Snapshot, error) {
						return uses.ClosePayout.Handle(
							ctx,
							r,
							command.Closing{ID: in.ID, Version: version, To: a.to},
						)
					},
				)
				if answer != nil {
					answer.ETag = etag(answer.Body.Version)
				}

				return answer, err
			},
		)
	}
}

// balanceBody is what a user's accounts in a currency stand at.
type balanceBody struct {
	Currency       string `json:"currency"`
	Pending        string `json:"pending" doc:"Earned and not yet approved."`
	PendingMinor   int64  `json:"pending_minor"`
	Available      string `json:"available" doc:"Can be paid out; negative when a clawback came after the payout."`
	AvailableMinor int64  `json:"available_minor"`
	InPayout       string `json:"in_payout"`
	InPayoutMinor  int64  `json:"in_payout_minor"`
	Paid           string `json:"paid"`
	PaidMinor      int64  `json:"paid_minor"`
}

type balancesAnswer struct {
	Body struct {
		UserID   string        `json:"user_id"`
		Balances []balanceBody `json:"balances"`
	}
}

type balancesInput struct {
	UserID string `path:"user_id" maxLength:"128"`
}

func registerBalances(api huma.API, balances *query.GetBalances) {
	huma.Register(
		api,
		readOperation(huma.Operation{
			OperationID: "get-balances",
			Path:        "/balances/{user_id}",
			Summary:     "Get a user's balances",
			Description: "By currency; none for a user that never earned.",
			Tags:        []string{"Payouts"},
		}),
		func(ctx context.Context, in *balancesInput) (*balancesAnswer, error) {
			if err := checkIDs("user_id", in.UserID); err != nil {
				return nil, err
			}

			list, err := balances.Handle(ctx, callerOf(ctx), in.UserID)
			if err != nil {
				return nil, err
			}

			answer := &balancesAnswer{}

			answer.Body.UserID, answer.Body.Balances = in.UserID, []balanceBody{}
			for _, b := range list {
				text := func(minor int64) string { return money.FromMinor(minor, b.Currency).String() }
				answer.Body.Balances = append(answer.Body.Balances, balanceBody{
					Currency:       b.Currency.String(),
					Pending:        text(b.Pending),
					PendingMinor:   b.Pending,
					Available:      text(b.Available),
					AvailableMinor: b.Available,
					InPayout:       text(b.InPayout),
					InPayoutMinor:  b.InPayout,
					Paid:           text(b.Paid),
					PaidMinor:      b.Paid,
				})
			}

			return answer, nil
		},
	)
}
