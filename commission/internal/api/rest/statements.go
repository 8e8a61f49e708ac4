package rest

import (
	"context"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/query"
	"tributary/platform/httpapi"
)

// accountBody are the sums of a statement in a currency.
type accountBody struct {
	Currency        string          `json:"currency" doc:"ISO 4217." example:"USD"`
	Opening         string          `json:"opening" doc:"What the user was owed when the month began: pending, available and in payouts, in major units." example:"20.00"`
	OpeningMinor    httpapi.Integer `json:"opening_minor" doc:"opening in minor units." example:"2000"`
	Earned          string          `json:"earned" doc:"The earnings of the month." example:"35.00"`
	EarnedMinor     httpapi.Integer `json:"earned_minor" doc:"earned in minor units." example:"3500"`
	ClawedBack      string          `json:"clawed_back" doc:"What reversals took back, as a negative sum." example:"-5.00"`
	ClawedBackMinor httpapi.Integer `json:"clawed_back_minor" doc:"clawed_back in minor units." example:"-500"`
	Adjusted        string          `json:"adjusted" doc:"What operators and replays added, less what they took." example:"0.00"`
	AdjustedMinor   httpapi.Integer `json:"adjusted_minor" doc:"adjusted in minor units." example:"0"`
	Rejected        string          `json:"rejected" doc:"What operators rejected of earlier lines, less its clawbacks, as a negative sum." example:"0.00"`
	RejectedMinor   httpapi.Integer `json:"rejected_minor" doc:"rejected in minor units." example:"0"`
	Paid            string          `json:"paid" doc:"The payouts that were completed in the month, as a negative sum." example:"-20.00"`
	PaidMinor       httpapi.Integer `json:"paid_minor" doc:"paid in minor units." example:"-2000"`
	Closing         string          `json:"closing" doc:"What the user is owed at the end, and the opening of the next month." example:"30.00"`
	ClosingMinor    httpapi.Integer `json:"closing_minor" doc:"closing in minor units." example:"3000"`
}

func accountBodyOf(a query.Account) accountBody {
	return accountBody{
		Currency:        a.Currency.String(),
		Opening:         a.Opening.String(),
		OpeningMinor:    httpapi.Integer(a.Opening.Minor()),
		Earned:          a.Lines[query.Earned].String(),
		EarnedMinor:     httpapi.Integer(a.Lines[query.Earned].Minor()),
		ClawedBack:      a.Lines[query.ClawedBack].String(),
		ClawedBackMinor: httpapi.Integer(a.Lines[query.ClawedBack].Minor()),
		Adjusted:        a.Lines[query.Adjusted].String(),
		AdjustedMinor:   httpapi.Integer(a.Lines[query.Adjusted].Minor()),
		Rejected:        a.Lines[query.Refused].String(),
		RejectedMinor:   httpapi.Integer(a.Lines[query.Refused].Minor()),
		Paid:            a.Lines[query.PaidOut].String(),
		PaidMinor:       httpapi.Integer(a.Lines[query.PaidOut].Minor()),
		Closing:         a.Closing.String(),
		ClosingMinor:    httpapi.Integer(a.Closing.Minor()),
	}
}

type lineBody struct {
	Entry        string    `json:"entry" enum:"earned,clawed_back,adjusted,rejected,paid" doc:"The sum that the line is part of."`
	At           time.Time `json:"at" doc:"When it was posted."`
	CommissionID *string   `json:"commission_id" format:"uuid" doc:"The commission. Null for a payout."`
	PayoutID     *string   `json:"payout_id" format:"uuid" doc:"The payout. Null for a commission."`
	EventID      *string   `json:"event_id" doc:"The event of the commission." example:"event789"`
	OrderID      *string   `json:"order_id" doc:"The order of the event." example:"order789"`
	CampaignID   *string   `json:"campaign_id" doc:"The campaign of the event." example:"camp123"`
	Reference    *string   `json:"external_reference" doc:"The name of the payment at the bank or provider." example:"4711"`
	Amount       string    `json:"amount" doc:"Major units; negative for what is taken off." example:"10.00"`
	AmountMinor  int64     `json:"amount_minor" doc:"amount in minor units." example:"1000"`
	Currency     string    `json:"currency" doc:"ISO 4217." example:"USD"`

	position query.LinePosition
}

func lineBodyOf(l query.Line) lineBody {
	return lineBody{
		Entry:        string(l.Entry),
		At:           l.At,
		CommissionID: optional(l.CommissionID),
		PayoutID:     optional(l.PayoutID),
		EventID:      optional(l.EventID),
		OrderID:      optional(l.OrderID),
		CampaignID:   optional(l.CampaignID),
		Reference:    optional(l.Reference),
		Amount:       l.Amount.String(),
		AmountMinor:  l.Amount.Minor(),
		Currency:     l.Amount.Currency().String(),
		position:     l.Position,
	}
}

