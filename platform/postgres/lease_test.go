package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"tributary/platform/postgres"
)

// A position of two columns moves as one value, and only forwards.
func TestALeaseKeepsAPositionOfTwoColumns(t *testing.T) {
	t.Parallel()

	pool := open(t, server(t), 2)
	table := fmt.Sprintf("lease_%x", uuid.New())

	_, err := pool.Exec(t.Context(), fmt.Sprintf(`
CREATE TABLE %s (
    id         boolean     PRIMARY KEY DEFAULT true CHECK (id),
    xid        xid8        NOT NULL DEFAULT '0',
    seq        bigint      NOT NULL DEFAULT 0,
    holder     text        NOT NULL DEFAULT '',
    expires_at timestamptz NOT NULL DEFAULT '-infinity'
)`, table))
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _, _ = pool.Exec(context.WithoutCancel(t.Context()), `DROP TABLE `+table) })

	if _, err := pool.Exec(t.Context(), `INSERT INTO `+table+` DEFAULT VALUES`); err != nil {
		t.Fatal(err)
	}

	lease := postgres.NewLease(pool, table, "xid", "seq")
	for _, step := range []struct {
		xid     uint64
		seq     int64
		wantXID uint64
		wantSeq int64
	}{
		{5, 3, 5, 3},
		{5, 2, 5, 3}, // behind in the second column
		{4, 9, 5, 3}, // ahead in the second, behind in the first
		{6, 1, 6, 1}, // behind in the second, ahead in the first
		{6, 1, 6, 1},
	} {
		leads, err := lease.Advance(t.Context(), "", time.Hour, step.xid, step.seq)
		if err != nil || !leads {
			t.Fatalf("Advance to %d, %d = %t, %v", step.xid, step.seq, leads, err)
		}

		var (
			xid uint64
			seq int64
		)

		leads, err = lease.Take(t.Context(), "", time.Hour, &xid, &seq)
		if err != nil || !leads || xid != step.wantXID || seq != step.wantSeq {
			t.Fatalf(
				"after %d, %d: at %d, %d (%t, %v), want %d, %d",
				step.xid, step.seq, xid, seq, leads, err, step.wantXID, step.wantSeq,
			)
		}
	}

	if leads, err := lease.Advance(t.Context(), "another", time.Hour, uint64(9), 9); leads || err != nil {
		t.Fatalf("another holder advanced the position: %t, %v", leads, err)
	}
}
