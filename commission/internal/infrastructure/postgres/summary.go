package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/platform/money"
)

var _ query.Summaries = (*Store)(nil)

// expression gives the SQL of a dimension; zone is the placeholder of the time zone.
func expression(d query.Dimension, zone string) string {
	switch d {
	case query.ByUser, query.ByCampaign, query.ByEventType, query.ByStatus, query.ByCurrency:
		return "coalesce(" + string(d) + ", '')"
	case query.ByDay:
		return "to_char(occurred_at AT TIME ZONE " + zone + ", 'YYYY-MM-DD')"
	}
	return "''"
}

// Summary implements query.Summaries.
func (s *Store) Summary(ctx context.Context, filter query.CommissionFilter, grouping query.Grouping, limit, offset int) ([]query.Group, error) {
	c := commissionConditions(filter)
	if filter.Status == "" && !slices.Contains(grouping.By, query.ByStatus) {
		c.texts = append(c.texts, "status <> 'rejected'")
	}
	zone := ""
	if slices.Contains(grouping.By, query.ByDay) {
		c.args = append(c.args, grouping.Zone)
		zone = fmt.Sprintf("$%d::text", len(c.args))
	}
	columns := make([]string, len(grouping.By))
	numbers := make([]string, len(grouping.By))
	for i, d := range grouping.By {
		columns[i], numbers[i] = expression(d, zone), fmt.Sprint(i+1)
	}
	c.args = append(c.args, limit, offset)
	list := strings.Join(numbers, ", ")
	rows, err := s.pool.Query(ctx, fmt.Sprintf("SELECT %s, count(*), sum(amount_minor)::bigint FROM commissions%s GROUP BY %s ORDER BY %s LIMIT $%d OFFSET $%d",
		strings.Join(columns, ", "), c.where(), list, list, len(c.args)-1, len(c.args)), c.args...)
	if err != nil {
		return nil, mapped("summarise", err)
	}
	groups, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (query.Group, error) { return scanGroup(row, grouping.By) })
	return groups, mapped("summarise", err)
}

func scanGroup(row pgx.CollectableRow, by []query.Dimension) (query.Group, error) {
	values := make([]string, len(by))
	var count, minor int64
	targets := make([]any, 0, len(by)+2)
	for i := range values {
		targets = append(targets, &values[i])
	}
	g := query.Group{Values: map[query.Dimension]string{}}
	if err := row.Scan(append(targets, &count, &minor)...); err != nil {
		return g, err
	}
	for i, d := range by {
		g.Values[d] = values[i]
	}
	currency, err := money.ParseCurrency(g.Values[query.ByCurrency])
	g.Count, g.Amount = count, money.FromMinor(minor, currency)
	return g, err
}
