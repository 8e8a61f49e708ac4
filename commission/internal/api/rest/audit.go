package rest

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"tributary/commission/internal/application/query"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
)

type auditBody struct {
	ID          string       `json:"id" doc:"The number of the row." example:"17"`
	At          time.Time    `json:"at" doc:"When it was done."`
	Actor       string       `json:"actor" doc:"Who did it: the user id of the token, or anonymous while authentication is off." example:"operator1"`
	Action      string       `json:"action" doc:"What was done, for example approve, hold, release, reject, adjust, completed, failed, cancelled, publish, retire, replay, open_account." example:"approve"`
	SubjectType string       `json:"subject_type" enum:"commission,payout,payout_batch,rule,replay" doc:"What it was done to."`
	SubjectID   string       `json:"subject_id" doc:"Its id." example:"019abc00-0000-7000-8000-000000000001"`
	Reason      string       `json:"reason" doc:"The reason that was given." example:"checked with the shop"`
	Before      auditedState `json:"before" doc:"What could change, as it was before. Null for something new."`
	After       auditedState `json:"after" doc:"The same as it was after, or what else there is to know. Null if nothing changed, as when an account was opened."`
	RequestID   string       `json:"request_id" doc:"The X-Request-ID of the request." example:"request-1"`
}

// auditedState is a JSON object, or null.
type auditedState struct{ jsontext.Value }

// Schema documents it.
func (auditedState) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Nullable: true}
}

func auditedStateOf(text string) auditedState {
	if text == "" {
		text = "null"
	}

	return auditedState{jsontext.Value(text)}
}

func auditBodyOf(r query.AuditRow) auditBody {
	return auditBody{
		ID:          r.ID,
		At:          r.At,
		Actor:       r.Actor,
		Action:      r.Action,
		SubjectType: r.SubjectType,
		SubjectID:   r.SubjectID,
		Reason:      r.Reason,
		Before:      auditedStateOf(r.Before),
		After:       auditedStateOf(r.After),
		RequestID:   r.RequestID,
	}
}

// AuditFilter narrows the audit.
type AuditFilter struct {
	Actor       string    `query:"actor" maxLength:"128" doc:"Only what this person did." example:"operator1"`
	Action      string    `query:"action" maxLength:"64" doc:"Only this action." example:"approve"`
	SubjectType string    `query:"subject_type" enum:"commission,payout,payout_batch,rule,replay" doc:"Only changes of subjects of this type."`
	SubjectID   string    `query:"subject_id" maxLength:"128" doc:"Only changes of the subject with this id."`
	From        time.Time `query:"from" doc:"Only changes at this time or later."`
	To          time.Time `query:"to" doc:"Only what was done before this time."`
}

func (f AuditFilter) of() (query.AuditFilter, error) {
	return query.AuditFilter(f), checkIDs("actor", f.Actor, "action", f.Action, "subject_id", f.SubjectID)
}

type listAuditInput struct {
	httpapi.ListInput
	AuditFilter
}

type exportAuditInput struct{ AuditFilter }

type auditList struct{ Body httpapi.Page[auditBody] }

// audited leaves the operation to those who act and to admin.
func audited(op huma.Operation) huma.Operation {
	op.Tags = []string{"Audit"}
	op.Security = auth.Require(auth.Operator)

	return op
}

func registerAudit(api huma.API, audit *query.ListAudit, out exports) {
	huma.Register(api, audited(readOperation(huma.Operation{
		OperationID: "list-audit",
		Path:        "/audit",
		Summary:     "List who changed what",
		Description: "Returns what people have done, the newest first: every change of a commission, payout, " +
			"batch or rule, every replay, and every opening of an account, of which it has no details.",
	})),
		func(ctx context.Context, in *listAuditInput) (*auditList, error) {
			filter, err := in.of()
			if err != nil {
				return nil, err
			}

			var cursor timeCursor
			if err := in.After("", &cursor); err != nil {
				return nil, err
			}

			rows, err := audit.Handle(ctx, callerOf(ctx), filter, in.Limit+1, query.Position(cursor))
			if err != nil {
				return nil, err
			}

			bodies := bodiesOf(rows, auditBodyOf)

			return &auditList{Body: httpapi.NewPage(
				&in.ListInput,
				bodies,
				func(b auditBody) timeCursor { return timeCursor{b.At, b.ID} },
			)}, nil
		})

	registerExportAudit(api, audit, out)
}

func registerExportAudit(api huma.API, audit *query.ListAudit, out exports) {
	header := []string{
		"id",
		"at",
		"actor",
		"action",
		"subject_type",
		"subject_id",
		"reason",
		"before",
		"after",
		"request_id",
	}
	huma.Register(api, audited(exportOperation(huma.Operation{
		OperationID: "export-audit",
		Path:        "/audit.csv",
		Summary:     "Export the audit as CSV",
		Description: "Returns the rows of the list, the newest first",
	}, header)),
		func(ctx context.Context, in *exportAuditInput) (*huma.StreamResponse, error) {
			filter, err := in.of()
			if err != nil {
				return nil, err
			}

			return send(ctx, out, export[query.AuditRow]{
				file: "audit",
				form: csvForm[query.AuditRow]{header: header, cells: auditCells},
				page: func(ctx context.Context, last *query.AuditRow) ([]query.AuditRow, error) {
					var after query.Position
					if last != nil {
						after = query.Position{At: last.At, ID: last.ID}
					}

					return audit.Handle(ctx, callerOf(ctx), filter, csvPage, after)
				},
			})
		})
}

func auditCells(r query.AuditRow) []string {
	return []string{
		r.ID,
		timeCell(r.At),
		harmless(r.Actor),
		r.Action,
		r.SubjectType,
		r.SubjectID,
		harmless(r.Reason),
		r.Before,
		r.After,
		harmless(r.RequestID),
	}
}
