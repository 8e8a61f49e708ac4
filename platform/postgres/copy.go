package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Copy collects rows for COPY in its binary form. pgx's CopyFrom asks the database for the columns'
// types each time and boxes every value: for rows of some thirty columns it took three times as
// long. Each method appends the next column of the row. The column's PostgreSQL type must be the
// one that the method names; otherwise the database refuses the statement.
type Copy struct {
	table   string
	columns []string
	data    []byte
	rows    int
}

const (
	copySignature = "PGCOPY\n\377\r\n\000"
	copyHeader    = copySignature + "\x00\x00\x00\x00\x00\x00\x00\x00" // no flags, no extension
	// Bytes of a column, for the first allocation.
	columnGuess = 16
)

// NewCopy returns a COPY into the columns of the table, with room for the number of rows.
func NewCopy(table string, columns []string, rows int) *Copy {
	c := &Copy{
		table:   table,
		columns: columns,
		data:    make([]byte, 0, len(copyHeader)+rows*len(columns)*columnGuess),
	}
	c.data = append(c.data, copyHeader...)

	return c
}

// Row begins the next row.
func (c *Copy) Row() *Copy {
	//nolint:gosec // a table has 1600 columns at most
	c.data = binary.BigEndian.AppendUint16(c.data, uint16(len(c.columns)))
	c.rows++

	return c
}

// Null appends NULL in any type.
func (c *Copy) Null() *Copy {
	c.data = binary.BigEndian.AppendUint32(c.data, ^uint32(0))
	return c
}

func (c *Copy) size(n int) {
	//nolint:gosec // values are far below 2 GiB
	c.data = binary.BigEndian.AppendUint32(c.data, uint32(n))
}

// Text appends a text.
func (c *Copy) Text(s string) *Copy {
	c.size(len(s))
	c.data = append(c.data, s...)

	return c
}

// TextOrNull appends a text, or NULL if it is empty.
func (c *Copy) TextOrNull(s string) *Copy {
	if s == "" {
		return c.Null()
	}

	return c.Text(s)
}

// Bytes appends a bytea.
func (c *Copy) Bytes(b []byte) *Copy {
	c.size(len(b))
	c.data = append(c.data, b...)

	return c
}

// Bool appends a boolean.
func (c *Copy) Bool(b bool) *Copy {
	c.size(1)

	if b {
		c.data = append(c.data, 1)
	} else {
		c.data = append(c.data, 0)
	}

	return c
}

// Bigint appends a bigint.
func (c *Copy) Bigint(n int64) *Copy {
	c.size(8)
	//nolint:gosec // two's complement is the wire format
	c.data = binary.BigEndian.AppendUint64(c.data, uint64(n))

	return c
}

// BigintOrNull appends a bigint, or NULL for 0.
func (c *Copy) BigintOrNull(n int64) *Copy {
	if n == 0 {
		return c.Null()
	}

	return c.Bigint(n)
}

// BigintOrNil appends a bigint, or NULL for nil.
func (c *Copy) BigintOrNil(n *int64) *Copy {
	if n == nil {
		return c.Null()
	}

	return c.Bigint(*n)
}

// numericWord is how many decimal digits of a numeric are one digit on the wire.
const numericWord = 4

// IntegralOrNull appends a numeric that is the integer of the decimal digits, without a sign, or
// NULL if there are none.
func (c *Copy) IntegralOrNull(digits string) *Copy {
	if digits == "" {
		return c.Null()
	}

	words := (len(digits) + numericWord - 1) / numericWord
	c.size(8 + 2*words) //nolint:mnd // four words of header, and the digits

	header := []int{words, words - 1, 0, 0} // digits, weight of the first, sign, scale
	for _, word := range header {
		//nolint:gosec // PostgreSQL's largest number has fewer digits
		c.data = binary.BigEndian.AppendUint16(c.data, uint16(word))
	}

	for at := len(digits) - words*numericWord; at < len(digits); at += numericWord {
		var word uint16
		for _, digit := range []byte(digits[max(at, 0) : at+numericWord]) {
			word = word*10 + uint16(digit-'0')
		}

		c.data = binary.BigEndian.AppendUint16(c.data, word)
	}

	return c
}

// IntegerOrNull appends an integer, or NULL for 0.
func (c *Copy) IntegerOrNull(n int) *Copy {
	if n == 0 {
		return c.Null()
	}

	c.size(4)
	//nolint:gosec // versions count from 1
	c.data = binary.BigEndian.AppendUint32(c.data, uint32(n))

	return c
}

// microsecondsAt2000 is PostgreSQL's epoch, in Unix microseconds.
const microsecondsAt2000 = 946_684_800_000_000

// Time appends a timestamptz, to the microsecond.
func (c *Copy) Time(t time.Time) *Copy { return c.Bigint(t.UnixMicro() - microsecondsAt2000) }

// TimeOrNull appends a timestamptz, or NULL for the zero time.
func (c *Copy) TimeOrNull(t time.Time) *Copy {
	if t.IsZero() {
		return c.Null()
	}

	return c.Time(t)
}

// UUIDOrNull appends the uuid of the text, or NULL if the text is not a uuid.
func (c *Copy) UUIDOrNull(s string) *Copy {
	id, err := uuid.Parse(s)
	if err != nil {
		return c.Null()
	}

	c.size(len(id))
	c.data = append(c.data, id[:]...)

	return c
}

// Session is a transaction, or a connection outside of one.
type Session interface{ Conn() *pgx.Conn }

// Into writes the rows in one statement. Without rows it does nothing.
func (c *Copy) Into(ctx context.Context, session Session) error {
	if c.rows == 0 {
		return nil
	}

	c.data = binary.BigEndian.AppendUint16(c.data, ^uint16(0))
	_, err := session.Conn().PgConn().CopyFrom(
		ctx,
		bytes.NewReader(c.data),
		"COPY "+pgx.Identifier{
			c.table,
		}.Sanitize()+" ("+strings.Join(c.columns, ", ")+") FROM STDIN (FORMAT binary)",
	)

	return err
}
