package rest

import (
	_ "embed" // the page
	"html/template"
	"io"
	"strconv"

	"tributary/commission/internal/application/query"
	"tributary/platform/money"
)

// statementRow is a line of an exported statement: an opening, a line or a closing.
type statementRow struct {
	entry    string
	currency string
	amount   string
	minor    string
	line     query.Line // zero for an opening or closing
}

func statementHeader() []string {
	return []string{
		"entry",
		"at",
		"commission_id",
		"payout_id",
		"event_id",
		"order_id",
		"campaign_id",
		"external_reference",
		"amount",
		"amount_minor",
		"currency",
	}
}

func statementCells(row statementRow) []string {
	return []string{
		row.entry,
		timeCell(row.line.At),
		row.line.CommissionID,
		row.line.PayoutID,
		harmless(row.line.EventID),
		harmless(row.line.OrderID),
		harmless(row.line.CampaignID),
		harmless(row.line.Reference),
		row.amount,
		row.minor,
		row.currency,
	}
}

// statementCSV writes a statement as CSV: openings, lines, closings.
type statementCSV struct{ accounts []query.Account }

func (statementCSV) kind() (mediaType, extension string) {
	return csvForm[query.Line]{}.kind()
}

func (f statementCSV) begin(w io.Writer) error {
	return writeCSV(w, append([][]string{statementHeader()}, f.totals("opening", opening)...))
}

func (statementCSV) rows(w io.Writer, rows []query.Line) error {
	lines := make([][]string, len(rows))
	for i, line := range rows {
		lines[i] = statementCells(statementRow{
			entry:    string(line.Entry),
			currency: line.Amount.Currency().String(),
			amount:   line.Amount.String(),
			minor:    strconv.FormatInt(line.Amount.Minor(), 10),
			line:     line,
		})
	}

	return writeCSV(w, lines)
}

func (f statementCSV) end(w io.Writer) error { return writeCSV(w, f.totals("closing", closing)) }

func (f statementCSV) totals(entry string, of func(query.Account) money.Total) [][]string {
	lines := make([][]string, len(f.accounts))
	for i, account := range f.accounts {
		total := of(account)
		lines[i] = statementCells(statementRow{
			entry:    entry,
			currency: account.Currency.String(),
			amount:   total.String(),
			minor:    total.Minor(),
		})
	}

	return lines
}

func opening(a query.Account) money.Total { return a.Opening }

func closing(a query.Account) money.Total { return a.Closing }

const (
	htmlType = "text/html; charset=utf-8"
	// a page that loads nothing, runs nothing and is changeRequest nowhere
	htmlPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors 'none'"
)

//go:embed statement.html
var statementPage string

// statementHTML writes a statement as a page to print.
type statementHTML struct {
	page     *template.Template
	UserID   string
	Period   query.Period
	Accounts []accountBody
}

func (statementHTML) kind() (mediaType, extension string) { return htmlType, ".html" }

func (f statementHTML) begin(w io.Writer) error {
	return f.page.ExecuteTemplate(w, "begin", f)
}

func (f statementHTML) rows(w io.Writer, rows []query.Line) error {
	bodies := make([]lineBody, len(rows))
	for i, row := range rows {
		bodies[i] = lineBodyOf(row)
		bodies[i].At = row.At.In(f.Period.Location)
	}

	return f.page.ExecuteTemplate(w, "rows", bodies)
}

func (f statementHTML) end(w io.Writer) error {
	return f.page.ExecuteTemplate(w, "end", f)
}

// statementForm returns the form of a statement with its sums.
type statementForm func(userID string, period query.Period, accounts []query.Account) form[query.Line]

func csvStatement(_ string, _ query.Period, accounts []query.Account) form[query.Line] {
	return statementCSV{accounts}
}

func printed(userID string, period query.Period, accounts []query.Account) form[query.Line] {
	bodies := bodiesOf(accounts, accountBodyOf)

	return statementHTML{
		page:     template.Must(template.New("statement").Parse(statementPage)),
		UserID:   userID,
		Period:   period,
		Accounts: bodies,
	}
}
