package rest_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"tributary/commission/internal/api/rest"
	"tributary/commission/internal/domain/event"
)

// sink takes an answer like a slow client: it counts, looks at the heap now and then, and may hang up.
type sink struct {
	header      http.Header
	lines, size int
	hangsUp     int // after so many bytes; 0 never
	refused     int // writes after that
	looked      int
	least, most uint64 // of live heap
}

var errGone = errors.New("the client is gone")

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(int)     {}

func (s *sink) Write(p []byte) (int, error) {
	if s.hangsUp > 0 && s.size > s.hangsUp {
		s.refused++
		return 0, errGone
	}
	s.lines += bytes.Count(p, []byte("\n"))
	s.size += len(p)
	if s.size >= s.looked+1<<20 {
		s.looked = s.size
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		s.least, s.most = min(s.least, m.HeapAlloc), max(s.most, m.HeapAlloc)
	}
	return len(p), nil
}

func TestCSVTakesOnePageOfMemory(t *testing.T) { //nolint:paralleltest // it measures the heap of the process
	s := setup(t)
	const batches, size = 60, 500
	for b := range batches {
		facts := make([]event.Facts, 0, size)
		for i := range size {
			facts = append(facts, purchase(fmt.Sprintf("e-%d-%d", b, i), fmt.Sprintf("u-%d", i), "10"))
		}
		s.decide(t, facts...)
	}
	get := func(to *sink) {
		to.header, to.least = http.Header{}, 1<<60
		r := httptest.NewRequestWithContext(t.Context(), "GET", rest.Base+"/commissions", http.NoBody)
		r.Header.Set("Accept", "text/csv")
		s.handler.ServeHTTP(to, r)
	}
	whole := &sink{}
	get(whole)
	if whole.lines != batches*size+1 || whole.size < 5<<20 {
		t.Errorf("%d lines of %d bytes", whole.lines, whole.size)
	}
	if grown := int64(whole.most) - int64(whole.least); whole.most == 0 || grown > 2<<20 {
		t.Errorf("the live heap grew by %d bytes while %d were written", grown, whole.size)
	}
	gone := &sink{hangsUp: 1 << 20}
	get(gone)
	if gone.refused == 0 || gone.refused > 2 || gone.size > 2<<20 {
		t.Errorf("a client that hung up after %d bytes was written to %d times", gone.size, gone.refused)
	}
	if n := s.db.Pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections are still in use", n)
	}
}
