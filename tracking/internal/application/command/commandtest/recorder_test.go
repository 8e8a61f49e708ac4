package commandtest_test

import (
	"testing"

	"tributary/tracking/internal/application/command"
	"tributary/tracking/internal/application/command/commandtest"
	"tributary/tracking/internal/application/ingest"
)

func TestTheRecorderInMemoryKeepsTheContract(t *testing.T) {
	t.Parallel()
	commandtest.RecorderSuite(t, func(_ *testing.T, store ingest.Store) command.Recorder {
		return commandtest.Recorder{Store: store}
	})
}
