// Command commission decides what every tracking event earns, and answers questions about it.
package main

import (
	"os"

	"tributary/platform/process"
)

func main() {
	os.Exit(process.Main(os.Args[1:], os.Stderr, run))
}
