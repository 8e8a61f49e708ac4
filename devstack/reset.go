package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// ResetBroker replaces a broker that cannot be repaired and keeps everything else: it stops the
// services and the broker, moves the broker's data aside, resets the relay of tracking to the
// beginning of its log, and starts the stack. Every event is published again, and commission, which
// decides each event once, skips the known ones. Messages that exist in topics only are not
// published again: commands of the bff that no consumer has read, and dead letters. The data moved
// aside still contain them.
func (c Config) ResetBroker(ctx context.Context) error {
	if !c.localBroker() {
		return errors.New("PULSAR_SERVICE_URL names a broker that is not of this stack")
	}

	if err := c.replaceBroker(ctx); err != nil {
		return err
	}

	return c.Up(ctx)
}

func (c Config) replaceBroker(ctx context.Context) error {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()

	// The databases stop too: if the broker does not start, they may not be running either.
	if err := c.stopAll(ctx); err != nil {
		return err
	}

	if err := c.fetch(ctx); err != nil {
		return err
	}

	database := c.postgres("tracking-db", c.Ports.TrackingDB, "trackingdb")
	if err := c.startAll(ctx, []unit{database}); err != nil {
		return err
	}

	if err := c.rewindRelay(ctx); err != nil {
		return err
	}

	return c.moveBrokerAside()
}

// rewindRelay precedes the removal of the data: an interrupted run can be repeated.
func (c Config) rewindRelay(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.TrackingDatabaseURL())
	if err != nil {
		return fmt.Errorf("tracking's database: %w", err)
	}

	defer func() { _ = conn.Close(ctx) }()

	var events, behind int64

	err = conn.QueryRow(ctx, `WITH before AS (SELECT pos FROM relay), after AS (UPDATE relay SET pos = 0)
		SELECT (SELECT count(*) FROM events), pos FROM before`).Scan(&events, &behind)
	if err != nil {
		return fmt.Errorf("reset the relay to the beginning: %w", err)
	}

	c.say("  tracking       %d events will be published again (the relay was at %d)", events, behind)

	return nil
}

func (c Config) moveBrokerAside() error {
	data := filepath.Join(c.State, "pulsar")
	aside := filepath.Join(c.State, "pulsar.aside")

	if err := os.RemoveAll(aside); err != nil {
		return err
	}

	if err := os.Rename(data, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}

	c.say("  pulsar         its data are in %s; remove them once nothing is missing", aside)

	return nil
}
