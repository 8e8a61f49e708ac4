package querytest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/money"
)

// The parts of a statement.
const (
	madeLines = 1 + iota
	rejectedLines
	paidLines
)

// lines returns all that ever changed what the user is owed, in the order of a statement.
func (r Reader) lines(user string) []query.Line {
	var lines []query.Line

	content := r.store.Content()
	for _, c := range content.Commissions {
		if c.UserID == user {
			lines = append(lines, linesOf(c)...)
		}
	}

	for _, p := range content.Payouts {
		if p.UserID == user && p.Status == payout.Completed {
			lines = append(lines, query.Line{
				Position:  query.LinePosition{Part: paidLines, ID: p.ID},
				Entry:     query.PaidOut,
				At:        p.ClosedAt,
				PayoutID:  p.ID,
				Reference: p.ExternalReference,
				Amount:    money.FromMinor(-p.Amount.Minor(), p.Amount.Currency()),
			})
		}
	}

	slices.SortFunc(lines, func(a, b query.Line) int { return compareLines(a.Position, b.Position) })

	return lines
}

func compareLines(a, b query.LinePosition) int {
	return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.ID, b.ID))
}

// linesOf returns the line of a commission and that of its rejection, which is its last change.
func linesOf(c commission.Snapshot) []query.Line {
	entry := map[commission.Kind]query.Entry{
		commission.Earning:    query.Earned,
		commission.Clawback:   query.ClawedBack,
		commission.Adjustment: query.Adjusted,
	}[c.Kind]

	made := query.Line{
		Position:     query.LinePosition{Part: madeLines, ID: c.ID},
		Entry:        entry,
		At:           c.CreatedAt,
		CommissionID: c.ID,
		EventID:      c.EventID,
		OrderID:      c.OrderID,
		CampaignID:   c.CampaignID,
		Amount:       c.Amount,
	}
	if c.Status != commission.Rejected {
		return []query.Line{made}
	}

	refused := made
	refused.Position.Part = rejectedLines
	refused.Entry = query.Refused
	refused.At = c.UpdatedAt
	refused.Amount = money.FromMinor(-c.Amount.Minor(), c.Amount.Currency())

	return []query.Line{made, refused}
}

// Accounts implements query.StatementReader.
func (r Reader) Accounts(
	_ context.Context,
	owner query.Owner,
	period query.Period,
) ([]query.Account, error) {
	user, _ := owner.UserID()

	var accounts []query.Account

	for _, b := range balances(r.store.Content().Transfers, time.Time{}) {
		if b.UserID != user {
			continue
		}

		zero := money.TotalOf(0, b.Currency)
		account := query.Account{
			Currency: b.Currency,
			Opening:  zero,
			Closing:  zero,
			Lines:    map[query.Entry]money.Total{},
		}

		for _, line := range r.lines(user) {
			if line.Amount.Currency() == b.Currency {
				addLine(&account, line, period)
			}
		}

		accounts = append(accounts, account)
	}

	return accounts, nil
}

func addLine(account *query.Account, line query.Line, period query.Period) {
	amount := line.Amount.Total()

	switch {
	case line.At.Before(period.From):
		account.Opening = account.Opening.Add(amount)
	case line.At.Before(period.Until):
		account.Lines[line.Entry] = amount.Add(account.Lines[line.Entry])
	default:
		return
	}

	account.Closing = account.Closing.Add(amount)
}

// Lines implements query.StatementReader.
func (r Reader) Lines(
	_ context.Context,
	owner query.Owner,
	period query.Period,
	limit int,
	after query.LinePosition,
) ([]query.Line, error) {
	user, _ := owner.UserID()

	lines := slices.DeleteFunc(r.lines(user), func(l query.Line) bool {
		return compareLines(l.Position, after) <= 0 || !within(l.At, period)
	})

	return lines[:min(limit, len(lines))], nil
}

// within reports whether the statement of the period has lines of the time.
func within(at time.Time, period query.Period) bool {
	return !at.Before(period.From) && at.Before(period.Until)
}
