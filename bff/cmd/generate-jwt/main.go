// Command generate-jwt prints a token that the BFF of the same .env accepts, and nothing else.
//
//	generate-jwt -user user123 -roles partner -lifetime 24h -claim tenant=acme
package main

import (
	"context"
	"os"

	"tributary/platform/process"
)

func main() {
	os.Exit(process.Main(os.Args[1:], os.Stderr, func(_ context.Context, args []string) error {
		return run(args, os.Stdout, os.Stderr)
	}))
}
