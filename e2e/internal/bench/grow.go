package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Grow adds rows to the log by COPY, as past events that are already published, while tracking is
// stopped. All other events must be decided before.
func (p *Pipeline) Grow(ctx context.Context, rows int) error {
	if err := p.Stack.Stop(ctx, "tracking"); err != nil {
		return err
	}

	columns := []string{
		"occurred_at",
		"received_at",
		"event_id",
		"user_id",
		"event_type",
		"body_hash",
		"campaign_id",
		"metadata",
	}
	types := []string{"view", "click", "click", "engagement", "lead"}
	from := time.Now().Add(-90 * 24 * time.Hour)
	step := 90 * 24 * time.Hour / time.Duration(max(rows, 1))

	const chunk = 1_000_000
	for done := 0; done < rows; done += chunk {
		n := min(chunk, rows-done)

		source := pgx.CopyFromSlice(n, func(i int) ([]any, error) {
			i += done
			at := from.Add(step * time.Duration(i))

			return []any{
				at,
				at,
				uuid.Must(uuid.NewV7()).String(),
				fmt.Sprintf("user-%d", i*7919%100_000),
				types[i%len(types)],
				make([]byte, 16),
				fmt.Sprintf("camp-%d", i%50),
				`{"page":"/offers/summer"}`,
			}, nil
		})
		if _, err := p.Tracking.CopyFrom(
			ctx,
			pgx.Identifier{"events"},
			columns,
			source,
		); err != nil {
			return fmt.Errorf("copy: %w", err)
		}

		p.Say("  %d of %d rows", done+n, rows)
	}

	for _, statement := range []string{`UPDATE relay SET pos = (SELECT coalesce(max(seq), 0)
    FROM events)`, `ANALYZE events`} {
		if _, err := p.Tracking.Exec(ctx, statement); err != nil {
			return err
		}
	}

	var err error
	if p.grown, err = p.number(ctx, p.Tracking, `SELECT pos FROM relay`); err != nil {
		return err
	}

	if p.before, err = p.number(ctx, p.Commission, `SELECT count(*) FROM decisions`); err != nil {
		return err
	}

	return p.Stack.Start(ctx, "tracking")
}

// Query is a kind of list request.
type Query struct {
	Name   string
	filter func(n int) string
}

// Lists returns the measured kinds of list requests: of a user, of a campaign, of a type, of an
// hour, of a month.
func Lists() []Query {
	past := time.Now().Add(-45 * 24 * time.Hour).UTC().Truncate(time.Second)
	within := func(length time.Duration) string {
		return "occurred_from=" + past.Format(time.RFC3339) + "&occurred_to=" + past.Add(
			length,
		).Format(time.RFC3339)
	}

	return []Query{
		{"by user", func(n int) string { return fmt.Sprintf("user_id=user-%d", n%5000) }},
		{
			"by user and type",
			func(n int) string { return fmt.Sprintf("event_type=lead&user_id=user-%d", n%5000) },
		},
		// a rare one and a frequent one
		{"by type", func(n int) string { return "event_type=" + []string{"lead", "click"}[n%2] }},
		{"by campaign", func(n int) string { return fmt.Sprintf("campaign_id=camp-%d", n%50) }},
		{
			"by user and an hour",
			func(n int) string { return within(time.Hour) + fmt.Sprintf("&user_id=user-%d", n%5000) },
		},
		{"by an hour", func(int) string { return within(time.Hour) }},
		{"by a month", func(int) string { return within(30 * 24 * time.Hour) }},
	}
}

// List returns the latencies of a number of list requests of a kind.
func (p *Pipeline) List(ctx context.Context, query Query, requests int) ([]time.Duration, error) {
	all := make([]time.Duration, 0, requests)
	for n := range requests {
		begin := time.Now()

		if err := get(
			ctx,
			"http://"+p.Load.Addr+eventsPath+"?limit=100&"+query.filter(n),
		); err != nil {
			return nil, err
		}

		all = append(all, time.Since(begin))
	}

	return all, nil
}

// get reads a whole answer, which must have status 200.
func get(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}

	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}

	defer func() { _ = answer.Body.Close() }()

	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, answer.Status)
	}

	_, err = io.Copy(io.Discard, answer.Body)

	return err
}
