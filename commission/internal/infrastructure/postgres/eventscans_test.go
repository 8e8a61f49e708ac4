package postgres_test

import (
	"testing"
	"time"

	"tributary/commission/internal/application/eventlog"
	"tributary/commission/internal/domain/effect"
)

// workOnEvents calls everything that reads the log of changes.
func (f fixture) workOnEvents(t *testing.T, user string) {
	t.Helper()
	ctx := t.Context()
	log := f.store.EventLog()

	for _, err := range []error{
		second(log.Read(ctx, eventlog.Position{}, 10)),
		second(log.Latest(ctx)),
		second(log.Heads(ctx, eventlog.Position{}, 10)),
		second(log.Held(ctx)),
		log.Prepare(ctx),
		second(log.Expire(ctx, time.Now().AddDate(0, 0, -7))),
	} {
		if err != nil {
			t.Error(err)
		}
	}

	for _, q := range []eventlog.Question{
		{Limit: 10},
		{Limit: 10, Filter: eventlog.Filter{UserID: user}},
		{Limit: 10, After: eventlog.Cursor{Position: eventlog.Position{Tx: 1}}},
		{Limit: 1, Filter: eventlog.Filter{UserID: user, Types: []effect.Type{effect.DecisionMade}}},
	} {
		if _, err := log.Page(ctx, owned(t, q.Filter.UserID), q); err != nil {
			t.Error(err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
