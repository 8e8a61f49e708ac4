// Package database opens a service's pools of connections. It is apart from package service because
// not every service has a database.
package database

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"tributary/platform/postgres"
	"tributary/platform/service"
)

// Open opens a pool of connections, which is closed when all other parts of the service have
// stopped. application names it among the sessions of the database.
func Open(
	ctx context.Context,
	f *service.Frame,
	url, application string,
	connections int32,
) (*pgxpool.Pool, error) {
	pool, err := postgres.Open(ctx, postgres.Config{
		URL:         url,
		Application: application,
		MaxConns:    connections,
		Trace:       f.Trace,
	})
	if err != nil {
		return nil, err
	}

	f.CloseLast("database pool "+application, pool.Close)

	return pool, nil
}
