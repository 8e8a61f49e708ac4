package rest

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tributary/commission/internal/api/wire"
	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/rule"
	"tributary/platform/auth"
	"tributary/platform/httpapi"
)

type listRulesInput struct {
	httpapi.ListInput
	EventType wire.EarningType `query:"event_type" doc:"Only rules for events of this type."`
}

type ruleCursor struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
}

type ruleList struct {
	Body httpapi.Page[wire.Rule]
}

type RuleInput struct {
	ID resourceID `path:"id" maxLength:"64" doc:"The rule's id."`
}

type ruleAnswer struct {
	Body struct {
		RuleID   string      `json:"rule_id" doc:"The id of the rule."`
		Versions []wire.Rule `json:"versions" doc:"All versions, the oldest first."`
	}
}

type publishInput struct {
	ChangeHeaders
	Body wire.Draft
}

type retireInput struct {
	ChangeHeaders
	RuleInput
	Body struct {
		RetiredAt time.Time `json:"retired_at,omitzero" doc:"When the rule ends; now if absent. Must not be in the past."`
		Reason    string    `json:"reason" minLength:"1" maxLength:"500" doc:"The reason, kept in the audit log." example:"replaced by a new contract"`
	}
}

func registerRules(api huma.API, uses UseCases) {
	rules, clock := uses.Rules, uses.Now

	list := readOperation(huma.Operation{
		OperationID: "list-rules",
		Path:        "/rules",
		Summary:     "List versions of rules",
		Description: "Returns the versions ordered by rule and version.",
		Tags:        []string{"Rules"},
	})
	list.Security = auth.Require(auth.Operator)
	huma.Register(api, list, func(ctx context.Context, in *listRulesInput) (*ruleList, error) {
		all, err := rules.List(ctx, callerOf(ctx))
		if err != nil {
			return nil, err
		}

		var after ruleCursor
		if err := in.After("", &after); err != nil {
			return nil, err
		}

		rows := []wire.Rule{}
		for _, r := range all {
			follows := cmp.Or(
				cmp.Compare(r.ID(), after.ID),
				cmp.Compare(r.Version(), after.Version),
			) > 0

			matches := in.EventType == "" ||
				string(r.Snapshot().Scope.EventType) == string(in.EventType)
			if follows && matches && len(rows) <= in.Limit {
				rows = append(rows, wire.RuleOf(r))
			}
		}

		return &ruleList{
			Body: httpapi.NewPage(
				&in.ListInput,
				rows,
				func(r wire.Rule) ruleCursor { return ruleCursor{r.RuleID, r.Version} },
			),
		}, nil
	})
	get := readOperation(huma.Operation{
		OperationID: "get-rule",
		Path:        "/rules/{id}",
		Summary:     "Get a rule with all its versions",
		Description: "Returns the oldest version first.",
		Tags:        []string{"Rules"},
		Errors:      []int{http.StatusNotFound},
	})
	get.Security = auth.Require(auth.Operator)
	huma.Register(api, get, func(ctx context.Context, in *RuleInput) (*ruleAnswer, error) {
		versions, err := rules.Get(ctx, callerOf(ctx), string(in.ID))
		if err != nil {
			return nil, err
		}

		answer := &ruleAnswer{}

		answer.Body.RuleID = string(in.ID)
		for _, r := range versions {
			answer.Body.Versions = append(answer.Body.Versions, wire.RuleOf(r))
		}

		return answer, nil
	})
	create := changeOperation(huma.Operation{
		OperationID: "publish-rule",
		Path:        "/rules",
		Summary:     "Publish a rule or a version",
		Description: "Publishes a new rule, or with rule_id the next version of that rule. A published " +
			"version never changes.",
		Tags:   []string{"Rules"},
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}, auth.Admin)
	create.DefaultStatus = 201
	huma.Register(
		api,
		create,
		func(ctx context.Context, in *publishInput) (*answered[wire.Rule], error) {
			snapshot, err := in.Body.Snapshot(uses.Zone)
			if err != nil {
				return nil, err
			}

			asked := in.asks(create.OperationID, "published", in.Body)

			return changing(
				ctx,
				clock,
				asked,
				wire.RuleOf,
				func(r change.Request) (rule.Rule, error) {
					return uses.PublishRule.Handle(ctx, r, snapshot)
				},
			)
		},
	)
	retire := changeOperation(huma.Operation{
		OperationID: "retire-rule",
		Path:        "/rules/{id}/retire",
		Summary:     "Retire a rule",
		Description: "Ends all versions of the rule at the time. Earlier decisions do not change.",
		Tags:        []string{"Rules"},
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}, auth.Admin)
	huma.Register(
		api,
		retire,
		func(ctx context.Context, in *retireInput) (*answered[wire.Rule], error) {
			asked := in.asks(retire.OperationID, in.Body.Reason, []any{in.ID, in.Body})

			return changing(
				ctx,
				clock,
				asked,
				wire.RuleOf,
				func(r change.Request) (rule.Rule, error) {
					return uses.RetireRule.Handle(ctx, r, string(in.ID), in.Body.RetiredAt)
				},
			)
		},
	)
}
