package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/query"
	"tributary/platform/money"
	platform "tributary/platform/postgres"
)

var _ query.SummaryReader = (*Store)(nil)

// expression returns the SQL of a dimension; zone is the placeholder of the time zone.
func expression(d query.Dimension, zone string) string {
	switch d {
	case query.ByUser, query.ByCampaign, query.ByEventType, query.ByStatus, query.ByCurrency:
		return "coalesce(" + string(d) + ", '')"
	case query.ByDay:
		return "to_char(occurred_at AT TIME ZONE " + zone + ", 'YYYY-MM-DD')"
	}

	return "''"
}

// Summary implements query.SummaryReader. The rows of groups that were returned before are excluded
// before any is counted.
func (s *Store) Summary(
	ctx context.Context,
	owner query.Owner,
	filter query.CommissionFilter,
	grouping query.Grouping,
	limit int,
	after []string,
) ([]query.Group, error) {
	c := commissionConditions(owner, filter)
	if filter.Status == "" && !slices.Contains(grouping.By, query.ByStatus) {
		c.texts = append(c.texts, "status <> 'rejected'")
	}

	zone := ""
	if slices.Contains(grouping.By, query.ByDay) {
		zone = c.arg(grouping.Zone) + "::text"
	}

	columns := make([]string, len(grouping.By))

	numbers := make([]string, len(grouping.By))
	for i, d := range grouping.By {
		columns[i], numbers[i] = expression(d, zone), strconv.Itoa(i+1)
	}

	list, groups := strings.Join(columns, ", "), strings.Join(numbers, ", ")
	if after != nil {
		values := make([]string, len(after))
		for i, value := range after {
			values[i] = c.arg(value) + "::text"
		}

		c.texts = append(c.texts, "("+list+") > ("+strings.Join(values, ", ")+")")
	}

	where := c.where()
	sql := "SELECT " + list + ", count(*), sum(amount_minor)::text FROM commissions" + where +
		" GROUP BY " + groups + " ORDER BY " + groups + " LIMIT " + c.arg(limit)

	found, err := collect(
		ctx,
		s.pool,
		func(row pgx.CollectableRow) (query.Group, error) { return scanGroup(row, grouping.By) },
		sql,
		c.planned()...)
	if platform.Code(err) == "22023" {
		// invalid parameter value: the zone is the only argument that the database itself checks
		return nil, query.UnknownZone()
	}

	return found, mapped("summarise", tooWide(err))
}

func scanGroup(row pgx.CollectableRow, by []query.Dimension) (query.Group, error) {
	g := query.Group{Values: make([]string, len(by))}

	var minor string

	targets := make([]any, 0, len(by)+2)
	for i := range g.Values {
		targets = append(targets, &g.Values[i])
	}

	if err := row.Scan(append(targets, &g.Count, &minor)...); err != nil {
		return g, err
	}

	currency, err := money.ParseCurrency(g.Values[slices.Index(by, query.ByCurrency)])
	if err == nil {
		g.Amount, err = money.ParseTotal(minor, currency)
	}

	return g, err
}
