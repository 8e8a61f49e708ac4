package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// Commands sends commands to a bff.
type Commands struct {
	Addr  string
	Token string
}

const commandBody = `{"accepted_terms": true, "metadata": {"source": "mobile_app"}}`

// Closed posts as fast as answers arrive, on a number of connections, and counts the commands;
// refused ones (503) do not count.
func (c Commands) Closed(ctx context.Context, length time.Duration, connections int) (Done, error) {
	clients, err := dialMany(ctx, c.Addr, connections)
	if err != nil {
		return Done{}, err
	}
	defer hangUp(clients)
	headers := "Authorization: Bearer " + c.Token + "\r\n"

	return during(ctx, length, connections, func(_ context.Context, w int) (int, error) {
		status, err := clients[w].post(
			"/api/v1/campaigns/camp123/accept",
			headers,
			[]byte(commandBody),
		)
		switch {
		case err != nil:
			return 0, err
		// refused, because the broker lags behind: not a command
		case status == http.StatusServiceUnavailable:
			return 0, nil
		case status != http.StatusAccepted:
			return 0, fmt.Errorf("status %d", status)
		}

		return 1, nil
	})
}

// BareHTTP is B5: a handler of net/http in this process that reads the body, creates an id and
// answers 202, with the same client.
func BareHTTP(ctx context.Context, length time.Duration, connections int) (Done, error) {
	var lc net.ListenConfig

	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return Done{}, err
	}

	server := &http.Server{
		ReadHeaderTimeout: time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusAccepted)
			_, _ = fmt.Fprintf(w, `{"command_id":"%s"}`, uuid.Must(uuid.NewV7()))
		}),
	}
	go func() { _ = server.Serve(listener) }()

	defer func() { _ = server.Close() }()

	return Commands{Addr: listener.Addr().String(), Token: "none"}.Closed(ctx, length, connections)
}