type statementBody struct {
	UserID   string        `json:"user_id" doc:"Whose statement it is." example:"user123"`
	Month    string        `json:"month" doc:"The month." example:"2026-11"`
	TimeZone string        `json:"time_zone" doc:"The zone of the month, PROGRAMME_TIME_ZONE." example:"UTC"`
	From     time.Time     `json:"from" doc:"The beginning of the month."`
	To       time.Time     `json:"to" doc:"The end of the month, which is the beginning of the next."`
	Until    time.Time     `json:"until" doc:"The moment to which the statement goes: to, or a minute ago in a running month."`
	Final    bool          `json:"final" doc:"Whether the month is over. What it says then will not change."`
	Accounts []accountBody `json:"accounts" doc:"The sums by currency. opening and the lines are closing."`

	httpapi.Page[lineBody]
}

// StatementInput names a statement.
type StatementInput struct {
	UserID string `path:"user_id" maxLength:"128" doc:"Whose statement it is." example:"user123"`
	Month  string `query:"month" required:"true" pattern:"^[0-9]{4}-[0-9]{2}$" doc:"The month, in the programme's time zone." example:"2026-11"`
}

type statementInput struct {
	httpapi.ListInput
	StatementInput
	Accept string `header:"Accept" hidden:"true"`
}

type exportStatementInput struct{ StatementInput }

type lineCursor struct {
	Part int    `json:"part"`
	ID   string `json:"id"`
	// of a running month, so that all pages go to the same moment
	Until time.Time `json:"until"`
}

func registerStatements(api huma.API, statements *query.Statements, out exports) {
	op := readOperation(huma.Operation{
		OperationID: "get-statement",
		Path:        "/statements/{user_id}",
		Summary:     "Get a user's statement of a month",
		Description: "Returns what the user was owed when the month began and ended, and every line between: first " +
			"the commissions as they were made, then those that were rejected, then the payouts that were completed. " +
			"The closing of a month is the opening of the next. With Accept: text/csv or text/html the answer is " +
			"that of /csv or /html.",
		Tags: []string{"Payouts"},
	})
	op.Responses = jsonResponse(
		api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[statementBody](), true, "Statement"),
	)
	huma.Register(
		api,
		op,
		func(ctx context.Context, in *statementInput) (*huma.StreamResponse, error) {
			switch wants(in.Accept, csvType, "text/html") {
			case csvType:
				return sendStatement(ctx, statements, out, in.StatementInput, csvStatement)
			case "text/html":
				return sendStatement(ctx, statements, out, in.StatementInput, printed)
			}

			body, err := statementOf(ctx, statements, in)
			if err != nil {
				return nil, err
			}

			return sendJSON(body), nil
		},
	)
	registerStatementCSV(api, statements, out)
	registerStatementHTML(api, statements, out)
}

func statementOf(
	ctx context.Context,
	statements *query.Statements,
	in *statementInput,
) (statementBody, error) {
	if err := checkIDs("user_id", in.UserID); err != nil {
		return statementBody{}, err
	}

	var cursor lineCursor
	if err := openCursor(ctx, &in.ListInput, in.UserID, &cursor); err != nil {
		return statementBody{}, err
	}

	period, err := statements.Period(in.Month)
	if err != nil {
		return statementBody{}, err
	}

	if !cursor.Until.IsZero() {
		period.Until = cursor.Until
	}

	accounts, err := statements.Accounts(ctx, callerOf(ctx), in.UserID, period)
	if err != nil {
		return statementBody{}, err
	}

	lines, err := statements.Lines(
		ctx,
		callerOf(ctx),
		in.UserID,
		period,
		in.Limit+1,
		query.LinePosition{Part: cursor.Part, ID: cursor.ID},
	)
	if err != nil {
		return statementBody{}, err
	}

	bodies := bodiesOf(lines, lineBodyOf)

	return statementBody{
		UserID:   in.UserID,
		Month:    period.Month,
		TimeZone: period.Zone,
		From:     period.From,
		To:       period.To,
		Until:    period.Until,
		Final:    period.Final(),
		Accounts: bodiesOf(accounts, accountBodyOf),
		Page: httpapi.NewPage(&in.ListInput, bodies, func(b lineBody) lineCursor {
			return lineCursor{Part: b.position.Part, ID: b.position.ID, Until: period.Until}
		}),
	}, nil
}
