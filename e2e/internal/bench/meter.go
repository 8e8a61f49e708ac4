package bench

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// loadGenerator is this process among those of a Meter.
const loadGenerator = "load"

// Meter measures the CPU time of the processes of a stack, and of this one as "load".
type Meter struct {
	Processes func() map[string]int // their ids by name
}

// Around records in the result of work how much CPU time it took.
func (m Meter) Around(work func() (Done, error)) (Done, error) {
	before := m.usage()
	done, err := work()
	done.CPU = m.since(before, done.Events)

	return done, err
}

func (m Meter) usage() map[string]time.Duration {
	usage := map[string]time.Duration{loadGenerator: cpuOf(os.Getpid())}
	for name, pid := range m.Processes() {
		usage[name] = cpuOfChildren(pid)
	}

	return usage
}

// since returns microseconds an event of the processes that used any CPU time.
func (m Meter) since(before map[string]time.Duration, events int) map[string]float64 {
	each := map[string]float64{}
	for name, after := range m.usage() {
		if took := after - before[name]; took > 0 && events > 0 {
			each[name] = float64(took.Microseconds()) / float64(events)
		}
	}

	return each
}

func usageText(each map[string]float64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(each)) {
		if each[name] >= 0.5 {
			parts = append(parts, fmt.Sprintf("%s %.0f", name, each[name]))
		}
	}

	if len(parts) == 0 {
		return ""
	}

	return "µs of CPU: " + strings.Join(parts, ", ")
}
