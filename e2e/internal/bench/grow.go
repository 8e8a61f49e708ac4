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

// Grow puts so many rows into the log by COPY, as events of the past that are published already, while tracking is stopped.
func (p *Pipeline) Grow(ctx context.Context, rows int) error {
	if err := p.Stack.Stop(ctx, "tracking"); err != nil {
		return err
	}
	columns := []string{"occurred_at", "received_at", "event_id", "user_id", "event_type", "body_hash", "campaign_id", "metadata"}
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
				at, at, uuid.Must(uuid.NewV7()).String(), fmt.Sprintf("user-%d", i*7919%100_000), types[i%len(types)], make([]byte, 16),
				fmt.Sprintf("camp-%d", i%50), `{"page":"/offers/summer"}`,
			}, nil
		})
		if _, err := p.Tracking.CopyFrom(ctx, pgx.Identifier{"events"}, columns, source); err != nil {
			return fmt.Errorf("copy: %w", err)
		}
		p.Say("  %d of %d rows", done+n, rows)
	}
	for _, statement := range []string{`UPDATE relay SET pos = (SELECT coalesce(max(seq), 0) FROM events)`, `ANALYZE events`} {
		if _, err := p.Tracking.Exec(ctx, statement); err != nil {
			return err
		}
	}
	var err error
	if p.grown, err = p.number(ctx, p.Tracking, `SELECT pos FROM relay`); err != nil {
		return err
	}
	return p.Stack.Start(ctx, "tracking")
}

// Lists takes the latencies of list requests: by user, by type, by campaign and by time, from their first and from later pages.
func (p *Pipeline) Lists(ctx context.Context, requests int) ([]time.Duration, error) {
	day := time.Now().Add(-45 * 24 * time.Hour).UTC().Truncate(time.Second)
	queries := []string{
		"user_id=user-%d", "event_type=lead&user_id=user-%d", "campaign_id=camp-%d",
		"occurred_from=" + day.Format(time.RFC3339) + "&occurred_to=" + day.Add(time.Hour).Format(time.RFC3339) + "&user_id=user-%d",
	}
	var all []time.Duration
	for n := range requests {
		path := eventsPath + "?limit=100&" + fmt.Sprintf(queries[n%len(queries)], n%50)
		begin := time.Now()
		if err := get(ctx, "http://"+p.Load.Addr+path); err != nil {
			return nil, err
		}
		all = append(all, time.Since(begin))
	}
	return all, nil
}

// get reads a whole answer, which must be 200.
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
