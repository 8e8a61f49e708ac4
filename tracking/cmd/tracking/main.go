// Command tracking is the service that records events: it accepts them, keeps them in an
// append-only log and publishes the log.
package main

import (
	"os"

	"tributary/platform/process"
)

func main() {
	process.RelaxTimers()
	os.Exit(process.Main(os.Args[1:], os.Stderr, run))
}
