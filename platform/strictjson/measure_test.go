package strictjson_test

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"

	"tributary/platform/strictjson"
)

// A check keeps a table of an object's names; checks that come together do not keep theirs at the
// same time.
//
//nolint:paralleltest // it measures the memory of the process
func TestChecksAtATimeAreFew(t *testing.T) {
	var body strings.Builder
	for i := range 48_000 {
		fmt.Fprintf(&body, `,"k%06d":1`, i)
	}

	data := []byte("{" + body.String()[1:] + "}")

	var (
		wg   sync.WaitGroup
		peak uint64
		done = make(chan struct{})
	)

	for range 64 {
		wg.Go(func() {
			if _, err := strictjson.Measure(data, math.MaxInt); err != nil {
				t.Error(err)
			}
		})
	}

	go func() {
		wg.Wait()
		close(done)
	}()

	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		default:
		}

		var m runtime.MemStats

		runtime.GC()
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}

	if peak > 64<<20 {
		t.Errorf("64 checks held %d MiB", peak>>20)
	}
}
