package bench

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// metric sums a service's series of that name whose labels contain all the texts.
func metric(ctx context.Context, service, name string, texts ...string) (float64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, service+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}

	r.Header.Set("Accept-Encoding", "identity") // to compress it would count as the service's work

	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}

	defer func() { _ = answer.Body.Close() }()

	sum, lines := 0.0, bufio.NewScanner(answer.Body)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, name) ||
			slices.ContainsFunc(
				texts,
				func(text string) bool { return !strings.Contains(line, text) },
			) {
			continue
		}

		n, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, err
		}

		sum += n
	}

	return sum, lines.Err()
}

// counters returns how many events the services at the URLs have recorded and decided since they
// started.
func counters(ctx context.Context, tracking, commission string) (recorded, decided float64, err error) {
	if decided, err = metric(
		ctx,
		commission,
		"broker_messages_total",
		`"consumed"`,
		"tracking-events",
	); err != nil {
		return 0, 0, err
	}

	recorded, err = metric(ctx, tracking, "tracking_commit_events_sum")

	return recorded, decided, err
}

// await polls at every pause until the condition holds, for at most limit.
func await(
	ctx context.Context,
	limit, pause time.Duration,
	condition func() (bool, error),
) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	tick := time.NewTicker(pause)
	defer tick.Stop()

	for {
		ok, err := condition()
		if err != nil || ok {
			return err
		}

		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
