package rest

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"tributary/platform/fault"
	"tributary/platform/httpapi"
)

const (
	csvType = "text/csv"
	csvPage = 500
	csvIdle = 20 * time.Second // how long a client may take for a page

	csvStreams = 16 // concurrent streams, shared by caller; each holds a page
	csvWait    = 2 * time.Second
)

var errTooManyExports = fault.Define(
	fault.Unavailable,
	"csv_no_room",
	"The replica has no memory for another CSV export, of any caller or of this one. Retry after "+
		"the time in Retry-After.",
)

// exports writes lists to the end, a bounded number at a time, since a slow reader occupies memory.
type exports struct {
	clock func() time.Time
	room  *httpapi.Shares
}

func newExports(clock func() time.Time) exports {
	return exports{clock: clock, room: httpapi.NewShares(csvStreams)}
}

// export is a list that is written to its end.
type export[R any] struct {
	file string // its name, without the extension
	form form[R]
	// page returns the csvPage rows that follow last, or the first ones if it is nil. The last page
	// is shorter.
	page func(ctx context.Context, last *R) ([]R, error)
}

// form is how rows are written.
type form[R any] interface {
	// kind returns the media type and the extension of files.
	kind() (mediaType, extension string)
	begin(w io.Writer) error
	rows(w io.Writer, rows []R) error
	end(w io.Writer) error
}

// wants returns the first acceptable of the forms that a list has: JSON, and those that are named.
func wants(accept string, forms ...string) string {
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(strings.TrimSpace(part), ";")

		kind = strings.ToLower(kind)
		if slices.Contains(forms, kind) {
			return kind
		}

		switch kind {
		case "application/json", "*/*", "application/*":
			return ""
		}
	}

	return ""
}

// exportOperation completes the description of an export as CSV. The description is a sentence
// without its full stop.
func exportOperation(op huma.Operation, header []string) huma.Operation {
	op = readOperation(op)
	op.Description += ", with a header line (RFC 4180). The connection is aborted if the rows cannot be " +
		"read to the end."
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The rows.",
		Content: map[string]*huma.MediaType{csvType: {
			Schema:  &huma.Schema{Type: huma.TypeString},
			Example: strings.Join(header, ",") + "\r\n",
		}},
	}}

	return op
}

// send writes all rows, page by page: memory holds one page, and no statement runs for long. The
// first page is read before the answer begins, so that an unavailable database is answered with a
// problem document.
func send[R any](ctx context.Context, to exports, x export[R]) (*huma.StreamResponse, error) {
	caller := httpapi.Caller(ctx)
	if !to.room.Wait(ctx, csvWait, caller, 1) {
		return nil, errTooManyExports.New(
			"Too many lists are being exported as CSV, by all callers or by you. Retry after Retry-After.",
		).RetryIn(csvIdle)
	}

	rows, err := x.page(ctx, nil)
	if err != nil {
		to.room.Release(caller, 1)
		return nil, err
	}

	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer to.room.Release(caller, 1)

		if x.write(ctx, out, to.clock, rows) != nil {
			//nolint:forbidigo // net/http's way to abort a response, so that a part is not taken for the whole
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

func (x export[R]) write(
	ctx context.Context,
	out huma.Context,
	clock func() time.Time,
	rows []R,
) error {
	mediaType, extension := x.form.kind()
	out.SetHeader("Content-Type", mediaType)
	out.SetHeader("Content-Disposition", `attachment; filename="`+x.file+extension+`"`)

	if mediaType == htmlType {
		out.SetHeader("Content-Disposition", "inline")
		out.SetHeader("Content-Security-Policy", htmlPolicy)
	}

	_, response := humachi.Unwrap(out)
	deadline := http.NewResponseController(response)
	w := out.BodyWriter()

	if x.form.begin(w) != nil {
		return nil
	}

	for {
		_ = deadline.SetWriteDeadline(clock().Add(csvIdle))

		if x.form.rows(w, rows) != nil { // the client has left
			return nil
		}

		if len(rows) < csvPage {
			return x.form.end(w)
		}

		var err error
		if rows, err = x.page(ctx, &rows[len(rows)-1]); err != nil {
			return err
		}
	}
}

// csvForm writes rows as CSV with a header line.
type csvForm[R any] struct {
	header []string
	cells  func(R) []string
}

func (csvForm[R]) kind() (mediaType, extension string) {
	return csvType + "; charset=utf-8; header=present", ".csv"
}

func (f csvForm[R]) begin(w io.Writer) error {
	return writeCSV(w, [][]string{f.header})
}

func (f csvForm[R]) rows(w io.Writer, rows []R) error {
	lines := make([][]string, len(rows))
	for i, row := range rows {
		lines[i] = f.cells(row)
	}

	return writeCSV(w, lines)
}

func (csvForm[R]) end(io.Writer) error { return nil }

func writeCSV(w io.Writer, lines [][]string) error {
	return csv.NewWriter(w).WriteAll(lines)
}
