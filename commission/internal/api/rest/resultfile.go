package rest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/payout"
	"tributary/platform/fault"
)

// resultColumns returns the columns of a result file; the first two are required.
func resultColumns() []string {
	return []string{
		"reference",
		"outcome",
		"failure_code",
		"reason",
		"external_reference",
		"paid_at",
	}
}

// The codes of files that are not CSV.
var (
	errCSVUTF8   = fault.DefineField("csv_invalid_utf8", "must be UTF-8")
	errCSVSyntax = fault.DefineField(
		"csv_syntax",
		"must be CSV with commas: quotes enclose a whole cell",
	)
)

// resultFile reads a result file and collects the faults of its lines.
type resultFile struct {
	zone    *time.Location // of days
	rows    *csv.Reader
	columns []string
	results []command.Result
	faults  []command.LineFault
}

// readResults reads the lines of a result file (RFC 4180, UTF-8, with or without a byte order
// mark), whose days begin in the zone. Lines with faults are not among the results.
func readResults(text []byte, zone *time.Location) ([]command.Result, []command.LineFault) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	f := &resultFile{
		zone: zone,
		rows: csv.NewReader(bytes.NewReader(text)),
	}
	f.rows.FieldsPerRecord = -1 // counted here, with the other faults

	if !utf8.Valid(text) {
		f.add(1, "", errCSVUTF8, "the file must be UTF-8")
		return nil, f.faults
	}

	if f.header() {
		f.lines()
	}

	return f.results, f.faults
}

func (f *resultFile) add(line int, column string, code *fault.FieldCode, message string) {
	f.faults = append(f.faults, command.LineFault{
		Line:    line,
		Column:  column,
		Code:    code,
		Message: message,
	})
}

// header reads the names of the columns; the bool reports whether the lines can be read.
func (f *resultFile) header() bool {
	names, err := f.rows.Read()
	if errors.Is(err, io.EOF) {
		f.add(1, "", fault.ErrRequired, "the file must begin with a header line")
		return false
	}

	if err != nil {
		f.syntax(err)
		return false
	}

	for i, name := range names {
		switch {
		case !slices.Contains(resultColumns(), name):
			f.add(1, "", fault.ErrUnknownField, fmt.Sprintf(
				"column %d must be one of %s", i+1, strings.Join(resultColumns(), ", "),
			))
		case slices.Contains(f.columns, name):
			f.add(1, name, fault.ErrRepeated, "must be one column")
		}

		f.columns = append(f.columns, name)
	}

	for _, name := range resultColumns()[:2] {
		if !slices.Contains(names, name) {
			f.add(1, name, fault.ErrRequired, "must be a column")
		}
	}

	return len(f.faults) == 0
}

// syntax adds the fault of a line that is not CSV. The lines after it are not read.
func (f *resultFile) syntax(err error) {
	line := 1

	var broken *csv.ParseError
	if errors.As(err, &broken) {
		line = broken.Line
	}

	f.add(line, "", errCSVSyntax, "must be CSV with commas: quotes enclose a whole cell")
}

func (f *resultFile) lines() {
	for count := 0; ; count++ {
		cells, err := f.rows.Read()

		switch {
		case errors.Is(err, io.EOF) && count == 0:
			f.add(2, "", fault.ErrRequired, "the file must have a line for a payout")
			return
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			f.syntax(err)
			return
		}

		line, _ := f.rows.FieldPos(0)

		switch {
		case count == batch.MaxPayouts:
			f.add(line, "", fault.ErrWrongCount, fmt.Sprintf("must be at most %d lines", batch.MaxPayouts))
			return
		case len(cells) != len(f.columns):
			f.add(line, "", fault.ErrWrongCount, fmt.Sprintf("must have %d columns", len(f.columns)))
		default:
			f.line(line, cells)
		}
	}
}

// line reads the cells of a line, and adds the result unless a cell is faulty.
func (f *resultFile) line(line int, cells []string) {
	known := len(f.faults)
	result := command.Result{Line: line}

	for i, text := range cells {
		if text != "" {
			f.cell(&result, f.columns[i], text)
		} else if slices.Contains(resultColumns()[:2], f.columns[i]) {
			f.add(line, f.columns[i], fault.ErrRequired, "must not be empty")
		}
	}

	if len(f.faults) == known {
		f.results = append(f.results, result)
	}
}

// cell reads a cell that is not empty. What the domain checks is left to it.
func (f *resultFile) cell(result *command.Result, column, text string) {
	closing := &result.Closing

	switch column {
	case "reference":
		id, ok := payout.ParseReference(text)
		if !ok {
			f.add(result.Line, column, fault.ErrInvalidValue, "must be the reference of a payout")
		}

		result.PayoutID = id
	case "outcome":
		closing.To = payout.Status(text)
		if closing.To != payout.Completed && closing.To != payout.Failed {
			f.add(result.Line, column, fault.ErrInvalidValue, "must be completed or failed")
		}
	case "failure_code":
		closing.FailureCode = payout.FailureCode(text)
	case "external_reference":
		closing.ExternalReference = text
	case "reason":
		closing.Reason = text
		if commission.CheckReason(text) != nil {
			f.add(result.Line, column, fault.ErrInvalidValue, "must be 1 to 500 printable characters")
		}
	case "paid_at":
		at, ok := f.timeOrDay(text)
		if !ok {
			f.add(result.Line, column, fault.ErrTime, "must be a time as in RFC 3339, or a day such as 2026-11-30")
		}

		closing.PaidAt = at
	}
}

// timeOrDay reads a time, or a day as its beginning.
func (f *resultFile) timeOrDay(text string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.ParseInLocation(time.DateOnly, text, f.zone)
	}

	return at.UTC().Truncate(time.Microsecond), err == nil
}
