// Command commission decides what every tracking event earns, and answers questions about it.
package main

import (
	"os"
	_ "time/tzdata" // the image is FROM scratch: the zones of summaries come with the program

	"tributary/platform/process"
)

func main() {
	os.Exit(process.Main(os.Args[1:], os.Stderr, run))
}
