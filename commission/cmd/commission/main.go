// Command commission decides what every tracking event earns, and answers queries about it.
package main

import (
	"os"
	// the image is FROM scratch: the time zones of summaries are part of the program
	_ "time/tzdata"

	"tributary/platform/process"
)

func main() {
	process.RelaxTimers()
	os.Exit(process.Main(os.Args[1:], os.Stderr, run))
}
