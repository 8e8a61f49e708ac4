package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/application/query"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/decision"
	"tributary/commission/internal/domain/effect"
	"tributary/commission/internal/domain/payout"
	"tributary/commission/internal/domain/rule"
)

// things are what a page of the log is about, as it is now. Everything that can change is then
// taken from the log.
type things struct {
	decisions   map[string]query.Decided
	commissions map[string]commission.Snapshot
	payouts     map[string]payout.Snapshot
	rules       *rule.Set
}

const (
	selectLoggedDecisions = `SELECT ` + decisionColumns + ` FROM decisions AS d
WHERE d.event_id = ANY($1)`

	selectLoggedCommissions = selectCommissions + ` WHERE id = ANY($1::uuid[])`
	selectLoggedPayouts     = selectPayouts + ` WHERE id = ANY($1::uuid[])`
)

// complete returns the events of rows of the log. What they are about is read from the tables,
// unless from has it; from may be nil.
func (l *EventLog) complete(
	ctx context.Context,
	rows []logRow,
	from *recent,
) ([]eventlog.Event, error) {
	if len(rows) == 0 {
		return nil, nil
	}

	found, err := l.things(ctx, rows, from)
	if err != nil {
		return nil, err
	}

	events := make([]eventlog.Event, len(rows))
	for i := range rows {
		if events[i], err = found.event(&rows[i]); err != nil {
			return nil, err
		}
	}

	return events, nil
}

// things returns what the rows are about.
func (l *EventLog) things(ctx context.Context, rows []logRow, from *recent) (things, error) {
	found := things{
		decisions:   map[string]query.Decided{},
		commissions: map[string]commission.Snapshot{},
		payouts:     map[string]payout.Snapshot{},
	}

	ids := map[effect.Subject][]string{}
	for i := range rows {
		if from.take(&rows[i], &found) {
			continue
		}

		of := rows[i].Type.Subject()
		ids[of] = append(ids[of], rows[i].SubjectID)
	}

	if err := l.decisions(ctx, ids[effect.Decision], found.decisions); err != nil {
		return found, err
	}

	wanted := ids[effect.Commission]
	for _, id := range ids[effect.Decision] {
		if d := found.decisions[id]; d.CommissionID != "" {
			wanted = append(wanted, d.CommissionID)
		}
	}

	if err := l.commissions(ctx, wanted, found.commissions); err != nil {
		return found, err
	}

	if err := l.payouts(ctx, ids[effect.Payout], found.payouts); err != nil {
		return found, err
	}

	if len(ids[effect.Rule]) == 0 {
		return found, nil
	}

	var err error
	found.rules, err = l.store.Rules(ctx)

	return found, err
}

func (l *EventLog) decisions(ctx context.Context, ids []string, into map[string]query.Decided) error {
	if len(ids) == 0 {
		return nil
	}

	list, err := collect(ctx, l.store.pool, scanDecided, selectLoggedDecisions, ids)
	for _, d := range list {
		into[d.Event.ID()] = d
	}

	return err
}

func (l *EventLog) commissions(
	ctx context.Context,
	ids []string,
	into map[string]commission.Snapshot,
) error {
	if len(ids) == 0 {
		return nil
	}

	list, err := collect(ctx, l.store.pool, scanCommission, selectLoggedCommissions, ids)
	for _, c := range list {
		into[c.ID] = c
	}

	return err
}

func (l *EventLog) payouts(ctx context.Context, ids []string, into map[string]payout.Snapshot) error {
	if len(ids) == 0 {
		return nil
	}

	list, err := collect(ctx, l.store.pool, scanPayout, selectLoggedPayouts, ids)
	for _, p := range list {
		into[p.ID] = p
	}

	return err
}

func scanDecided(row pgx.CollectableRow) (query.Decided, error) {
	var r decisionRow
	if err := row.Scan(r.targets()...); err != nil {
		return query.Decided{}, err
	}

	d, err := r.decision()

	return query.Decided{
		Decision:     d,
		CommissionID: value(r.commissionID),
		DecidedAt:    r.decidedAt.UTC(),
		ResolvedAt:   utc(r.resolvedAt),
	}, err
}

// event returns the event of the row: its thing with everything that can change as the row has it.
func (t things) event(r *logRow) (eventlog.Event, error) {
	e := eventlog.Event{
		Place:           r.place,
		At:              r.at,
		Type:            r.Type,
		UserID:          r.UserID,
		Sequence:        r.sequence,
		Cause:           r.cause,
		PreviousStatus:  r.PreviousStatus,
		PreviousVersion: r.PreviousVersion,
	}

	var found bool

	switch r.Type.Subject() {
	case effect.Decision:
		found = t.decision(r, &e)
	case effect.Commission:
		e.Commission, found = t.commission(r, r.SubjectID)
	case effect.Payout:
		return t.payout(r, e)
	case effect.Rule:
		e.Rule, found = t.rule(r)
	}

	return e, unless(found, r)
}

func unless(found bool, r *logRow) error {
	if found {
		return nil
	}

	return fmt.Errorf("event %d of the log: there is no such %s", r.place.Seq, r.Type.Subject())
}

// decision reports whether it has set decision and commission of the event. A parked decision had
// nothing but its event; what it became has an event of its own.
func (t things) decision(r *logRow, e *eventlog.Event) bool {
	d, found := t.decisions[r.SubjectID]
	if !found {
		return false
	}

	if r.status == string(decision.Parked) {
		d = query.Decided{
			Decision: decision.Decision{
				Event:   d.Event,
				Outcome: decision.Parked,
				Reason:  decision.OriginalUnknown,
			},
			DecidedAt: d.DecidedAt,
		}
	}

	e.Decision = &d
	if d.CommissionID == "" {
		return true
	}

	e.Commission, found = t.commission(r, d.CommissionID)

	return found
}

func (t things) commission(r *logRow, id string) (*commission.Snapshot, bool) {
	c, found := t.commissions[id]
	if !found {
		return nil, false
	}

	c.Status = commission.Status(r.status)
	c.Version = r.version
	c.UpdatedAt = c.CreatedAt
	c.Reason = "" // an operator's, and internal

	// that of a decision is new
	if r.Type.Subject() == effect.Commission && !r.changedAt.IsZero() {
		c.UpdatedAt = r.changedAt
	}

	return &c, true
}

func (t things) payout(r *logRow, e eventlog.Event) (eventlog.Event, error) {
	p, found := t.payouts[r.SubjectID]
	if !found {
		return e, unless(found, r)
	}

	var state payoutState
	if err := json.Unmarshal([]byte(r.state), &state); err != nil {
		return e, fmt.Errorf("event %d of the log: %w", r.place.Seq, err)
	}

	p = state.onto(p)
	p.Status = payout.Status(r.status)
	p.Version = r.version
	p.UpdatedAt = p.CreatedAt

	if !r.changedAt.IsZero() {
		p.UpdatedAt = r.changedAt
	}

	p.Details = "" // personal
	e.Payout = &p

	return e, nil
}

func (t things) rule(r *logRow) (*rule.Rule, bool) {
	found, ok := t.rules.Find(rule.Ref{ID: r.ruleID, Version: r.version})
	if !ok {
		return nil, false
	}

	snapshot := found.Snapshot()
	if r.Type == effect.RulePublished {
		snapshot.RetiredAt = time.Time{} // an event of its own
	}

	then := rule.Restore(snapshot)

	return &then, true
}
