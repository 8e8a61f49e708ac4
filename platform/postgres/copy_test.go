package postgres_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"tributary/platform/postgres"
)

func TestCopyWritesWhatItIsGiven(t *testing.T) {
	t.Parallel()
	pool := open(t, server(t), 1)
	columns := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	at := time.Date(1999, 12, 31, 23, 59, 59, 123456000, time.UTC)
	rows := postgres.NewCopy("copied", columns, 2)
	rows.Row().
		Text("ü€").
		Bool(true).
		Bigint(-1 << 63).
		IntegerOrNull(7).
		Time(at).
		UUIDOrNull("0192f0e0-0000-7000-8000-000000000000").
		TextOrNull("").
		BigintOrNil(new(int64(42))).
		IntegralOrNull("100000000000000000012").
		Bytes([]byte{0, 255})
	rows.Row().
		Text("").
		Bool(false).
		BigintOrNull(0).
		IntegerOrNull(0).
		TimeOrNull(time.Time{}).
		UUIDOrNull("").
		TextOrNull("x").
		BigintOrNil(nil).
		IntegralOrNull("").
		Bytes(nil)

	for _, digits := range []string{"0", "10000", "9999", "40000000"} {
		rows.Row().Text(digits).Null().Null().Null().Null().Null().Null().Null().IntegralOrNull(digits).Null()
	}

	var got []string

	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(
			t.Context(),
			`CREATE TEMPORARY TABLE copied (a text, b boolean, c bigint, d integer, e timestamptz, f uuid, g text, h bigint, i numeric(40), j bytea) ON COMMIT DROP`,
		); err != nil {
			return err
		}

		if err := postgres.NewCopy("copied", columns, 0).Into(t.Context(), tx); err != nil {
			return err
		}

		if err := rows.Into(t.Context(), tx); err != nil {
			return err
		}

		result, err := tx.Query(t.Context(), `SELECT copied::text FROM copied ORDER BY b DESC NULLS LAST, i`)
		if err != nil {
			return err
		}

		got, err = pgx.CollectRows(result, pgx.RowTo[string])

		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	want := []string{
		`(ü€,t,-9223372036854775808,7,"1999-12-31 23:59:59.123456+00",0192f0e0-0000-7000-8000-000000000000,,42,100000000000000000012,"\\x00ff")`,
		`("",f,,,,,x,,,"\\x")`,
		`(0,,,,,,,,0,)`,
		`(9999,,,,,,,,9999,)`,
		`(10000,,,,,,,,10000,)`,
		`(40000000,,,,,,,,40000000,)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
