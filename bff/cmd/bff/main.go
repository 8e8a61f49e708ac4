// Command bff is the service for front ends: it authenticates callers, turns requests into commands
// and publishes them.
package main

import (
	"os"

	"tributary/platform/process"
)

func main() {
	process.RelaxTimers()
	os.Exit(process.Main(os.Args[1:], os.Stderr, run))
}
