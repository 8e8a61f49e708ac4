// Package rest (api) is the HTTP side of the service: each route reads a request, passes it to its
// use case and writes the answer.
package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/application/replay"
	"tributary/platform/auth"
	"tributary/platform/fault"
	"tributary/platform/httpapi"
	"tributary/platform/identifier"
)

// Base is the path prefix of all routes.
const Base = "/api/v1/commission"

// UseCases are the use cases behind the routes.
type UseCases struct {
	GetCommission   *query.GetCommission
	ListCommissions *query.ListCommissions
	GetDecision     *query.GetDecision
	GetPayments     *query.GetPayments
	GetCoverage     *query.GetCoverage
	ListItems       *query.ListPayoutItems
	ListShares      *query.ListCommissionPayouts
	ActOnCommission *command.ActOnCommission
	ActInBulk       *command.ActInBulk
	Adjust          *command.Adjust
	ClosePayout     *command.ClosePayout
	ListPayouts     *query.ListPayouts
	GetPayout       *query.GetPayout
	GetBalances     *query.GetBalances
	ListBalances    *query.ListBalances
	Liabilities     *query.GetLiabilities
	Statements      *query.Statements
	ListLedger      *query.ListLedger
	ListAudit       *query.ListAudit
	Batches         *query.Batches
	CreateBatch     *command.CreateBatch
	ApproveBatch    *command.ApproveBatch
	SendBatch       *command.SendBatch
	CancelBatch     *command.CancelBatch
	CreateFile      *command.CreateFile
	SettleBatch     *command.SettleBatch
	OpenAccount     *command.OpenAccount
	Feed            *eventlog.Feed
	PublishRule     *command.PublishRule
	RetireRule      *command.RetireRule
	Rules           *query.Rules
	Explain         *query.Explain
	Summarize       *query.Summarize
	Replay          *replay.Handler
	Replays         *query.Replays
	CancelReplay    *command.CancelReplay
	Zone            *time.Location // of the programme
	Now             func() time.Time
}

// Register adds the routes to the API.
func Register(api huma.API, uses UseCases) {
	out := newExports(uses.Now)

	registerCommissions(api, uses, out)
	registerCommissionPayouts(api, uses)
	registerDecisions(api, uses.GetDecision)
	registerActions(api, uses, uses.Now)
	registerBulk(api, uses)
	registerPayouts(api, uses)
	registerPayoutItems(api, uses.ListItems)
	registerExportItems(api, uses.ListItems, out)
	registerClosings(api, uses)
	registerExportPayouts(api, uses, out)
	registerBalances(api, uses.GetBalances)
	registerListBalances(api, uses.ListBalances, out)
	registerLedger(api, uses.ListLedger, out)
	registerLiabilities(api, uses.Liabilities)
	registerStatements(api, uses.Statements, out)
	registerBatches(api, uses)
	registerMakeBatch(api, uses)
	registerChangeBatches(api, uses)
	registerBatchFiles(api, uses)
	registerResults(api, uses)
	registerEvents(api, uses.Feed)
	registerAudit(api, uses.ListAudit, out)
	registerExplain(api, uses.Explain)
	registerSummary(api, uses.Summarize)
	registerReplays(api, uses.Replay, uses.Now)
	registerReadReplays(api, uses)
	registerCancelReplay(api, uses.CancelReplay, uses.Now)
	registerWhatIf(api, uses)
	registerRules(api, uses)
}

// Tags returns the groups of operations in the document.
func Tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "Commissions", Description: "What partners have earned, and operators' changes to it."},
		{Name: "Decisions", Description: "The one decision about every event, with its reason."},
		{Name: "Payouts", Description: "Payouts, balances and statements."},
		{Name: "Payout batches", Description: "Payment runs: payouts that are approved, sent and settled together."},
		{Name: "Events", Description: "Every change, in order: the feed of the topic commission-events."},
		{Name: "Audit", Description: "Who changed what, when and why."},
		{Name: "Rules", Description: "The versions of the commission rules."},
		{Name: "Replays", Description: "Decide past events again, or try a rule on them."},
	}
}

// readOperation completes the description of a reading route: a partner sees its own data, an
// operator everything.
func readOperation(op huma.Operation) huma.Operation {
	op.Method = http.MethodGet
	op.Path = Base + op.Path
	op.Security = auth.Require(auth.Partner, auth.Operator, auth.Finance)

	return op
}

type timeCursor struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// checkIDs refuses identifiers that no row can have. given are pairs of field and value; empty
// values are ignored.
func checkIDs(given ...string) error {
	var faults fault.Fields
	for i := 0; i+1 < len(given); i += 2 {
		identifier.CheckOptional(&faults, given[i], given[i+1])
	}

	return faults.Err()
}

// optional returns a pointer to v, or nil for the zero value, which becomes null.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}

	return &v
}

func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}

	return &t
}

// callerOf returns the caller. While authentication is off it may see everything.
func callerOf(ctx context.Context) query.Caller {
	if auth.SeesAll(ctx) {
		return query.Everything()
	}

	identity, _ := auth.From(ctx)

	return query.OneUser(identity.UserID)
}

// boundTo returns the user that a list of the user's data is limited to, or "" for none. Cursors
// are bound to it. fault.ErrForeignUser is returned if the caller may not see the user's data.
func boundTo(ctx context.Context, userID string) (string, error) {
	owner, err := callerOf(ctx).OwnerOf(userID)
	user, _ := owner.UserID()

	return user, err
}

// openCursor reads the cursor of a list of the user's data, or of all that the caller may see for
// "", into position. fault.ErrForeignUser is returned if the caller may not see the user's data.
func openCursor(ctx context.Context, in *httpapi.ListInput, userID string, position any) error {
	owner, err := boundTo(ctx, userID)
	if err != nil {
		return err
	}

	return in.After(owner, position)
}

// bodiesOf returns the body of each row.
func bodiesOf[R, B any](rows []R, body func(R) B) []B {
	bodies := make([]B, len(rows))
	for i, row := range rows {
		bodies[i] = body(row)
	}

	return bodies
}
